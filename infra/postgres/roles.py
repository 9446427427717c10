"""The roles of others than the program's own user: whether they have their rights, and what it takes where they do not.

Not everybody may make roles. The warehouse works without; but then somebody has to be told, once, what is missing and
who can do what about it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.migrate import make_roles
from replayhouse.infra.runtime.identity import Role

READER, STEWARD = "replayhouse_reader", "replayhouse_steward"
ROLES: Mapping[str, str] = {
    "replayhouse_owner": "owns the schema of the log, and may do all",
    "replayhouse_writer": "appends to the log",
    READER: "reads all but the keys",
    "replayhouse_analyst": "reads the schema masked: all rows, personal columns masked",
    "replayhouse_marketing": "reads the schema regional: the rows of their own states, personal columns masked",
    "replayhouse_auditor": "reads the log and what proves it, not the keys",
    STEWARD: "reads the loads, their checks and the quarantine",
}
"""The roles that people are given, and what each may do. None of them can log in."""

ACTED_AS: Mapping[Role, str] = {role: f"replayhouse_{role}" for role in Role if role is not Role.OWNER}
"""As which role of the database it is read what somebody asks for who is no owner."""

_OF_ALL_IN = {"replayhouse_analyst": "masked", "replayhouse_marketing": "regional", STEWARD: "quality"}
"""Who reads everything in a schema, beside the readers."""

# Each role that is there for people has been let into a schema when it was given its rights.
_HAS_RIGHTS = """
    SELECT bool_and(CASE WHEN to_regrole(role) IS NULL THEN false
        WHEN to_regnamespace(schema) IS NULL THEN true
        ELSE has_schema_privilege(role, schema, 'USAGE') END)
    FROM unnest(%s::text[], %s::text[]) AS wanted (role, schema)
"""
_MISSING = "SELECT role FROM unnest(%s::text[]) AS role WHERE to_regrole(role) IS NULL"
_USER = """
    SELECT current_user::text, current_database()::text,
        (SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database())
"""
_READ = sql.SQL(
    "GRANT USAGE ON SCHEMA {schemas} TO {role};\n    GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {role};"
)
_SHOWN = sql.SQL(", ").join(map(sql.Identifier, (*CONTEXTS, "shared", "mart")))
_ACT_AS = sql.SQL("SET LOCAL ROLE {}")
_EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = %s"
_ADMIT = sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}")
_GRANT = sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
_GRANT_ON = sql.SQL("GRANT SELECT ON {relations} TO {role}")


class Lacking(NamedTuple):
    """What an administrator has to do: which roles to make, and for whom, in which database."""

    roles: tuple[str, ...]
    user: str
    database: str
    is_owner: bool

    @property
    def recipe(self) -> str:
        """What is missing and what to do, in some lines for people, with statements to be copied."""
        user, database = sql.Identifier(self.user), sql.Identifier(self.database)
        statements: list[sql.Composable] = [sql.SQL("CREATE ROLE {};").format(sql.Identifier(r)) for r in self.roles]
        statements.append(sql.SQL("GRANT replayhouse_owner TO {};").format(user))
        if not self.is_owner:
            statements.append(sql.SQL("GRANT CREATE ON DATABASE {} TO {} WITH GRANT OPTION;").format(database, user))
        lines = "\n".join(f"    {statement.as_string()}" for statement in statements)
        by_hand = _READ.format(schemas=_SHOWN, role=sql.Identifier("analyst")).as_string()
        return (
            f"The database user {self.user} may not make roles, so those for people who only read or append were left "
            f"out. All else works. An administrator makes them, in the database {self.database}:\n\n{lines}\n\n"
            "Then replayhouse db start gives them their rights. Or give a role of your own, here analyst, what it "
            f"needs once the first load is in; it stays through every rebuild:\n\n    {by_hand}"
        )


def lacking(conn: psycopg.Connection) -> Lacking | None:
    """What is missing where a role is, or has no rights on the warehouse; None where nothing is."""
    admitted = {READER: "event_store", "replayhouse_auditor": "event_store", **_OF_ALL_IN}
    if conn.execute(_HAS_RIGHTS, [list(admitted), list(admitted.values())]).fetchone() == (True,):
        return None
    row = conn.execute(_USER).fetchone()
    assert row is not None  # functions always give a row
    missing = tuple(role for (role,) in conn.execute(_MISSING, [list(ROLES)]).fetchall())
    return Lacking(missing, *row)


def complete(conn: psycopg.Connection) -> Lacking | None:
    """Gives the roles their rights, on read models that stand too, if they have none; what is missing after that."""
    if lacking(conn) is None:
        return None
    make_roles(conn)
    of_readers = [(READER, schema) for schema in (*CONTEXTS, "shared", "mart", "read_model", "masked", "regional")]
    for role, schema in (*of_readers, *_OF_ALL_IN.items()):
        if conn.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema]).fetchone() == (True,):
            grant(conn, schema, role)
    return lacking(conn)


def grant(conn: psycopg.Connection, schema: str, role: str = READER) -> None:
    """Lets the readers, or another role, read everything in the schema, if there is such a role."""
    if _is_there(conn, role):
        conn.execute(_GRANT.format(schema=sql.Identifier(schema), role=sql.Identifier(role)))


def grant_on(conn: psycopg.Connection, schema: str, relations: Sequence[str], role: str = READER) -> None:
    """Lets the readers, or another role, read some tables or views of a schema, if there is such a role."""
    if relations and _is_there(conn, role):
        names = sql.SQL(", ").join(sql.Identifier(schema, relation) for relation in relations)
        conn.execute(_ADMIT.format(schema=sql.Identifier(schema), role=sql.Identifier(role)))
        conn.execute(_GRANT_ON.format(relations=names, role=sql.Identifier(role)))


def act_as(conn: psycopg.Connection, role: str) -> None:
    """Lets what follows in the transaction be done as a role of the database.

    Raises ValueError outside of a transaction, where it would be without effect.
    """
    if conn.autocommit and conn.info.transaction_status is TransactionStatus.IDLE:
        raise ValueError("a role is acted as until a transaction ends, and there is none")
    conn.execute(_ACT_AS.format(sql.Identifier(role)))


def _is_there(conn: psycopg.Connection, role: str) -> bool:
    return conn.execute(_EXISTS, [role]).fetchone() is not None
