"""Connections to the database, and its errors in our own words.

`open_database(settings)` is the way in: it starts the embedded server where no other is named, looks at the server's
version, brings the schema up to date, and gives a `Database` from which connections are made. It refuses where there is
no warehouse; `make_database(settings)` makes one there.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg import conninfo, errors, sql

from replayhouse.infra.postgres import session
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.migrate import is_begun, migrate, migrations, schema_version
from replayhouse.infra.postgres.restore_marker import refuse_unfinished_restore
from replayhouse.infra.postgres.roles import lacking
from replayhouse.infra.postgres.schemas import refuse_those_of_others
from replayhouse.infra.runtime.errors import (
    Conflicting,
    NoWarehouse,
    Rejected,
    ReplayhouseError,
    TooLong,
    Unreachable,
    UsageError,
    WrongServer,
)

if TYPE_CHECKING:
    from replayhouse.infra.runtime.settings import Settings

# The driver logs what it could not undo on a connection that is lost, in words of its own. Without a handler Python
# prints that on standard error; the error itself tells whoever asked.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

OLDEST_SERVER = 16
"""The first major version of PostgreSQL that this program works with."""

_CONNECT_TIMEOUT_SECONDS = 10
_LIMIT = "SELECT set_config('statement_timeout', %s, false)"
_SET_ROLE = sql.SQL("SET ROLE {}")

_FIND_OR_MAKE = (
    "Name yours in REPLAYHOUSE_HOME or REPLAYHOUSE_DATABASE_URL; or make one here with replayhouse ingest PATH, "
    "replayhouse db start or replayhouse db restore FILE."
)

_NUL = "cannot contain NUL"  # so the driver refuses to send a text; no command can be given one
_UNKNOWN_SETTING = "unrecognized configuration parameter"  # so an older server refuses, and says not which one it is

_ENCODED = (
    "In a password, write the signs that mean something in a URL as their codes: %40 for @, %2F for /, %3A for :, %3F "
    "for ?, %23 for #, %25 for %."
)

_NO_ROOM = (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded)
_NO_ROOM_HINT = "Check free disk space."  # the server's word where a file may not grow for another reason
_NO_SESSION = (errors.DuplicatePreparedStatement, errors.InvalidSqlStatementName)  # it is another one each time
_NO_SUCH_ROLE = (errors.InvalidParameterValue, errors.InsufficientPrivilege)
_SERVER_IS_GONE = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.DatabaseDropped)


class NotPermitted(WrongServer):
    """The database refuses the user, or the role that it acts as, what was asked of it."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where the warehouse lives: a libpq URL. Cheap to make, safe to send to other processes.

    A statement that takes longer than `statement_seconds` is ended (TooLong); 0 lets it take what it takes. With a
    `role`, each connection acts as that role from its beginning to its end, and may do what the role may.
    """

    url: str = field(repr=False)
    statement_seconds: int = 0
    role: str | None = None

    def connect(self, application_name: str = "replayhouse", *, autocommit: bool = False) -> psycopg.Connection:
        """A new connection whose session is set up (see session); waiting for a lock ends after 10 s (Conflicting).

        `application_name` is what others see in `pg_stat_activity` and in messages about conflicts.
        Raises Unreachable if the server does not answer, or does not accept the name and password; WrongServer if it
        is too old, a pooler answers in its place, or the user may not act as the role.
        """
        try:
            given = conninfo.conninfo_to_dict(self.url)
            settings = {
                "application_name": application_name,
                "client_encoding": session.SETTINGS["client_encoding"],
                "options": session.options(given.get("options")),
                "connect_timeout": given.get("connect_timeout") or _CONNECT_TIMEOUT_SECONDS,
            }
            conn = psycopg.connect(conninfo.make_conninfo(self.url, **settings), autocommit=True)
        except psycopg.Error as error:
            told = _first_line(error)
            if session.is_of_a_pooler(told):
                raise session.pooler(told) from error
            if _UNKNOWN_SETTING in told:
                raise _too_old(f"an old PostgreSQL ({told})") from error
            raise Unreachable(f"The database {self.place} cannot be reached: {told}.") from error
        try:
            with translated():
                session.settle(conn)
                if self.statement_seconds:
                    conn.execute(_LIMIT, [f"{self.statement_seconds}s"])
                if self.role is not None:
                    _act_as(conn, self.role)
        except BaseException:
            conn.close()
            raise
        conn.autocommit = autocommit
        return conn

    @property
    def place(self) -> str:
        """Host and name of the database, without user and password."""
        given = conninfo.conninfo_to_dict(self.url)
        return f"{given.get('dbname') or 'postgres'} on {given.get('host') or 'localhost'}"

    @property
    def url_to_show(self) -> str:
        """The URL without its passwords, in libpq's other form."""
        given = conninfo.conninfo_to_dict(self.url)
        return conninfo.make_conninfo("", **{key: value for key, value in given.items() if "password" not in key})


def _act_as(conn: psycopg.Connection, role: str) -> None:
    try:
        conn.execute(_SET_ROLE.format(sql.Identifier(role)))
    except _NO_SUCH_ROLE as error:
        raise WrongServer(
            f"The database user {conn.info.user} may not act as {role}: replayhouse serve says what is missing when it "
            "starts."
        ) from error


def open_database(settings: "Settings") -> Database:
    """The database of the settings: started if it is the embedded one, of a version that fits, its schema up to date.

    Raises NoWarehouse where there is none, and makes nothing then; Unreachable; UsageError if the URL is none;
    WrongServer if the server is older than PostgreSQL 16, the schema newer than this program, the database not in
    UTF-8, or a pooler before it; Conflicting if a backup is being restored there. A server that takes no writes will
    do where the schema is up to date.
    """
    return _opened(settings, makes=False)


def make_database(settings: "Settings", tell: Callable[[str], None] | None = None) -> Database:
    """The same, and a new warehouse is made where there is none.

    `tell` takes what somebody has to do for it, where the user may not make roles. Raises WrongServer, and writes
    nothing, where somebody else has schemas of our names.
    """
    return _opened(settings, makes=True, tell=tell)


def _opened(settings: "Settings", *, makes: bool, tell: Callable[[str], None] | None = None) -> Database:
    if not (makes or settings.database_url is not None or EmbeddedServer(settings.home).is_made()):
        raise NoWarehouse(f"There is no warehouse in the folder {settings.home}. {_FIND_OR_MAKE}")
    database = reach_database(settings)
    with database.connect("replayhouse migrate", autocommit=True) as conn:
        check_server(conn)
        with translated():
            refuse_unfinished_restore(conn)
            if not (makes or is_begun(conn)):
                raise NoWarehouse(f"There is no warehouse in {_told(settings, database)}. {_FIND_OR_MAKE}")
            present = schema_version(conn)
            is_due = present < len(migrations())
            if makes or is_due:
                refuse_those_of_others(conn)
            if is_due:
                session.refuse_read_only(conn, "its schema would have to be made or brought up to date first")
            migrate(conn)
            if present == 0 and tell is not None and (missing := lacking(conn)) is not None:
                tell(missing.recipe)
    return database


def _told(settings: "Settings", database: Database) -> str:
    """Where the settings lead, without passwords."""
    return f"the folder {settings.home}" if settings.database_url is None else f"the database {database.place}"


def reach_database(settings: "Settings") -> Database:
    """The same database as it is: started, and made, if it is the embedded one, and nothing is asked of it."""
    if settings.database_url is not None:
        return database_of(settings.database_url, "REPLAYHOUSE_DATABASE_URL")
    server = EmbeddedServer(settings.home)
    server.start()
    return Database(server.url())


def database_of(url: str, named: str) -> Database:
    """The database of a URL; `named` says where that was given. Raises UsageError where it is none."""
    try:
        conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Neither the value is shown nor what libpq says of it, for it may hold a password.
        example = "postgresql://user@host/database"
        raise UsageError(f"{named} is not a libpq URL, such as {example}. {_ENCODED}") from None
    if _looks_unencoded(url):
        raise UsageError(f"{named} cannot be taken apart: an @ stands where none belongs. {_ENCODED}")
    return Database(url)


def _looks_unencoded(url: str) -> bool:
    """Whether a password ends for libpq where its owner did not mean it: at its first @, or before a /."""
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("?")[0].partition("/")
    return scheme in ("postgresql", "postgres") and (place.count("@") > 1 or "@" in path)


def check_server(conn: psycopg.Connection) -> None:
    """Raises WrongServer if the server is older than PostgreSQL 16, or the database not in UTF-8."""
    major = conn.info.server_version // 10_000
    if major < OLDEST_SERVER:
        raise _too_old(f"PostgreSQL {major}")
    session.refuse_other_encodings(conn)


def _too_old(server: str) -> WrongServer:
    return WrongServer(
        f"The server is {server}, and replayhouse needs {OLDEST_SERVER} or newer: "
        "set REPLAYHOUSE_DATABASE_URL to such a server, or leave it unset to use the embedded one."
    )


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the driver inside this block become ours; what is no failure of a service stays a driver's error.

    Lost connections, full disks and servers that take no writes are Unreachable, lock timeouts and deadlocks
    Conflicting, missing privileges NotPermitted, poolers WrongServer.
    """
    try:
        yield
    except ReplayhouseError:
        raise
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise Conflicting(f"Another command holds what this one needs: {_first_line(error)}. Try again.") from error
    except errors.QueryCanceled as error:
        if "statement timeout" not in str(error):  # somebody has cancelled it
            raise
        raise TooLong("This takes longer than a statement may take here, and was ended.") from error
    except errors.ReadOnlySqlTransaction as error:
        raise Unreachable(session.READ_ONLY.format(why=_first_line(error))) from error
    except _NO_SESSION as error:
        raise session.pooler(_first_line(error)) from error
    except errors.InsufficientPrivilege as error:
        raise NotPermitted(f"The database user may not do this: {_first_line(error)}.") from error
    except (*_NO_ROOM, errors.InternalError_) as error:
        if not isinstance(error, _NO_ROOM) and error.diag.message_hint != _NO_ROOM_HINT:
            raise
        is_memory = isinstance(error, errors.OutOfMemory | errors.ConfigurationLimitExceeded)
        what = "The database has no room left" if is_memory else "The disk of the database is full"
        raise Unreachable(
            f"{what}: {_first_line(error)}. What was under way is undone: make room, and run the same command again."
        ) from error
    except psycopg.DataError as error:
        if error.sqlstate is not None:
            raise
        if _NUL in str(error):
            raise UsageError("What was given holds a NUL character, which no text in the database can.") from error
        raise Rejected(  # the driver's words: a time of infinity, or of a year that Python has not
            f"The database holds a value that this program has not written and cannot read: {_first_line(error)}. "
            "Has somebody changed it? See replayhouse audit verify."
        ) from error
    except _SERVER_IS_GONE as error:
        raise Unreachable(f"The database has ended the connection: {_first_line(error)}.") from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None:  # not the server's words: the connection is gone
            raise Unreachable(f"The connection to the database is lost: {_first_line(error)}.") from error
        raise


def _first_line(error: psycopg.Error) -> str:
    """The gist of a driver's message, which goes on with hints and context."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
