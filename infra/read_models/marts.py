"""The declared marts in PostgreSQL: made on the tables of whatever schemas are given, and swapped with those.

`create_marts` is for any set of schemas. What is materialised is made on new tables before the swap, in `mart_next`,
and moved to `mart` by its transaction; views of others there stay, see `standing`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import errors, sql
from sqlalchemy import FromClause, MetaData, TableClause, column
from sqlalchemy import table as table_clause

from replayhouse.infra.postgres.roles import grant, grant_on
from replayhouse.infra.read_models.rights import Rights, put_back
from replayhouse.infra.read_models.schema import comment_on_column, compiled
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

MART = "mart"
NEXT = "mart_next"
GONE = "mart_gone"
COMMENT = "Views over the star schema: the marts of the program, and your own"

_CREATE_SCHEMA = sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}; COMMENT ON SCHEMA {schema} IS {comment}")
_HAS_SCHEMA = "SELECT to_regnamespace(%s) IS NOT NULL"
_SEARCH_PATH = "SELECT current_setting('search_path')"
_FIND_IN = "SELECT set_config('search_path', %s, true)"
_EXISTING = """
    SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = ANY(%s) AND c.relkind IN ('v', 'm')
"""
_GONE = """
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'm'
    ORDER BY c.oid DESC
"""
_ASIDE = sql.SQL("CREATE SCHEMA IF NOT EXISTS {gone}; ALTER MATERIALIZED VIEW {name} SET SCHEMA {gone}")
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_MOVE = sql.SQL("ALTER MATERIALIZED VIEW {name} SET SCHEMA {schema}")
_DROP = sql.SQL("DROP MATERIALIZED VIEW {}")
_DROP_EMPTY = sql.SQL("DROP SCHEMA IF EXISTS {}")
_DROP_SCHEMA = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
_UNIQUE = sql.SQL("CREATE UNIQUE INDEX ON {} ({})")


def live_schemas() -> dict[str, str]:
    """Where the live tables stand: each context, and `shared`, under its own name."""
    return {name: name for name in (*PROJECTIONS, "shared")}


def create_marts(
    conn: psycopg.Connection, schema: str, schemas: Mapping[str, str], declared: Sequence[Mart] | None = None
) -> None:
    """Makes the schema if need be, and in it the declared marts (all, by default), with comments and grants.

    They stand on the tables of the context `sales` in the schema `schemas["sales"]`, and so on; `schemas` names one for
    each of the five contexts and for `shared`. Within a transaction.
    """
    is_new = conn.execute(_HAS_SCHEMA, [schema]).fetchone() == (False,)
    conn.execute(_CREATE_SCHEMA.format(schema=sql.Identifier(schema), comment=sql.Literal(COMMENT)))
    tables = star_schema(schemas)
    made = marts.MARTS if declared is None else declared
    with names_found_in(conn, [schema, *schemas.values()]):
        for mart in made:
            tables[f"{MART}.{mart.name}"] = _create(conn, schema, mart, tables)
    if is_new:
        grant(conn, schema)
    else:  # there may be views of others, on which rights are none of our business
        grant_on(conn, schema, [mart.name for mart in made])


def star_schema(schemas: Mapping[str, str]) -> dict[str, FromClause]:
    """Every table and view of the star schema by its live name, as it stands in the given schemas."""
    found: dict[str, FromClause] = {}
    for context, projection in PROJECTIONS.items():
        metadata = MetaData(schema=schemas[context])
        tables = {t.name: t.to_metadata(metadata, schema=schemas[context]) for t in projection.tables}
        found |= {f"{context}.{name}": table for name, table in tables.items()}
        for view in projection.views:
            columns = view.select(tables).selected_columns
            found[f"{context}.{view.name}"] = _clause(schemas[context], view.name, columns)
    found["shared.dim_date"] = DIM_DATE.to_metadata(MetaData(), schema=schemas["shared"])
    return found


@contextmanager
def names_found_in(conn: psycopg.Connection, schemas: Iterable[str]) -> Iterator[None]:
    """Within a transaction: for the time of the block, names without a schema are looked for in these, in order.

    Temporary tables come last, or one of somebody's would stand in for a table of ours.
    """
    row = conn.execute(_SEARCH_PATH).fetchone()
    path = sql.SQL(", ").join(map(sql.Identifier, [*schemas, "pg_temp"])).as_string(conn)
    conn.execute(_FIND_IN, [path])
    yield
    conn.execute(_FIND_IN, row)  # where the block fails, the transaction ends, and with it the path


def _clause(schema: str, name: str, columns: Iterable[object]) -> TableClause:
    typed = [column(c.name, c.type) for c in columns]  # type: ignore[attr-defined]  # named expressions all
    return table_clause(name, *typed, schema=schema)


def _create(conn: psycopg.Connection, schema: str, mart: Mart, tables: Mapping[str, FromClause]) -> FromClause:
    query = mart.select(tables)
    name = sql.Identifier(schema, mart.name)
    kind = sql.SQL("MATERIALIZED VIEW" if mart.materialised else "VIEW")
    create = sql.SQL("CREATE" if mart.materialised else "CREATE OR REPLACE")
    conn.execute(sql.SQL("{} {} {} AS ").format(create, kind, name).as_bytes(conn) + compiled(query))
    conn.execute(sql.SQL("COMMENT ON {} {} IS {}").format(kind, name, sql.Literal(mart.comment)))
    for column_name, comment in mart.column_comments.items():
        comment_on_column(conn, schema, mart.name, column_name, comment)
    if mart.materialised and mart.key:
        conn.execute(_UNIQUE.format(name, sql.SQL(", ").join(map(sql.Identifier, mart.key))))
    return _clause(schema, mart.name, query.selected_columns)


def missing(conn: psycopg.Connection) -> list[Mart]:
    """The declared marts that do not stand in `mart`."""
    there = {name for (name,) in conn.execute(_EXISTING, [MART, [mart.name for mart in marts.MARTS]]).fetchall()}
    return [mart for mart in marts.MARTS if mart.name not in there]


# --- in a swap --------------------------------------------------------------------------------------------------


def make_next(conn: psycopg.Connection, new: Mapping[str, str]) -> None:
    """Makes the materialised marts in `mart_next`, on new tables (schemas by context) and the live ones of the rest.

    Plain ones take no time and are made in the swap; a materialised one that builds on them has their queries in it.
    """
    with conn.transaction():
        remove_next(conn)
        if not any(mart.materialised for mart in marts.MARTS):
            return
        conn.execute(_CREATE_SCHEMA.format(schema=sql.Identifier(NEXT), comment=sql.Literal(COMMENT)))
        schemas = {**live_schemas(), **new}
        tables = star_schema(schemas)
        with names_found_in(conn, [NEXT, *schemas.values()]):
            for mart in marts.MARTS:
                if mart.materialised:
                    tables[f"{MART}.{mart.name}"] = _create(conn, NEXT, mart, tables)
                else:
                    tables[f"{MART}.{mart.name}"] = mart.select(tables).subquery(mart.name)
        grant(conn, NEXT)


def remove_next(conn: psycopg.Connection) -> None:
    """Removes what a swap that came to nothing has made."""
    conn.execute(_DROP_SCHEMA.format(sql.Identifier(NEXT)))


def lock(conn: psycopg.Connection) -> None:
    """Within the transaction of a swap, before anything is renamed: no reader holds a plain mart from here on."""
    there = {mart.name for mart in marts.MARTS} - {mart.name for mart in missing(conn)}
    for mart in reversed(marts.MARTS):
        if mart.name in there and not mart.materialised:
            conn.execute(_LOCK.format(sql.Identifier(MART, mart.name)))


def move_in(conn: psycopg.Connection, given: Rights) -> None:
    """Within the transaction of a swap, after the renaming: the declared marts stand on the tables that are live now.

    A plain one stays itself, with what stands on it. The former materialised ones stand in `mart_gone`; what was
    `given` on them before is given on the new ones.
    """
    tables = star_schema(live_schemas())
    for mart in marts.MARTS:
        if mart.materialised:
            conn.execute(_ASIDE.format(gone=sql.Identifier(GONE), name=sql.Identifier(MART, mart.name)))
            conn.execute(_MOVE.format(name=sql.Identifier(NEXT, mart.name), schema=sql.Identifier(MART)))
            tables[f"{MART}.{mart.name}"] = _clause(MART, mart.name, mart.select(tables).selected_columns)
        else:
            tables[f"{MART}.{mart.name}"] = _create(conn, MART, mart, tables)
    if materialised := [mart.name for mart in marts.MARTS if mart.materialised]:
        put_back(conn, given, materialised)
    remove_next(conn)


def drop_gone(conn: psycopg.Connection) -> None:
    """Within that transaction, after what stood on them was made anew: the former materialised marts are removed.

    Raises Conflicting where something outside of `mart` stands on one.
    """
    for (name,) in conn.execute(_GONE, [GONE]).fetchall():
        try:
            conn.execute(_DROP.format(sql.Identifier(GONE, name)))
        except errors.DependentObjectsStillExist as error:
            raise Conflicting(
                f"Views outside of {MART} stand on the materialised view {MART}.{name}, which is made anew with the "
                "new tables: drop them first. Nothing was swapped."
            ) from error
    conn.execute(_DROP_EMPTY.format(sql.Identifier(GONE)))
