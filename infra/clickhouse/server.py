"""Connections to ClickHouse, and its errors in our own words. The one module that knows the client library.

The server is spoken to by HTTP; `chdb:///folder` is the same engine without a server, in this process. What answers
depend on is set with each connection, whatever a profile of the user's has.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replayhouse.infra.runtime.clickhouse_settings import Address, ClickHouseSettings
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable, UsageError, WrongServer

OLDEST_SERVER = "26.9"
"""What it was tried with; those of before the summer of 2026 change times before 1900 and after 2299."""

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 3_600  # a large table is written anew by one statement
_MOMENT_SECONDS = 2
_MOST_SHOWN = 300

_SETTINGS = {
    "async_insert": 0,  # what is answered is written
    "insert_deduplicate": 0,  # the same block may be right again
    "insert_null_as_default": 0,
    "precise_float_parsing": 1,  # else the last digit of a coordinate may change
    "date_time_input_format": "best_effort",  # recorded times end in +00
    "input_format_tsv_empty_as_default": 0,
    "join_use_nulls": 0,  # views say what they need
    "session_timezone": "UTC",
    "select_sequential_consistency": 1,  # of several servers, one that has what we wrote
    "final": 0,
    "max_query_size": 16 * 2**20,  # thousands of keys are named in one
    "max_result_rows": 0,
    "max_result_bytes": 0,
}

_HELD = """
    SELECT toString(toDateTime64('0001-01-01 00:00:00.000001', 6, 'UTC')),
        toString(toDateTime64('9999-12-31 23:59:59.999999', 6, 'UTC')),
        toString(toDate32('0001-01-01')), toString(toDate32('9999-12-31'))
"""
_AS_HELD = ("0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999", "0001-01-01", "9999-12-31")
_ENGINE = "SELECT engine FROM system.databases WHERE name = {database:String}"
_EXCHANGING = ("Atomic", "Shared")  # the second is that of the cloud

_REFUSED = {192, 193, 194, 516}  # unknown user, wrong or missing password, authentication failed
_MAY_NOT = {164, 291, 497}  # read-only, no access to a database, access denied
_NO_ROOM = {241, 243, 252}  # memory, disk, too many parts
_AWAY = {159, 202, 209, 210, 279, 999}  # timeouts, too many queries, network, no connection, keeper


class Server:
    """A connection to one database of a ClickHouse, which is there. Not to be shared among threads."""

    def __init__(self, client: Any, address: Address) -> None:
        self._client = client
        self.address = address
        self.database = address.database

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def execute(self, statement: str) -> None:
        """Runs a statement that answers nothing."""
        with translated(self.address):
            self._client.command(statement)

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The answer to a query; its `parameters` are named in it as `{name:Type}`."""
        with translated(self.address):
            found: Sequence[tuple[Any, ...]] = self._client.query(query, parameters=parameters).result_rows
        return list(found)

    def insert_lines(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """Adds rows to a table of the database, given as lines of PostgreSQL's COPY text form, each with its end."""
        with translated(self.address):
            self._client.raw_insert(self.named(table), list(columns), lines, fmt="TabSeparated")

    def named(self, table: str) -> str:
        """The table with its database, quoted."""
        return f"{quoted(self.database)}.{quoted(table)}"


def quoted(name: str) -> str:
    """A name as an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def connected(settings: ClickHouseSettings) -> Iterator[Server]:
    """A connection, for the time of the block, to a server that will do; its database is made where it is missing.

    Raises UsageError where nothing names one, or the library is not installed; Unreachable; WrongServer where the
    server is too old, its database cannot exchange tables, or the user may not do what is needed.
    """
    address = settings.address
    with translated(address):
        client = _client(address, settings)
    server = Server(client, address)
    try:
        _check(server)
        yield server
    finally:
        server.close()


@contextmanager
def looked_at(settings: ClickHouseSettings) -> Iterator[Server]:
    """A connection for who only looks, and soon: nothing is made there, and who does not answer in a moment is away.

    Raises as `connected`, but for what only those need to know who write.
    """
    address = settings.address
    with translated(address):
        client = _client(address, settings, _MOMENT_SECONDS, _MOMENT_SECONDS)
    server = Server(client, address)
    try:
        yield server
    finally:
        server.close()


def _client(
    address: Address,
    settings: ClickHouseSettings,
    connect_seconds: int = _CONNECT_SECONDS,
    answer_seconds: int = _ANSWER_SECONDS,
) -> Any:
    try:
        import clickhouse_connect
    except ImportError as error:
        raise UsageError("ClickHouse needs an extra of this program: pip install 'replayhouse[clickhouse]'.") from error
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # what it says, we say
    if address.folder:
        return _engine(clickhouse_connect, address.folder)
    return clickhouse_connect.get_client(
        host=address.host,
        port=address.port,
        username=address.user,
        password=settings.secret,
        interface="https" if address.is_secure else "http",
        ca_cert=None if settings.ca is None else str(settings.ca),
        connect_timeout=connect_seconds,
        send_receive_timeout=answer_seconds,
        autogenerate_session_id=False,  # each statement stands by itself
        settings=_SETTINGS,
    )


def _engine(library: Any, folder: str) -> Any:
    """The engine without a server, of which one process at a time has a folder."""
    try:
        Path(folder).mkdir(mode=0o700, exist_ok=True)
        return library.get_client(dsn=f"chdb://{folder}", settings=_SETTINGS)
    except ImportError as error:
        raise UsageError("chdb:// needs the engine in this environment: pip install chdb.") from error
    except OSError as error:
        raise UsageError(f"The folder {folder} of chdb:// cannot be made: {error.strerror}.") from error
    except (RuntimeError, library.driver.exceptions.ClickHouseError) as error:  # the engine itself says more
        raise Unreachable(
            f"The engine cannot open the folder {folder}: another process has it open, or it is not one of chdb's."
        ) from error


def _check(server: Server) -> None:
    if server.rows(_HELD) != [_AS_HELD]:
        [(version,)] = server.rows("SELECT version()")
        raise WrongServer(
            f"The ClickHouse at {server.address.place} is {version}, which changes times before 1900 and after 2299: "
            f"replayhouse needs {OLDEST_SERVER} or newer."
        )
    found = server.rows(_ENGINE, database=server.database)
    if not found:
        server.execute(f"CREATE DATABASE IF NOT EXISTS {quoted(server.database)} ENGINE = Atomic")
        found = server.rows(_ENGINE, database=server.database)
    if found[0][0] not in _EXCHANGING:
        raise WrongServer(
            f"The database {server.database} at {server.address.place} has the engine {found[0][0]}, in which tables "
            "cannot be exchanged: name one with the engine Atomic, which is the usual one."
        )


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Errors of the client library inside this block become ours; a mistake of ours stays what it is."""
    try:
        from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
    except ImportError:  # whoever connects is told
        yield
        return
    try:
        yield
    except ReplayhouseError:
        raise
    except (ClickHouseError, OSError, RuntimeError) as error:
        code, told = getattr(error, "code", None), _first_line(error)
        where = f"The ClickHouse at {address.place}"
        if code in _REFUSED:
            raise Unreachable(f"{where} does not let {address.user} in: is the password right?") from error
        if code in _MAY_NOT:
            raise WrongServer(f"{where} does not let {address.user} do this: {told}.") from error
        if code in _NO_ROOM:
            raise Unreachable(
                f"{where} has no room left: {told}. Make room, and run the same command again."
            ) from error
        if code in _AWAY or (code is None and isinstance(error, OperationalError | OSError | RuntimeError)):
            raise Unreachable(f"{where} cannot be reached: {told}.") from error
        raise ReplayhouseError(f"{where} refuses: {told}.") from error


def _first_line(error: BaseException) -> str:
    """The gist of a message: without the trace and the version of the server; of a network's failure its root."""
    text = str(error).partition("DB::Exception: ")[2]
    if not text:
        while cause := error.__cause__ or error.__context__:
            error = cause
        text = getattr(error, "strerror", None) or str(error)
    lines = text.removeprefix("Code: ").strip().splitlines()
    return lines[0].split(" (version ")[0].strip().rstrip(".:")[:_MOST_SHOWN] if lines else type(error).__name__
