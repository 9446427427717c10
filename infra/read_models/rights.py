"""Who may do what with the live read models: a swap takes rights and row policies along to the tables that come.

What somebody was granted, on a schema, a table, a view or a column, is granted on what has the same name afterwards;
what was revoked does not come back. The rights of an owner are none that were granted; a comment is the program's own.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql

_RIGHTS = """
    SELECT kind, name, part, privilege, pg_get_userbyid(nullif(grantee, 0))::text, bool_or(is_grantable)
    FROM (
        SELECT 'schema', NULL, NULL, a.privilege_type, a.grantee, a.is_grantable
        FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
        WHERE n.nspname = %(schema)s AND a.grantee <> n.nspowner
        UNION ALL
        SELECT 'relation', c.relname::text, NULL, a.privilege_type, a.grantee, a.is_grantable
        FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'v', 'm') AND a.grantee <> c.relowner
        UNION ALL
        SELECT 'column', c.relname::text, t.attname::text, a.privilege_type, a.grantee, a.is_grantable
        FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid AND NOT t.attisdropped,
            aclexplode(t.attacl) AS a
        WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'v', 'm') AND a.grantee <> c.relowner
        UNION ALL
        SELECT 'default', pg_get_userbyid(d.defaclrole)::text, d.defaclobjtype::text, a.privilege_type, a.grantee,
            a.is_grantable
        FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS a
        WHERE d.defaclnamespace = to_regnamespace(%(schema)s) AND pg_has_role(d.defaclrole, 'USAGE')
    ) AS given (kind, name, part, privilege, grantee, is_grantable)
    GROUP BY kind, name, part, privilege, grantee
"""
_COLUMNS = """
    SELECT c.relname::text, array_agg(a.attname::text)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'v', 'm')
    GROUP BY c.relname
"""
# With nothing but the catalogue on the path, tables in a condition are written with their schema.
_PLAIN_PATH = "SET LOCAL search_path = pg_catalog"
_POLICIES = """
    SELECT c.relname::text, p.polname::text,
        format('CREATE POLICY %%I ON %%I.%%I AS %%s FOR %%s TO %%s', p.polname, %(schema)s::text, c.relname,
            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                ELSE 'ALL' END,
            (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
             FROM unnest(p.polroles) AS r))
        || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
        || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s)
    ORDER BY 1, 2
"""
_GUARDED = """
    SELECT relname::text, relrowsecurity, relforcerowsecurity FROM pg_class
    WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' AND (relrowsecurity OR relforcerowsecurity)
"""
_GRANT = sql.SQL("GRANT {privilege} ON {place} TO {grantee}{option}")
_REVOKE = sql.SQL("REVOKE {privilege} ON {place} FROM {grantee} CASCADE")
_DEFAULT = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA {schema} {change}")
_DROP_POLICY = sql.SQL("DROP POLICY {policy} ON {table}")
_GUARD = sql.SQL("ALTER TABLE {table} {enable} ROW LEVEL SECURITY, {force} ROW LEVEL SECURITY")

Statement = sql.SQL | sql.Composed
"""Something to be executed as it is."""

_KINDS = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES"}


class Right(NamedTuple):
    """Something that somebody may do; `grantee` None is everybody.

    `kind` is schema, relation, column (`part` of the relation `name`), or default: what comes with the things (of the
    kind `part`) that the role `name` makes in the schema.
    """

    kind: str
    name: str | None
    part: str | None
    privilege: str
    grantee: str | None
    is_grantable: bool


class Policy(NamedTuple):
    """A row policy, and the statement that makes it."""

    table: str
    name: str
    statement: str


class Rights(NamedTuple):
    """What was given on a schema and what stands in it. `columns` are those of each relation there."""

    schema: str
    given: frozenset[Right]
    columns: dict[str, list[str]]
    policies: list[Policy]
    guarded: dict[str, tuple[bool, bool]]


def take(conn: psycopg.Connection, schema: str) -> Rights:
    """What is given on a schema; within a transaction, and before anything is renamed."""
    conn.execute(_PLAIN_PATH)
    return Rights(
        schema,
        frozenset(Right(*row) for row in conn.execute(_RIGHTS, {"schema": schema}).fetchall()),
        dict(conn.execute(_COLUMNS, [schema]).fetchall()),
        [Policy(*row) for row in conn.execute(_POLICIES, {"schema": schema}).fetchall()],
        {table: (is_on, is_forced) for table, is_on, is_forced in conn.execute(_GUARDED, [schema]).fetchall()},
    )


def carried(former: Rights, now: Rights, relations: Iterable[str] | None = None) -> list[Statement]:
    """What gives the same on what is to have the name of the former schema; the rest given there is taken away.

    With `relations`, on these alone. A relation that was not there before keeps what it has, and gets what the schema
    says new ones get.
    """
    known = former.columns.keys() & (now.columns.keys() if relations is None else set(relations) & now.columns.keys())
    is_whole = relations is None

    def concerns(right: Right) -> bool:
        return right.name in known if right.kind in ("relation", "column") else is_whole

    wanted = {right for right in former.given if concerns(right) and _stands(right, now.columns)}
    if is_whole:
        wanted |= _for_new_ones(former, now)
    there = {right for right in now.given if concerns(right)}
    statements: list[Statement] = []
    if wanted - there or there - wanted:
        # Taking a right on a table away takes it away on its columns too: so all that is wanted is given again.
        statements += [_statement(_REVOKE, former.schema, right) for right in sorted(there - wanted, key=repr)]
        statements += [_statement(_GRANT, former.schema, right) for right in sorted(wanted, key=repr)]
    return [*statements, *_policies(former, now, known)]


def put_back(conn: psycopg.Connection, former: Rights, relations: Iterable[str] | None = None) -> None:
    """Gives the same on what has the name of the schema now, and takes the rest away: see `carried`."""
    for statement in carried(former, take(conn, former.schema), relations):
        conn.execute(statement)


def clear(conn: psycopg.Connection, schema: str, relation: str) -> None:
    """Takes away what new relations get by default."""
    rights = take(conn, schema)
    given = [right for right in rights.given if right.name == relation and right.kind in ("relation", "column")]
    for right in given:
        conn.execute(_statement(_REVOKE, schema, right))


def _stands(right: Right, columns: dict[str, list[str]]) -> bool:
    return right.kind != "column" or right.part in columns[str(right.name)]


def _for_new_ones(former: Rights, now: Rights) -> set[Right]:
    """What relations get that were not there before, by the default privileges of the schema."""
    defaults = [right for right in former.given if right.kind == "default" and right.part == "r"]
    new = now.columns.keys() - former.columns.keys()
    return {right._replace(kind="relation", name=name, part=None) for right in defaults for name in new}


def _statement(form: sql.SQL, schema: str, right: Right) -> sql.Composed:
    place: sql.Composable = sql.Identifier(schema, str(right.name))
    privilege: sql.Composable = sql.SQL(right.privilege)  # one of PostgreSQL's own words
    if right.kind == "schema":
        place = sql.SQL("SCHEMA {}").format(sql.Identifier(schema))
    elif right.kind == "column":
        privilege = sql.SQL("{} ({})").format(privilege, sql.Identifier(str(right.part)))
    elif right.kind == "default":
        place = sql.SQL(_KINDS[str(right.part)])
    statement = form.format(
        privilege=privilege,
        place=place,
        grantee=sql.SQL("PUBLIC") if right.grantee is None else sql.Identifier(right.grantee),
        option=sql.SQL(" WITH GRANT OPTION" if right.is_grantable else ""),
    )
    if right.kind == "default":
        return _DEFAULT.format(role=sql.Identifier(str(right.name)), schema=sql.Identifier(schema), change=statement)
    return statement


def _policies(former: Rights, now: Rights, known: Iterable[str]) -> Sequence[Statement]:
    statements: list[Statement] = []
    for table in sorted(known):
        name = sql.Identifier(former.schema, table)
        statements += [
            _DROP_POLICY.format(policy=sql.Identifier(policy.name), table=name)
            for policy in now.policies
            if policy.table == table
        ]
        statements += [sql.SQL(policy.statement) for policy in former.policies if policy.table == table]
        is_on, is_forced = former.guarded.get(table, (False, False))
        if (is_on, is_forced) != now.guarded.get(table, (False, False)):
            enable, force = sql.SQL("ENABLE" if is_on else "DISABLE"), sql.SQL("FORCE" if is_forced else "NO FORCE")
            statements.append(_GUARD.format(table=name, enable=enable, force=force))
    return statements
