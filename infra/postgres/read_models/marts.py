"""The declared marts in PostgreSQL: made on the tables of whatever schemas are given, and swapped with those.

`create_marts` is for any set of schemas. A rebuild makes `mart_next` on the new tables before the swap, whose
transaction moves the views from there to `mart`; views of others there stay, see `standing`.
"""

from collections.abc import Iterable, Mapping, Sequence

import psycopg
from psycopg import sql
from sqlalchemy import FromClause, MetaData, TableClause, column
from sqlalchemy import table as table_clause

from infra.postgres.read_models.schema import comment_on_column, compiled, grant
from projections import marts
from projections.marts import Mart
from projections.shared import DIM_DATE
from projections.warehouse import PROJECTIONS

MART = "mart"
NEXT = "mart_next"
GONE = "mart_gone"
COMMENT = "Views over the star schema: the marts of the program, and your own"

_CREATE_SCHEMA = sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}; COMMENT ON SCHEMA {schema} IS {comment}")
_EXISTING = """
    SELECT c.relname, c.relkind = 'm' FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = ANY(%s) AND c.relkind IN ('v', 'm')
"""
_MOVE = sql.SQL("ALTER {kind} {name} SET SCHEMA {schema}")
_DROP_SCHEMA = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
_UNIQUE = sql.SQL("CREATE UNIQUE INDEX ON {} ({})")
_VIEW, _MATERIALISED = sql.SQL("VIEW"), sql.SQL("MATERIALIZED VIEW")


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
    conn.execute(_CREATE_SCHEMA.format(schema=sql.Identifier(schema), comment=sql.Literal(COMMENT)))
    tables = star_schema(schemas)
    for mart in marts.MARTS if declared is None else declared:
        tables[f"{MART}.{mart.name}"] = _create(conn, schema, mart, tables)
    grant(conn, schema)


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


def _clause(schema: str, name: str, columns: Iterable[object]) -> TableClause:
    typed = [column(c.name, c.type) for c in columns]  # type: ignore[attr-defined]  # named expressions all
    return table_clause(name, *typed, schema=schema)


def _create(conn: psycopg.Connection, schema: str, mart: Mart, tables: Mapping[str, FromClause]) -> FromClause:
    query = mart.select(tables)
    name = sql.Identifier(schema, mart.name)
    kind = _MATERIALISED if mart.materialised else _VIEW
    conn.execute(sql.SQL("CREATE {} {} AS ").format(kind, name).as_bytes(conn) + compiled(query))
    conn.execute(sql.SQL("COMMENT ON {} {} IS {}").format(kind, name, sql.Literal(mart.comment)))
    for column_name, comment in mart.column_comments.items():
        comment_on_column(conn, schema, mart.name, column_name, comment)
    if mart.materialised and mart.key:
        conn.execute(_UNIQUE.format(name, sql.SQL(", ").join(map(sql.Identifier, mart.key))))
    return _clause(schema, mart.name, query.selected_columns)


def missing(conn: psycopg.Connection) -> list[Mart]:
    """The declared marts that do not stand in `mart`."""
    there = _kinds(conn, MART)
    return [mart for mart in marts.MARTS if mart.name not in there]


def _kinds(conn: psycopg.Connection, schema: str) -> dict[str, sql.SQL]:
    """Of the declared marts those that stand in a schema, each with its kind."""
    rows = conn.execute(_EXISTING, [schema, [mart.name for mart in marts.MARTS]]).fetchall()
    return {name: _MATERIALISED if is_materialised else _VIEW for name, is_materialised in rows}


# --- in a rebuild -----------------------------------------------------------------------------------------------


def make_next(conn: psycopg.Connection, new: Mapping[str, str]) -> None:
    """Makes the declared marts in `mart_next`, on the new tables (schemas by context) and the live ones of the rest."""
    if marts.MARTS:
        with conn.transaction():
            remove_next(conn)
            create_marts(conn, NEXT, {**live_schemas(), **new})


def remove_next(conn: psycopg.Connection) -> None:
    """Removes what a rebuild that came to nothing has made."""
    conn.execute(_DROP_SCHEMA.format(sql.Identifier(NEXT)))


def move_in(conn: psycopg.Connection) -> None:
    """Within the transaction of a swap: `mart` has the marts of `mart_next`, the former ones stand in `mart_gone`."""
    arriving = _kinds(conn, NEXT)
    if not arriving:
        return
    for name, kind in _kinds(conn, MART).items():
        conn.execute(_MOVE.format(kind=kind, name=sql.Identifier(MART, name), schema=sql.Identifier(GONE)))
    for name, kind in arriving.items():
        conn.execute(_MOVE.format(kind=kind, name=sql.Identifier(NEXT, name), schema=sql.Identifier(MART)))
    remove_next(conn)
