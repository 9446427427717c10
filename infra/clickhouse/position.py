"""How far the read models in ClickHouse are: a row for each context, kept there beside the rows that it speaks of.

A window of the log is written in three steps: that it is about to be written, its rows, that it is. ClickHouse has no
transactions; whoever is killed in between leaves a window half written, and the next one writes that same window again,
the same rows with the same versions. So an event counts exactly once, wherever anything dies.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec
import psycopg

from replayhouse.infra.clickhouse.server import Server, literal
from replayhouse.infra.clickhouse.tables import LAYOUT
from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError
from replayhouse.projections.warehouse import PROJECTIONS

TABLE = "replayhouse_position"

_CREATE = """
    CREATE TABLE IF NOT EXISTS {table} (
        context String COMMENT 'the bounded context',
        step UInt64 COMMENT 'grows with each row; the newest one of a context counts',
        position Int64 COMMENT 'the views of the context show the log up to here',
        written_at DateTime64(6, 'UTC') COMMENT 'when this row was written, by the clock of the server',
        told String COMMENT 'what replayhouse needs to go on, as JSON'
    )
    ENGINE = ReplacingMergeTree(step)
    ORDER BY context
    COMMENT 'How far the read models are that replayhouse keeps here'
"""
_READ = "SELECT context, told FROM {table} FINAL"
_WRITE = "INSERT INTO {table} VALUES ({context}, {step}, {position}, now64(6, 'UTC'), {told})"
_TABLES = "SELECT name FROM system.tables WHERE database = {database:String} ORDER BY name"

_STORE = "SELECT chain FROM event_store.commit ORDER BY last_position LIMIT 1"
_CHAIN = """
    SELECT chain FROM event_store.commit WHERE last_position >= %s ORDER BY last_position LIMIT 1
"""


class Parked(msgspec.Struct, frozen=True):
    """A stream that could not be folded; its rows are those of the position `folded_to`."""

    folded_to: int
    error: str


class Window(msgspec.Struct, frozen=True):
    """What is about to be written: streams with events up to a position, those asked for up to a number, and perhaps
    those that are parked.
    """

    up_to: int
    refolds_to: int
    retries_parked: bool = False


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a context.

    `store` is the hash chain of the log at its first commit, `chain` that at the commit that brought `position`: by
    both it is known that the rows are of this log. `refolds` is the newest stream that was folded again because a key
    was destroyed (`refolding.newest`). `writing` is a window that may be half written. A context that `must_be_filled`
    may have tables of two revisions, or of people who were erased.
    """

    step: int = 0
    revision: int = 0
    position: int = 0
    refolds: int = 0
    store: str = ""
    chain: str = ""
    fingerprint: str = ""
    fold_version: int = 0
    layout: int = LAYOUT
    is_withheld: bool = False
    parked: dict[str, Parked] = {}
    writing: Window | None = None
    must_be_filled: bool = False

    @property
    def folded_to(self) -> Mapping[UUID, int]:
        """The position that the rows of each parked stream show."""
        return {UUID(stream): parked.folded_to for stream, parked in self.parked.items()}

    def is_current(self, context: str) -> bool:
        """Whether the tables were made and filled by a program like this one."""
        made_by = (self.fingerprint, self.fold_version, self.layout)
        return made_by == made_by_this(context) and not self.must_be_filled

    def is_newer(self, context: str) -> bool:
        """Whether a newer program has made them."""
        return self.fold_version > PROJECTIONS[context].version or self.layout > LAYOUT


class OfAnotherLog(UsageError):  # noqa: N818 - as all of our tree are named
    """The rows in ClickHouse were not folded from this log, or from more of it than there is."""


def made_by_this(context: str) -> tuple[str, int, int]:
    """Fingerprint of the tables, version of the fold and layout, as this program has them."""
    return PROJECTIONS[context].fingerprint, PROJECTIONS[context].version, LAYOUT


def read(server: Server) -> dict[str, Position]:
    """What is told of each context that was ever shown here. Makes the table for it.

    Raises UsageError where the database has tables, but not that one: they are not ours.
    """
    names = [name for (name,) in server.rows(_TABLES, database=server.database)]
    if TABLE not in names:
        if names:
            raise UsageError(
                f"The database {server.address.place} has tables of others ({names[0]}): name an empty one, or one "
                "that is not there yet, in REPLAYHOUSE_CLICKHOUSE_URL."
            )
        server.execute(_CREATE.format(table=server.named(TABLE)))
        return {}
    return _told(server)


def look(server: Server) -> dict[str, Position]:
    """The same for who only looks: nothing is made, and where there is none of our tables nothing is told."""
    names = [name for (name,) in server.rows(_TABLES, database=server.database)]
    return _told(server) if TABLE in names else {}


def _told(server: Server) -> dict[str, Position]:
    found = server.rows(_READ.format(table=server.named(TABLE)))
    try:
        return {context: msgspec.json.decode(told, type=Position) for context, told in found}
    except msgspec.DecodeError as error:
        raise ReplayhouseError(
            f"The table {TABLE} at {server.address.place} tells what this program does not understand: {error}. Drop "
            "the database, and run replayhouse rebuild --to clickhouse."
        ) from error


def write(server: Server, context: str, known: Position) -> Position:
    """Tells something new of a context, in the place of what was told; it as it is told now, one step further."""
    step = known.step + 1
    known = msgspec.structs.replace(known, step=step)
    server.execute(
        _WRITE.format(
            table=server.named(TABLE),
            context=literal(context),
            step=step,
            position=known.position,
            told=literal(msgspec.json.encode(known).decode()),
        )
    )
    return known


def store_of(conn: psycopg.Connection) -> str:
    """The hash chain at the first commit of the log, which no other log has; empty while it has none."""
    row = conn.execute(_STORE).fetchone()
    return "" if row is None else bytes(row[0]).hex()


def chain_at(conn: psycopg.Connection, position: int) -> str:
    """The hash chain at the commit that brought a position; empty where there is none."""
    row = conn.execute(_CHAIN, [position]).fetchone() if position else None
    return "" if row is None else bytes(row[0]).hex()


def refuse_another_store(conn: psycopg.Connection, server: Server, known: Mapping[str, Position]) -> None:
    """Raises OfAnotherLog where rows were folded from the log of another warehouse than that of this database."""
    store = store_of(conn)
    if any(of_context.position and of_context.store != store for of_context in known.values()):
        raise OfAnotherLog(
            f"The database {server.address.place} shows another warehouse than this one: name another one in "
            "REPLAYHOUSE_CLICKHOUSE_URL, or drop that one first."
        )


def refuse_another_log(conn: psycopg.Connection, server: Server, known: Mapping[str, Position]) -> None:
    """The same, and where the rows show events that this log does not have any more."""
    refuse_another_store(conn, server, known)
    for context, of_context in known.items():
        if of_context.chain != chain_at(conn, of_context.position):
            raise OfAnotherLog(
                f"{context} at {server.address.place} shows events up to position {of_context.position:,} that this "
                "log does not have: it was restored from an older backup, or lost its newest events otherwise. "
                "replayhouse rebuild --to clickhouse shows what this log has."
            )
