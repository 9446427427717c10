"""What a role, a database, an environment or a URL may set of a session, each as far as can be from what we rely on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from replayhouse.infra.postgres.connection import Database

SETTINGS: Mapping[str, str] = {
    "client_encoding": "LATIN1",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "America/Sao_Paulo",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "quote_all_identifiers": "on",
    "search_path": "information_schema, pg_catalog",
    "row_security": "on",
    "default_table_access_method": "hostile",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "exit_on_error": "on",
    "transaction_timeout": "1min",  # set after connecting: a statement of ours runs under it
    "session_replication_role": "replica",
    "synchronous_commit": "off",
}

ENVIRONMENT: Mapping[str, str] = {
    "PGCLIENTENCODING": "LATIN1",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "America/Sao_Paulo",
    "PGGEQO": "off",
    "PGOPTIONS": "-c IntervalStyle=sql_standard -c statement_timeout=1ms -c extra_float_digits=-15",
    "PGAPPNAME": "somebody",
}

MAKE_METHOD = "CREATE ACCESS METHOD hostile TYPE TABLE HANDLER heap_tableam_handler"
ALTER_DATABASE = "ALTER DATABASE {name} SET {setting} = {value}"
ALTER_ROLE = "ALTER ROLE {role} IN DATABASE {name} SET {setting} = {value}"


def in_url(database: Database, settings: Mapping[str, str] = SETTINGS) -> Database:
    """The database by a URL that says them."""
    told = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())
    return Database(f"{database.url}&options={quote(told)}")


def set_by(database: Database, alter: str, settings: Mapping[str, str] = SETTINGS) -> None:
    """Makes them the database's own, or its role's."""
    with undisturbed(make_conninfo(database.url, dbname="postgres")) as conn:
        for setting, value in settings.items():
            if setting == "search_path":
                value_of: sql.Composable = sql.SQL(", ").join(map(sql.Identifier, value.split(", ")))
            else:
                value_of = sql.Literal(value)
            conn.execute(
                sql.SQL(alter).format(
                    name=sql.Identifier(_name_of(database)),
                    role=sql.Identifier(conn.info.user),
                    setting=sql.Identifier(setting),
                    value=value_of,
                )
            )


@contextmanager
def undisturbed(url: str) -> Iterator[psycopg.Connection]:
    """A connection that knows nothing of the program, and to which none of the settings matters."""
    ended = "-c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0 -c search_path=pg_catalog"
    given = f"{ended} -c quote_all_identifiers=off -c transform_null_equals=off -c datestyle=ISO"
    with psycopg.connect(url, autocommit=True, client_encoding="UTF8", options=given) as conn:
        yield conn


def _name_of(database: Database) -> str:
    return str(conninfo_to_dict(database.url)["dbname"])
