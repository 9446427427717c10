"""The settings of a PostgreSQL session that an inbox depends on, whatever a role, a database or the environment sets.

Where names are looked up (`search_path`), what policies hide and how tables are kept is left to you: the handlers'
tables are yours.
"""

from collections.abc import Mapping

import psycopg
from psycopg import conninfo

from replayhouse_consumer.errors import Refused

CONNECT_SECONDS = 10

SETTINGS: Mapping[str, str] = {
    "lock_timeout": "10s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "5min",  # one that is halted half-way holds its partitions no longer
    "idle_session_timeout": "0",
    "exit_on_error": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
}
"""Sent behind the options of the URL."""

A_POOLER = (
    "Before the server of the inbox stands a pooler, such as PgBouncer: name the server itself, for an inbox needs "
    "sessions of its own"
)

_SENT_LATER_BY_LIBPQ = ("DateStyle", "TimeZone")  # PGDATESTYLE and PGTZ come behind all options
_OF_LATER_SERVERS = {"transaction_timeout": "0"}  # PostgreSQL 17
_IN_FORCE = "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) AS name"
_SET = "SELECT set_config(%s, %s, false)"


def connect(url: str, application: str) -> psycopg.Connection:
    """A connection in autocommit with these settings. Raises Refused where they cannot be had."""
    given = conninfo.conninfo_to_dict(url).get("options")
    ours = ["-c " + f"{name}={value}".replace(" ", "\\ ") for name, value in SETTINGS.items()]
    db = psycopg.connect(
        url,
        autocommit=True,
        application_name=application,
        connect_timeout=CONNECT_SECONDS,
        client_encoding=SETTINGS["client_encoding"],
        options=" ".join([str(given), *ours] if given else ours),
    )
    try:
        _settle(db)
    except BaseException:
        db.close()
        raise
    return db


def refuse_read_only(db: psycopg.Connection) -> None:
    """Raises Refused where nothing can be written."""
    if any(db.info.parameter_status(name) == "on" for name in ("in_hot_standby", "default_transaction_read_only")):
        raise Refused("The database of the inbox takes no writes: its server is a standby, or read-only by default.")


def _settle(db: psycopg.Connection) -> None:
    """Looks at what is in force, and sets what could not be sent before."""
    encoding = db.info.parameter_status("server_encoding")
    if encoding != SETTINGS["client_encoding"]:
        raise Refused(f"The database of the inbox keeps its texts in {encoding}: make it in UTF8.")
    wanted = {**SETTINGS, **_OF_LATER_SERVERS}
    found: dict[str, str | None] = dict(db.execute(_IN_FORCE, [list(wanted)]).fetchall())
    for name, value in wanted.items():
        if found[name] in (value, None):
            continue
        if name in SETTINGS and name not in _SENT_LATER_BY_LIBPQ:
            raise Refused(f"{A_POOLER} ({name} is {found[name]} and was to be {value}).")
        db.execute(_SET, [name, value])
