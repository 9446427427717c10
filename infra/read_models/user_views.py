"""Views that somebody has made by hand in the schema `mart`: a swap takes them along to the new tables.

A view stands on tables, whatever they are called later; the live tables are those of a name. So their definitions are
read before the renaming, while they name the live tables, and given again after it. A plain view is replaced and stays
itself, with its options, rights, comments, and what stands on it. A materialised one is made anew with all of these,
which takes as long as its query does, and loses what stands on it outside of `mart`: the swap is refused then.
"""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from replayhouse.infra.read_models.marts import GONE, MART
from replayhouse.infra.read_models.rights import clear
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.projections import marts

# With nothing but the catalogue on the path, every other name in a definition is written with its schema.
_PLAIN_PATH = "SET LOCAL search_path = pg_catalog"
_VIEWS = """
    SELECT c.oid::bigint, c.relname::text, c.relkind = 'm', c.relispopulated, pg_get_viewdef(c.oid),
        coalesce(c.reloptions, '{}'), pg_get_userbyid(c.relowner)::text
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('mart') AND c.relkind IN ('v', 'm') AND c.relname <> ALL(%s)
"""
_STANDING_ON = """
    WITH RECURSIVE standing (oid) AS (
        SELECT unnest(%s::oid[])
        UNION
        SELECT r.ev_class
        FROM standing
        JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = standing.oid
        JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    )
    SELECT oid::bigint FROM standing
"""
# What is lost with a materialised view, as statements that bring it back; the owner comes last, who may do all of it.
_BESIDES = """
    SELECT statement FROM (
        SELECT 1, indexrelid::bigint, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %(view)s::regclass
        UNION ALL
        SELECT 2, objsubid, CASE objsubid
            WHEN 0 THEN format('COMMENT ON MATERIALIZED VIEW %%s IS %%L', %(view)s::text, description)
            ELSE format('COMMENT ON COLUMN %%s.%%I IS %%L', %(view)s::text, attname, description) END
        FROM pg_description LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
        WHERE classoid = 'pg_class'::regclass AND objoid = %(view)s::regclass
        UNION ALL
        SELECT 3, 0, format('GRANT %%s ON %%s TO %%s%%s', privilege_type, %(view)s::text,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = %(view)s::regclass AND grantee <> relowner
        UNION ALL
        SELECT 3, attnum, format('GRANT %%s (%%I) ON %%s TO %%s%%s', privilege_type, attname, %(view)s::text,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
        WHERE pg_class.oid = %(view)s::regclass AND grantee <> relowner
        UNION ALL
        SELECT 4, 0, format('ALTER MATERIALIZED VIEW %%s OWNER TO %%s', %(view)s::text, relowner::regrole)
        FROM pg_class WHERE oid = %(view)s::regclass
    ) AS besides (kind, place, statement)
    ORDER BY kind, place
"""
_STANDS_ON = """
    SELECT DISTINCT r.ev_class::bigint, d.refobjid::bigint
    FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class = ANY(%(views)s) AND d.refobjid = ANY(%(views)s)
        AND d.refobjid <> r.ev_class
"""
# Locks the view, and changes nothing. LOCK TABLE goes on to what it stands on, with the rights of its owner, who may
# only read that.
_LOCK = sql.SQL("ALTER VIEW {} OWNER TO {}")
_REPLACE = sql.SQL("CREATE OR REPLACE VIEW {}{} AS {}")
_MATERIALISE = sql.SQL("CREATE MATERIALIZED VIEW {}{} AS {} WITH {}")
_ASIDE = sql.SQL("CREATE SCHEMA IF NOT EXISTS {gone}; ALTER MATERIALIZED VIEW {name} SET SCHEMA {gone}")


class StandingView(NamedTuple):
    """A view of somebody's in `mart`: query, options and owner, and what brings back the rest of a materialised one."""

    oid: int
    name: str
    is_materialised: bool
    is_populated: bool
    query: str
    options: list[str]
    owner: str
    besides: Sequence[str] = ()

    @property
    def identifier(self) -> sql.Identifier:
        """Its name with its schema."""
        return sql.Identifier(MART, self.name)


def take(conn: psycopg.Connection, on: Iterable[int] | None = None) -> list[StandingView]:
    """The views of others in `mart`, each after those that it stands on; readers wait until the transaction ends.

    With `on`, numbers in pg_class, only those that stand on one of these, by others too.
    """
    conn.execute(_PLAIN_PATH)
    found = {row[0]: StandingView(*row) for row in conn.execute(_VIEWS, [[mart.name for mart in marts.MARTS]])}
    if on is not None and found:
        standing = {oid for (oid,) in conn.execute(_STANDING_ON, [list(on)])}
        found = {oid: view for oid, view in found.items() if oid in standing}
    if not found:
        return []
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(found, ()))
    for above, below in conn.execute(_STANDS_ON, {"views": list(found)}).fetchall():
        sorter.add(above, below)
    ordered = [found[oid] for oid in sorter.static_order()]
    for view in reversed(ordered):
        if not view.is_materialised:
            conn.execute(_LOCK.format(view.identifier, sql.Identifier(view.owner)))
    return [_with_besides(conn, view) if view.is_materialised else view for view in ordered]


def _with_besides(conn: psycopg.Connection, view: StandingView) -> StandingView:
    rows = conn.execute(_BESIDES, {"view": view.identifier.as_string(conn)}).fetchall()
    return view._replace(besides=[statement for (statement,) in rows])


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
        conn.execute(_REPLACE.format(view.identifier, _options(view), query))
        return
    data = sql.SQL("DATA" if view.is_populated else "NO DATA")
    conn.execute(_MATERIALISE.format(view.identifier, _options(view), query, data))
    clear(conn, MART, view.name)
    for statement in view.besides:
        conn.execute(statement.encode())


def _options(view: StandingView) -> sql.Composable:
    """Such as security_barrier: a view that is replaced without them loses them."""
    if not view.options:
        return sql.SQL("")
    pairs = (option.partition("=") for option in view.options)
    told = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, _, value in pairs]
    return sql.SQL(" WITH ({})").format(sql.SQL(", ").join(told))
