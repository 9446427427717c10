"""Views that somebody has made by hand in the schema `mart`: a swap takes them along to the new tables.

A view stands on tables, whatever they are called later; the live tables are those of a name. So their definitions are
read before the renaming, while they name the live tables, and given again after it. A plain view is replaced and stays
itself, with its rights, its comment, and what stands on it. A materialised one is made anew, which takes as long as its
query does, and loses what stands on it outside of `mart`: the swap is refused then.
"""

from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from infra.errors import Conflicting
from infra.postgres.read_models.marts import GONE, MART
from projections import marts

# With nothing but the catalogue on the path, every other name in a definition is written with its schema.
_PLAIN_PATH = "SET LOCAL search_path = pg_catalog"
_VIEWS = """
    SELECT c.oid::bigint, c.relname::text, c.relkind = 'm', pg_get_viewdef(c.oid), obj_description(c.oid, 'pg_class'),
        ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = c.oid ORDER BY i.indexrelid),
        ARRAY(SELECT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
            FROM aclexplode(c.relacl) AS g WHERE g.privilege_type = 'SELECT' AND g.grantee <> c.relowner)
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('mart') AND c.relkind IN ('v', 'm') AND c.relname <> ALL(%s)
"""
_STANDS_ON = """
    SELECT DISTINCT r.ev_class::bigint, d.refobjid::bigint
    FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class = ANY(%(views)s) AND d.refobjid = ANY(%(views)s)
        AND d.refobjid <> r.ev_class
"""
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_REPLACE = sql.SQL("CREATE OR REPLACE VIEW {} AS {}")
_MATERIALISE = sql.SQL("CREATE MATERIALIZED VIEW {} AS {}")
_COMMENT = sql.SQL("COMMENT ON MATERIALIZED VIEW {} IS {}")
_GRANT = sql.SQL("GRANT SELECT ON {} TO {}")
_ASIDE = sql.SQL("CREATE SCHEMA IF NOT EXISTS {gone}; ALTER MATERIALIZED VIEW {name} SET SCHEMA {gone}")


class StandingView(NamedTuple):
    """A view of somebody's in `mart`: its query, and of a materialised one what has to be made again with it."""

    oid: int
    name: str
    is_materialised: bool
    query: str
    comment: str | None
    indexes: list[str]
    readers: list[str]

    @property
    def identifier(self) -> sql.Identifier:
        """Its name with its schema."""
        return sql.Identifier(MART, self.name)


def take(conn: psycopg.Connection) -> list[StandingView]:
    """The views of others in `mart`, each after those that it stands on; readers wait until the transaction ends."""
    conn.execute(_PLAIN_PATH)
    found = {row[0]: StandingView(*row) for row in conn.execute(_VIEWS, [[mart.name for mart in marts.MARTS]])}
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(found, ()))
    for view, on in conn.execute(_STANDS_ON, {"views": list(found)}).fetchall():
        sorter.add(view, on)
    ordered = [found[oid] for oid in sorter.static_order()]
    for view in ordered:
        if not view.is_materialised:
            conn.execute(_LOCK.format(view.identifier))
    return ordered


def put_back(conn: psycopg.Connection, views: Sequence[StandingView]) -> None:
    """Lets them stand on the tables that have the live names now; materialised ones as they were stand in `mart_gone`.

    Raises Conflicting, which names a view that cannot.
    """
    for view in views:
        if view.is_materialised:
            conn.execute(_ASIDE.format(gone=sql.Identifier(GONE), name=view.identifier))
    for view in views:
        try:
            _make(conn, view)
        except (errors.LockNotAvailable, psycopg.OperationalError):
            raise
        except psycopg.Error as error:
            told = error.diag.message_primary
            raise Conflicting(
                f"The view {MART}.{view.name}, which somebody has made, cannot stand on the new tables: {told}. "
                "Nothing was swapped; drop the view or correct it, and run the same command again."
            ) from error


def _make(conn: psycopg.Connection, view: StandingView) -> None:
    query = sql.SQL(view.query.rstrip().rstrip(";"))  # the catalogue's own text
    if not view.is_materialised:
        conn.execute(_REPLACE.format(view.identifier, query))
        return
    conn.execute(_MATERIALISE.format(view.identifier, query))
    for index in view.indexes:
        conn.execute(index.encode())
    if view.comment is not None:
        conn.execute(_COMMENT.format(view.identifier, sql.Literal(view.comment)))
    for reader in view.readers:
        conn.execute(_GRANT.format(view.identifier, sql.SQL(reader)))
