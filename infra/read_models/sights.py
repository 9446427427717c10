"""The views through which roles see what they may, made where tables and marts stand: `replayhouse.projections.sights`.

A view stands on a table, whatever that is called later. So those on the live tables are replaced in the transaction in
which other tables take their place; each stays itself, with its rights. They are the owner's, who alone has rights on
the tables, and let no condition of a reader's see a row before theirs has (`security_barrier`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import errors, sql

from replayhouse.infra.postgres.roles import READER, act_as, grant_on
from replayhouse.infra.read_models import rights
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.identity import Role
from replayhouse.projections.sights import ANALYSTS, MARKETING, MART, SIGHTS, STATE, Relation, Sight, mask, relations
from replayhouse.projections.warehouse import PROJECTIONS

PLACES = (*PROJECTIONS, "shared", MART)
"""Where relations are."""

_SIGHT_OF = {
    Role.ANALYST: ANALYSTS,
    Role.AUDITOR: ANALYSTS,
    Role.STEWARD: ANALYSTS,
    Role.MARKETING: MARKETING,
}
_FIND_IN = "SELECT set_config('search_path', %s, true)"
_STANDS = "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL"
_ARE_THERE = """
    SELECT count(*) = cardinality(%(schemas)s::text[]) FROM pg_namespace AS n
    WHERE n.nspname = ANY(%(schemas)s) AND EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
"""
_COLUMNS = """
    SELECT n.nspname::text, c.relname::text, jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)),
        array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_namespace AS n
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'm')
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = ANY(%s)
    GROUP BY 1, 2
"""
_STANDING = """
    SELECT nspname::text, relname::text FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
    WHERE nspname = ANY(%s) AND relkind = 'v' AND relname = ANY(%s)
"""
_OURS = """
    SELECT relname::text FROM pg_class
    WHERE relnamespace = to_regnamespace(%s) AND relkind = 'v' AND obj_description(oid, 'pg_class') = %s
"""
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_CREATE_SCHEMA = sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}; COMMENT ON SCHEMA {schema} IS {comment}")
_VIEW = sql.SQL("CREATE OR REPLACE VIEW {} WITH (security_barrier = true) AS SELECT {} FROM {}{}")
_COMMENT = sql.SQL("COMMENT ON VIEW {} IS {}")
_DROP = sql.SQL("DROP VIEW {}")
# Whoever has the rights of a role that the table names. One that is no more is nobody's.
_OWN_STATES = sql.SQL("""
    WHERE {} IN (
        SELECT own.state FROM read_model.marketing_region AS own
        WHERE pg_has_role(to_regrole(quote_ident(own.member)), 'USAGE')
    )
""")


def sight_of(role: Role) -> Sight | None:
    """What people see of read models who ask as this role; None: all of it, as it is."""
    return _SIGHT_OF.get(role)


@contextmanager
def looking_through(conn: psycopg.Connection, sight: Sight, marts: str) -> Iterator[str]:
    """In the block a transaction sees no more of read models than a sight shows, and finds that by names alone.

    `marts` is the schema of the marts of which those are views, live or under a prefix; the schema with the views is
    given. Raises Conflicting where there are none.
    """
    schema = marts.removesuffix(MART) + sight.schema
    if conn.execute(_STANDS, [schema]).fetchone() != (True,):
        raise Conflicting(
            f"There are no views {schema} of what stands there, as an earlier version of the program made it: make it "
            "again with replayhouse rebuild --into."
        )
    with conn.transaction(force_rollback=True):  # so the role and the path are again what they were
        act_as(conn, sight.role)
        path = sql.SQL(", ").join(map(sql.Identifier, (schema, "pg_temp")))
        conn.execute(_FIND_IN, [path.as_string(conn)])
        yield schema


def are_shown(conn: psycopg.Connection) -> bool:
    """Whether the views on the live tables were ever made."""
    return conn.execute(_ARE_THERE, {"schemas": [sight.schema for sight in SIGHTS]}).fetchone() == (True,)


def hold(conn: psycopg.Connection, places: Iterable[str]) -> None:
    """Keeps readers off the views on the live tables of these places, until the transaction ends that exchanges them.

    As readers take them, views come before tables: who held one meanwhile would see the old tables through it.
    """
    names = [relation.name for relation in relations() if relation.place in set(places)]
    there = conn.execute(_STANDING, [[sight.schema for sight in SIGHTS], names]).fetchall()
    if there:
        conn.execute(_LOCK.format(sql.SQL(", ").join(sql.Identifier(*view) for view in there)))


def show(conn: psycopg.Connection, places: Iterable[str] = PLACES) -> None:
    """Lets the views of these places stand on what is live now, within the transaction that makes it so.

    There is no view on a table that is not there, or has other columns than this program would give it. Raises
    Conflicting where a view of others stands on one that must go.
    """
    wanted = set(places)
    for sight in SIGHTS:
        _make(conn, sight, sight.schema, {place: place for place in PLACES if place in wanted})


def show_under(conn: psycopg.Connection, schemas: Mapping[str, str], prefix: str) -> None:
    """Makes the same beside the tables of a prefix, which stand in these schemas, by place; within a transaction."""
    for sight in SIGHTS:
        _make(conn, sight, f"{prefix}_{sight.schema}", schemas)


def _make(conn: psycopg.Connection, sight: Sight, schema: str, schemas: Mapping[str, str]) -> None:
    conn.execute(_CREATE_SCHEMA.format(schema=sql.Identifier(schema), comment=sql.Literal(sight.comment)))
    there = _columns_in(conn, {schema, *schemas.values()})
    known = list(relations())
    concerned = [one for one in known if one.place in schemas and sight.shows(one)]
    stands_on = {one.name: there.get((schemas[one.place], one.name), {}) for one in concerned}
    shown = [one for one in concerned if stands_on[one.name].keys() >= set(one.columns)]
    wanted = {one.name: {column: stands_on[one.name][column] for column in one.columns} for one in shown}
    standing = {one.name: there[schema, one.name] for one in concerned if (schema, one.name) in there}
    gone = [name for name, columns in standing.items() if list(columns.items()) != list(wanted.get(name, {}).items())]
    ours = {name for (name,) in conn.execute(_OURS, [schema, sight.comment]).fetchall()}
    former = rights.take(conn, schema) if gone else None
    _drop(conn, schema, [*gone, *(ours - {one.name for one in known})])
    if shown:
        views = (_view(sight, schema, schemas[one.place], one, wanted[one.name]) for one in shown)
        conn.execute(sql.SQL(";").join(views))
    new = [one.name for one in shown if one.name not in standing or one.name in gone]
    if new:
        comment = sql.Literal(sight.comment)
        conn.execute(sql.SQL(";").join(_COMMENT.format(sql.Identifier(schema, name), comment) for name in new))
    _grant(conn, sight, schema, [name for name in new if name not in gone])
    if former is not None:
        rights.put_back(conn, former, gone)


def _columns_in(conn: psycopg.Connection, schemas: Collection[str]) -> dict[tuple[str, str], dict[str, str]]:
    """By schema and relation its columns in their order, each with its type."""
    return {
        (schema, name): {column: types[column] for column in columns}
        for schema, name, types, columns in conn.execute(_COLUMNS, [list(schemas)]).fetchall()
    }


def _drop(conn: psycopg.Connection, schema: str, names: Iterable[str]) -> None:
    for name in names:
        try:
            conn.execute(_DROP.format(sql.Identifier(schema, name)))
        except errors.DependentObjectsStillExist as error:
            raise Conflicting(
                f"Views of others stand on {schema}.{name}, which must be made anew with other columns: drop them "
                f"first. {error.diag.message_detail}"
            ) from error


def _view(sight: Sight, schema: str, stands_in: str, relation: Relation, types: Mapping[str, str]) -> sql.Composed:
    selected = sql.SQL(", ").join(_selected(relation, column, types[column]) for column in relation.columns)
    limit = _OWN_STATES.format(sql.Identifier(relation.name, STATE)) if sight.limits(relation) else sql.SQL("")
    view, table = (sql.Identifier(place, relation.name) for place in (schema, stands_in))
    return _VIEW.format(view, selected, table, limit)


def _selected(relation: Relation, column: str, kind: str) -> sql.Composable:
    """A column of a view. What is null does not stand on the table's: its samples can be removed on any server."""
    name = sql.Identifier(column)
    if column not in relation.personal:
        return name
    masked = mask(column)
    # The name of a type is the server's own word, and the rest ours.
    shown = sql.SQL(f"NULL::{kind}") if masked is None else sql.SQL(masked).format(name)
    return sql.SQL("{} AS {}").format(shown, name)


def _grant(conn: psycopg.Connection, sight: Sight, schema: str, names: list[str]) -> None:
    for role in (sight.role, READER):
        grant_on(conn, schema, names, role)
