"""The settings of a session that answers depend on, in one place: what is not said here is left to the server.

A role, a database, a service file, the environment or a URL may set any of them. Ours are sent as a connection is made,
behind what its URL says, and then asked for: what came even later is set once more, and who keeps them from the server
(a pooler) is found out. Whether a session may write is not among them: that is for the server to say, and for the URL.

libpq reads more than settings from its variables (`PGSERVICE`, `PGHOSTADDR`, ...). The embedded server needs none of
them, and is reached with none.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import pq

from replayhouse.infra.runtime.errors import Unreachable, WrongServer

SETTINGS: Mapping[str, str] = {
    # How long anything may take, only waiting for a lock ends by itself, and what a transaction sees.
    "lock_timeout": "10s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "exit_on_error": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # How texts and values are written and read.
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    # Which tables are meant, how they are kept, and that no row is passed over: a policy that hides any is an error.
    "search_path": "",
    "row_security": "off",
    "default_table_access_method": "heap",
}
"""What every session of ours begins with, spelled as the server does; any user may set them, from PostgreSQL 16 on."""

LATER: Mapping[str, str] = {
    "transaction_timeout": "0",  # since PostgreSQL 17: an older server lets nobody in who sends it
    "session_replication_role": "origin",  # a superuser's, who alone can have changed it
    "synchronous_commit": "on",  # only where it is off: then a commit may be lost of which others have been told
}
"""Set after connecting where they are otherwise, for to send them might keep us out."""

READ_ONLY = (
    "The database takes no writes, for its server is a standby, or default_transaction_read_only is on ({why}): name "
    "the server that takes writes. Commands that only read work here too where its schema is up to date."
)
"""What a command that writes says then."""

OVERRULING = {"PGDATESTYLE": "DateStyle", "PGTZ": "TimeZone"}
"""Variables that libpq sends behind all options, and what they set."""

_WITH_TRANSACTION_TIMEOUT = 17
_STRONG_ENOUGH = ("on", "local", "remote_write", "remote_apply", None)
_OF_POOLERS = ("unsupported startup parameter", "command-line options")
_IN_FORCE = "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) AS name"
_SET = "SELECT set_config(%s, %s, false)"
_OVERRULED_BY_A_URL = {"PGHOSTADDR", "PGOPTIONS", "PGREQUIREAUTH", "PGREQUIREPEER", "PGCHANNELBINDING", "PGGSSENCMODE"}
_OVERRULED_BY_A_URL |= {"PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLMINPROTOCOLVERSION"}
_OVERRULED_BY_A_URL |= {"PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS"}
_VARIABLE = re.compile(r"PG[A-Z][A-Z_]*")

_forgotten: set[str] = set()
"""Variables that stood in our environment."""


def options(given: object = None, server: int = 0) -> str:
    """The `options` of a connection: those of its URL, then ours. `server` is its major version, where it is known."""
    ours = {name: value for name, value in SETTINGS.items() if name != "client_encoding"}  # has a keyword of its own
    if server >= _WITH_TRANSACTION_TIMEOUT:
        ours["transaction_timeout"] = LATER["transaction_timeout"]
    sent = ["-c " + f"{name}={value}".replace(" ", "\\ ") for name, value in ours.items()]
    return " ".join([str(given), *sent] if given else sent)


def settle(conn: psycopg.Connection) -> None:
    """Looks at what is in force in a new session, in autocommit, and sets what could not be sent before.

    Raises WrongServer where what was sent has not arrived.
    """
    found: dict[str, str | None] = dict(conn.execute(_IN_FORCE, [[*SETTINGS, *LATER]]).fetchall())
    for name, value in SETTINGS.items():
        if found[name] != value:
            if name not in OVERRULING.values():
                raise pooler(f"{name} is {found[name]} and was to be {value}")
            conn.execute(_SET, [name, value])
    for name, value in LATER.items():
        good = _STRONG_ENOUGH if name == "synchronous_commit" else (value, None)
        if found[name] not in good:
            conn.execute(_SET, [name, value])


def refuse_other_encodings(conn: psycopg.Connection) -> None:
    """Raises WrongServer unless the database keeps its texts in UTF-8."""
    encoding = conn.info.parameter_status("server_encoding")
    if encoding != SETTINGS["client_encoding"]:
        raise WrongServer(
            f"The database {conn.info.dbname} keeps its texts in {encoding}, and replayhouse needs UTF8: make one with "
            "CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8', and name it in REPLAYHOUSE_DATABASE_URL."
        )


def refuse_read_only(conn: psycopg.Connection, why: str) -> None:
    """Raises Unreachable where the session could not write, as the server says of itself."""
    said = ("in_hot_standby", "default_transaction_read_only")
    if any(conn.info.parameter_status(name) == "on" for name in said):
        raise Unreachable(READ_ONLY.format(why=why))


def pooler(why: str) -> WrongServer:
    """What to say of a pooler that has shown itself so."""
    return WrongServer(
        f"Between replayhouse and the server stands a pooler, such as PgBouncer ({why}): name the server itself, with "
        "its own host and port, for every command needs a session of its own."
    )


def is_of_a_pooler(refusal: str) -> bool:
    """Whether a connection that was refused in these words was refused by a pooler."""
    return any(words in refusal for words in _OF_POOLERS)


def without_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the variables that libpq reads, in whichever version."""
    return {name: value for name, value in environment.items() if not _VARIABLE.fullmatch(name)}


def forget_variables() -> None:
    """Takes libpq's variables out of our own environment: no URL can overrule all of them (`PGSERVICE`)."""
    for name in os.environ.keys() - without_variables(os.environ).keys():
        _forgotten.add(name)
        del os.environ[name]


@contextmanager
def variables_kept() -> Iterator[None]:
    """What is forgotten in the block is known again after it: the embedded server is not the only one in play."""
    before, known = {**os.environ}, set(_forgotten)
    try:
        yield
    finally:
        os.environ.update({name: before[name] for name in _forgotten & before.keys()})
        _forgotten.intersection_update(known)


def for_other_programs(url: str) -> str:
    """A URL that overrules the variables that we forgot, and no others, for older clients do not know them all."""
    said = [
        f"{option.keyword.decode()}={(option.compiled or b'').decode()}"
        for option in pq.Conninfo.get_defaults()
        if option.envvar and option.envvar.decode() in _forgotten & _OVERRULED_BY_A_URL
    ]
    return "&".join([url if "?" in url or not said else f"{url}?{said.pop(0)}", *said])
