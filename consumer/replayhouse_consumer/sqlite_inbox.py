"""An inbox in a SQLite file, beside the tables of the handlers: one machine, any number of processes."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from uuid import UUID

from replayhouse_consumer.errors import Misuse, Refused
from replayhouse_consumer.inbox import Move, Overtaken, Parked, Partition, must_be_ours
from replayhouse_consumer.received import Key, Received
from replayhouse_consumer.runs import packed, unpacked

LONGEST_RUN = 500
BUSY_SECONDS = 5.0
"""How long another process' transaction is waited for at a time."""

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
}

# NORMAL: what a power failure may take is the newest transactions, effects and offsets alike; they are read again.
# The log is copied into the file every 16 MB, not every 4: pages that change again and again are written less often.
_PRAGMAS = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;
"""

_TABLES = """
CREATE TABLE IF NOT EXISTS inbox_owner (consumers TEXT NOT NULL, prefix TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inbox_topic (topic TEXT PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inbox_offset (
    topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, number)
);
CREATE TABLE IF NOT EXISTS inbox_run (
    context TEXT NOT NULL, stream BLOB NOT NULL, last INTEGER NOT NULL, events BLOB NOT NULL,
    PRIMARY KEY (context, stream, last)
);
CREATE TABLE IF NOT EXISTS inbox_parked (
    context TEXT NOT NULL, stream BLOB NOT NULL, version INTEGER NOT NULL, topic TEXT NOT NULL, number INTEGER NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (context, stream)
);
"""
# Earlier versions of the kit kept each event in a row of this table.
_OLD = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'inbox_event'"
_OLD_EVENTS = """
SELECT context, stream, version, type, position, recorded_at, value, handed FROM inbox_event
ORDER BY context, stream, version
"""
_DROP_OLD = "DROP TABLE inbox_event"
_OWNER = "SELECT consumers, prefix FROM inbox_owner"
_CLAIM = "INSERT INTO inbox_owner SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM inbox_owner)"
_OFFSETS = "SELECT topic, number, next FROM inbox_offset"
_BEGIN = "INSERT INTO inbox_offset VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ADVANCE = "UPDATE inbox_offset SET next = ? WHERE topic = ? AND number = ? AND next = ?"
_TOPICS = "SELECT topic, id FROM inbox_topic"
_REMEMBER = "INSERT INTO inbox_topic VALUES (?, ?) ON CONFLICT DO NOTHING"
_VERSION = "SELECT max(last) FROM inbox_run WHERE context = ? AND stream = ?"
_KEEP = "INSERT INTO inbox_run VALUES (?, ?, ?, ?)"
_HISTORY = "SELECT last, events FROM inbox_run WHERE context = ? AND stream = ? ORDER BY last"
_AGAIN = "UPDATE inbox_run SET events = ? WHERE context = ? AND stream = ? AND last = ?"
_PARKED = "SELECT context, stream, version, topic, number, reason FROM inbox_parked ORDER BY context, stream"
_PARK = "INSERT INTO inbox_parked VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_UNPARK = "DELETE FROM inbox_parked WHERE context = ? AND stream = ?"


class SqliteWork:
    """An open transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def advance(self, moves: Sequence[Move]) -> None:
        """Moves offsets, or raises Overtaken."""
        for (topic, number), expected, to in moves:
            if self.db.execute(_ADVANCE, (to, topic, number, expected)).rowcount != 1:
                raise Overtaken

    def hold(self, partition: Partition) -> None:
        """Nothing to do: of all transactions that write there is one at a time."""

    def versions(self, keys: Iterable[Key]) -> dict[Key, int]:
        """The newest version kept of each stream."""
        newest = {key: self.db.execute(_VERSION, key).fetchone()[0] for key in keys}
        return {key: version for key, version in newest.items() if version is not None}

    def parked(self, keys: Iterable[Key]) -> set[Key]:
        """Which of these streams are parked."""
        return {parked.key for parked in _parked(self.db)}.intersection(keys)

    def keep(self, runs: Iterable[Sequence[Received]]) -> None:
        """Keeps runs of events."""
        self.db.executemany(_KEEP, map(_row, runs))

    def histories(self, keys: Iterable[Key]) -> dict[Key, list[Received]]:
        """All events kept of each stream."""
        return {
            key: [event for last, run in self.db.execute(_HISTORY, key) for event in unpacked(*key, last, run)]
            for key in keys
        }

    def park(self, parked: Parked) -> None:
        """Parks a stream."""
        context, stream, version, (topic, number), reason = parked
        self.db.execute(_PARK, (context, stream.bytes, version, topic, number, reason))

    def unpark(self, key: Key, handed: Sequence[int]) -> None:
        """A parked stream goes on."""
        self.db.execute(_UNPARK, key)
        for last, run in self.db.execute(_HISTORY, key).fetchall():
            events = [event.as_handed() if event.version in handed else event for event in unpacked(*key, last, run)]
            self.db.execute(_AGAIN, (packed(events), *key, last))


class SqliteInbox:
    """The inbox of a group in a file, or in memory for tests (`:memory:`)."""

    def __init__(self, where: str | Path, group: str, prefix: str) -> None:
        try:
            self._db = sqlite3.connect(where, timeout=BUSY_SECONDS, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise Refused(f"The inbox {where} cannot be opened: {error}.") from error
        try:
            self._db.executescript(_PRAGMAS)
            self._db.executescript(_TABLES)
            if self._db.execute(_OWNER).fetchone() is None:
                self._db.execute(_CLAIM, (group, prefix))
            must_be_ours(self._db.execute(_OWNER).fetchone(), group, prefix)
            _take_over(self._db)
        except BaseException:
            self._db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[SqliteWork]:
        """The savepoint is gone when a handler has committed or rolled back in between."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("SAVEPOINT handling")
            yield SqliteWork(self._db)
            try:
                self._db.execute("RELEASE handling")
            except sqlite3.OperationalError as error:
                raise Misuse("A handler has ended the inbox's transaction: it must not commit or roll back.") from error
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def begin(self, starts: Mapping[Partition, int]) -> dict[Partition, int]:
        """The offsets that come next, also of partitions seen for the first time."""
        if new := starts.keys() - self.offsets().keys():  # what only reads waits for nobody
            self._db.executemany(_BEGIN, [(*partition, starts[partition]) for partition in new])
        found = self.offsets()
        return {partition: found[partition] for partition in starts}

    def offsets(self) -> dict[Partition, int]:
        """The offsets that come next."""
        return {Partition(topic, number): offset for topic, number, offset in self._db.execute(_OFFSETS)}

    def topic_ids(self) -> dict[str, str]:
        """The ids of the topics read."""
        return dict(self._db.execute(_TOPICS).fetchall())

    def remember_topics(self, ids: Mapping[str, str]) -> None:
        """Writes down ids that are new."""
        if new := ids.keys() - self.topic_ids().keys():
            self._db.executemany(_REMEMBER, [(topic, ids[topic]) for topic in new])

    def all_parked(self) -> list[Parked]:
        """The parked streams."""
        return _parked(self._db)

    def make_tables(self, sql: str) -> None:
        """Runs SQL for the handlers."""
        self._db.executescript(sql)

    def is_passing(self, error: BaseException) -> bool:
        """Whether the file is locked, or its disk full or away."""
        return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _PASSING

    def close(self) -> None:
        """Lets the database go."""
        self._db.close()


def _take_over(db: sqlite3.Connection) -> None:
    """Moves what an earlier version kept to where it is kept now, all at once or not at all."""
    if db.execute(_OLD).fetchone() is None:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute(_OLD).fetchone() is not None:  # another process may have done it meanwhile
            db.executemany(_KEEP, map(_row, _runs(map(Received._make, db.execute(_OLD_EVENTS)))))
            db.execute(_DROP_OLD)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _runs(events: Iterable[Received]) -> Iterator[list[Received]]:
    """The events of each stream in runs of bounded length."""
    for _, of_stream in groupby(events, key=attrgetter("key")):
        while run := list(islice(of_stream, LONGEST_RUN)):
            yield run


def _row(run: Sequence[Received]) -> tuple[str, bytes, int, bytes]:
    context, stream, last, *_ = run[-1]
    return context, stream, last, packed(run)


def _parked(db: sqlite3.Connection) -> list[Parked]:
    return [
        Parked(context, UUID(bytes=stream), version, Partition(topic, number), reason)
        for context, stream, version, topic, number, reason in db.execute(_PARKED)
    ]
