"""The declared marts in PostgreSQL: made on the tables of whatever schemas are given, moved in where those are live.

All marts of one making see one snapshot. Those that are to be live are made aside, in a schema of their own, and take
the place of the former ones in one transaction, which notes what they show. Views of others in `mart` stay.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.planner import COMPUTED_ONCE_HERE
from replayhouse.infra.postgres.roles import grant, grant_on
from replayhouse.infra.read_models import marts_shown
from replayhouse.infra.read_models.marts_shown import MartsShown
from replayhouse.infra.read_models.rights import Rights, put_back
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from replayhouse.projections.warehouse import PROJECTIONS

MART = "mart"
NEXT = "mart_next"
"""Where those stand that a rebuild makes on its new tables."""
FRESH = "mart_fresh"
"""Where those stand that are made anew on the live tables."""
GONE = "mart_gone"
COMMENT = "The marts of the program, materialised from the star schema, and views of your own"

_ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
# Statistics are of as many rows as those of the tables: of more than three times as many, they cost a fifth of a mart.
_SESSION = f"{COMPUTED_ONCE_HERE}; SET LOCAL default_statistics_target = 30"
_CREATE_SCHEMA = sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}; COMMENT ON SCHEMA {schema} IS {comment}")
_SEARCH_PATH = "SELECT current_setting('search_path')"
_FIND_IN = "SELECT set_config('search_path', %s, true)"
_DECLARE = sql.SQL("""
    CREATE MATERIALIZED VIEW {name} AS
    {query}
    WITH NO DATA;
    {settings}
""")
# By REFRESH on any server, whose rows every snapshot sees: to a reader with an old one it is never empty.
_FILL = sql.SQL("""
    REFRESH MATERIALIZED VIEW {name};
    {index}
    ANALYZE {name}
""")
_REFRESH = sql.SQL("REFRESH MATERIALIZED VIEW CONCURRENTLY {}")
_COMMENT = sql.SQL("COMMENT ON MATERIALIZED VIEW {} IS {};")
_COMMENT_ON_COLUMN = sql.SQL("COMMENT ON COLUMN {} IS {};")
_NO_STATISTICS = sql.SQL("ALTER MATERIALIZED VIEW {} ALTER COLUMN {} SET STATISTICS 0;")
_UNIQUE = sql.SQL("CREATE UNIQUE INDEX ON {} ({});")
_OF_OTHERS = """
    SELECT c.relname::text, c.relkind = 'v'
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('mart') AND c.relname = ANY(%s)
        AND NOT EXISTS (SELECT FROM read_model.mart WHERE (relations ->> c.relname)::oid = c.oid)
"""
_STANDING = """
    SELECT c.relname::text, c.oid::bigint FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('mart') AND c.relname = ANY(%s) AND c.relkind = 'm'
"""
_GONE = """
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'm'
    ORDER BY c.oid DESC
"""
_CREATE_GONE = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(GONE))
_MOVE = sql.SQL("ALTER MATERIALIZED VIEW {} SET SCHEMA {};")
_DROP = sql.SQL("DROP MATERIALIZED VIEW {}")
_DROP_EMPTY = sql.SQL("DROP SCHEMA IF EXISTS {}")
_DROP_SCHEMA = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")

_NOT_OF_THE_MART = re.compile("08|40|55P03|57")
"""The connection, who came first, a lock, somebody who ends the session: SQLSTATEs that say nothing of a query."""


class Unmakeable(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """A mart cannot be made; which one, and why not."""

    def __init__(self, mart: str, error: psycopg.Error) -> None:
        told = (error.diag.message_primary or str(error)).rstrip(".")
        super().__init__(f"The mart {mart} cannot be made: {told}. Those that stand stay as they are.")


def live_schemas() -> dict[str, str]:
    """Where the live tables stand: each context, and `shared`, under its own name."""
    return {name: name for name in (*PROJECTIONS, "shared")}


@contextmanager
def one_snapshot(conn: psycopg.Connection) -> Iterator[None]:
    """A transaction all of which sees one moment; `conn` in autocommit."""
    with conn.transaction():
        conn.execute(_ONE_SNAPSHOT)
        yield


def create_schema(conn: psycopg.Connection, schema: str) -> None:
    """Makes a schema for marts, if it is not there; readers may look into it."""
    conn.execute(_CREATE_SCHEMA.format(schema=sql.Identifier(schema), comment=sql.Literal(COMMENT)))
    grant(conn, schema)


def create_marts(conn: psycopg.Connection, schema: str, schemas: Mapping[str, str]) -> None:
    """Makes the declared marts in a schema, which is made if need be, with comments, indexes and grants.

    Within a transaction; with `one_snapshot`, all of them show one moment.
    They stand on the tables of the context `sales` in the schema `schemas["sales"]`, and so on; `schemas` names one for
    each of the five contexts and for `shared`. Raises Unmakeable.
    """
    declare_marts(conn, schema, schemas)
    for mart in marts.MARTS:
        fill(conn, schema, mart)


def declare_marts(conn: psycopg.Connection, schema: str, schemas: Mapping[str, str]) -> None:
    """The same, but that each of them is still to be filled (see `fill`), and cannot be read before that."""
    create_schema(conn, schema)
    with names_found_in(conn, [schema, *schemas.values()]):
        for mart in marts.MARTS:
            _declare(conn, schema, mart)
    grant_on(conn, schema, [mart.name for mart in marts.MARTS])


def fill(conn: psycopg.Connection, schema: str, mart: Mart) -> None:
    """Fills a declared mart, after those that it builds on; within a transaction, whose snapshot it shows.

    Raises Unmakeable.
    """
    name = sql.Identifier(schema, mart.name)
    key = sql.SQL(", ").join(map(sql.Identifier, mart.key))
    conn.execute(_SESSION)
    _run(conn, schema, mart, _FILL.format(name=name, index=_UNIQUE.format(name, key)))


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


def _declare(conn: psycopg.Connection, schema: str, mart: Mart) -> None:
    name = sql.Identifier(schema, mart.name)
    settings: list[sql.Composable] = [_COMMENT.format(name, sql.Literal(mart.comment))]
    for column, comment in mart.column_comments.items():
        settings.append(_COMMENT_ON_COLUMN.format(sql.Identifier(schema, mart.name, column), sql.Literal(comment)))
    settings += [_NO_STATISTICS.format(name, sql.Identifier(column)) for column in mart.personal]
    query = sql.SQL(mart.query)  # the text of a file of the program's own
    _run(conn, schema, mart, _DECLARE.format(name=name, query=query, settings=sql.SQL(" ").join(settings)))


def _run(conn: psycopg.Connection, schema: str, mart: Mart, script: sql.Composed) -> None:
    try:
        conn.execute(script)
    except psycopg.Error as error:
        if conn.closed or _NOT_OF_THE_MART.match(error.sqlstate or "08"):
            raise
        raise Unmakeable(f"{schema}.{mart.name}", error) from error


# --- those that are live ----------------------------------------------------------------------------------------


def refresh(conn: psycopg.Connection) -> None:
    """Writes the rows of the live marts that differ from what their queries find; within `one_snapshot`.

    Nobody who reads waits for it. Raises Unmakeable.
    """
    conn.execute(_SESSION)
    for mart in marts.MARTS:
        _run(conn, MART, mart, _REFRESH.format(sql.Identifier(MART, mart.name)))


def drop_aside(conn: psycopg.Connection, schema: str) -> None:
    """Removes marts that were made aside, and not moved in."""
    conn.execute(_DROP_SCHEMA.format(sql.Identifier(schema)))


def refuse_those_of_others(conn: psycopg.Connection) -> None:
    """Raises Conflicting where somebody has made something in `mart` that has the name of a declared mart."""
    for name, is_view in conn.execute(_OF_OTHERS, [[mart.name for mart in marts.MARTS]]).fetchall():
        kind = "VIEW" if is_view else "MATERIALIZED VIEW"
        raise Conflicting(
            f"{MART}.{name} is the name of a mart of this program, and somebody has made something else under it: "
            f"rename that (ALTER {kind} {MART}.{name} RENAME TO ...). Until then there are no marts."
        )


def standing(conn: psycopg.Connection) -> dict[str, int]:
    """The declared marts that stand in `mart`, by name, each with its number in pg_class."""
    return dict(conn.execute(_STANDING, [[mart.name for mart in marts.MARTS]]).fetchall())


def move_in(conn: psycopg.Connection, aside: str, made: MartsShown, given: Rights) -> None:
    """Within the transaction that makes them live: the marts that were made aside take the place of those in `mart`.

    The former ones stand in `mart_gone` then; what was `given` on them before is given on those that came.
    """
    former = standing(conn)
    if former:
        conn.execute(_CREATE_GONE)
    for mart in marts.MARTS:
        if mart.name in former:
            conn.execute(_MOVE.format(sql.Identifier(MART, mart.name), sql.Identifier(GONE)))
        conn.execute(_MOVE.format(sql.Identifier(aside, mart.name), sql.Identifier(MART)))
    drop_aside(conn, aside)
    put_back(conn, given, former)
    grant_on(conn, MART, [mart.name for mart in marts.MARTS if mart.name not in former])
    marts_shown.note(conn, made)


def drop_gone(conn: psycopg.Connection) -> None:
    """Within that transaction, after what stood on them was made anew: the former marts are removed.

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
