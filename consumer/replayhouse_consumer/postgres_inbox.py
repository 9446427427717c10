"""An inbox in PostgreSQL, in a schema of its own for each group: any number of machines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow, tuple_row

from replayhouse_consumer.errors import Misuse, Refused
from replayhouse_consumer.inbox import Move, Overtaken, Parked, Partition, must_be_ours
from replayhouse_consumer.postgres_session import A_POOLER, connect, refuse_read_only
from replayhouse_consumer.received import Key, Received

_TABLES = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.owner (consumers text PRIMARY KEY, prefix text NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}.topic (topic text PRIMARY KEY, id text NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}.partition (
    topic text, number int, next bigint NOT NULL, PRIMARY KEY (topic, number)
);
CREATE TABLE IF NOT EXISTS {schema}.event (
    context text, stream uuid, version bigint, type text NOT NULL, position bigint NOT NULL,
    recorded_at text NOT NULL, value bytea NOT NULL, handed boolean NOT NULL, PRIMARY KEY (context, stream, version)
);
CREATE TABLE IF NOT EXISTS {schema}.parked (
    context text, stream uuid, version bigint NOT NULL, topic text NOT NULL, number int NOT NULL, reason text NOT NULL,
    PRIMARY KEY (context, stream)
);
"""
_OWNER = "SELECT consumers, prefix FROM {schema}.owner"
_CLAIM = "INSERT INTO {schema}.owner SELECT %s, %s WHERE NOT EXISTS (SELECT FROM {schema}.owner)"
_OFFSETS = "SELECT topic, number, next FROM {schema}.partition"
_BEGIN = "INSERT INTO {schema}.partition VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_ADVANCE = """
UPDATE {schema}.partition AS p SET next = m.next
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) AS m(topic, number, expected, next)
WHERE p.topic = m.topic AND p.number = m.number AND p.next = m.expected
"""
_HOLD = "SELECT FROM {schema}.partition WHERE topic = %s AND number = %s FOR UPDATE"
_TOPICS = "SELECT topic, id FROM {schema}.topic"
_REMEMBER = "INSERT INTO {schema}.topic VALUES (%s, %s) ON CONFLICT DO NOTHING"
_VERSIONS = """
SELECT k.context, k.stream, e.version FROM unnest(%s::text[], %s::uuid[]) AS k(context, stream)
CROSS JOIN LATERAL (
    SELECT version FROM {schema}.event AS e WHERE e.context = k.context AND e.stream = k.stream
    ORDER BY version DESC LIMIT 1
) AS e
"""
_KEEP = """
COPY {schema}.event (context, stream, version, type, position, recorded_at, value, handed) FROM STDIN (FORMAT binary)
"""
_KEPT_TYPES = ("text", "uuid", "int8", "text", "int8", "text", "bytea", "bool")
_HISTORIES = """
SELECT context, stream, version, type, position, recorded_at, value, handed
FROM unnest(%s::text[], %s::uuid[]) AS k(context, stream) JOIN {schema}.event USING (context, stream)
ORDER BY context, stream, version
"""
_HANDED = "UPDATE {schema}.event SET handed = true WHERE context = %s AND stream = %s AND version = ANY(%s)"
_PARKED = "SELECT context, stream, version, topic, number, reason FROM {schema}.parked ORDER BY context, stream"
_PARK = "INSERT INTO {schema}.parked VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_UNPARK = "DELETE FROM {schema}.parked WHERE context = %s AND stream = %s"

# IF NOT EXISTS alone races.
_LOCK_UNTIL_COMMIT = "SELECT pg_advisory_xact_lock(hashtext('replayhouse inbox'))"
_LOCK = "SELECT pg_advisory_lock(hashtext('replayhouse inbox'))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('replayhouse inbox'))"

Connection = psycopg.Connection[TupleRow]


class _Statements:
    """The statements above, on the schema of one group."""

    def __init__(self, group: str) -> None:
        self._schema = sql.Identifier(f"inbox_{group}")

    def __call__(self, statement: str) -> sql.Composed:
        return sql.SQL(statement).format(schema=self._schema)


class PostgresWork:
    """An open transaction. Its own cursor: a handler may have changed what the connection makes of rows."""

    def __init__(self, db: Connection, on_schema: _Statements) -> None:
        self.db = db
        self._on_schema = on_schema

    def advance(self, moves: Sequence[Move]) -> None:
        """Moves offsets, or raises Overtaken."""
        columns = [
            [move.partition.topic for move in moves],
            [move.partition.number for move in moves],
            [move.expected for move in moves],
            [move.to for move in moves],
        ]
        if self._run(_ADVANCE, columns).rowcount != len(moves):
            raise Overtaken

    def hold(self, partition: Partition) -> None:
        """Locks the row of the partition."""
        self._run(_HOLD, partition)

    def versions(self, keys: Iterable[Key]) -> dict[Key, int]:
        """The newest version kept of each stream."""
        return {(context, stream.bytes): version for context, stream, version in self._run(_VERSIONS, _columns(keys))}

    def parked(self, keys: Iterable[Key]) -> set[Key]:
        """Which of these streams are parked."""
        return {parked.key for parked in _parked(self._run(_PARKED))}.intersection(keys)

    def keep(self, runs: Iterable[Sequence[Received]]) -> None:
        """Keeps runs of events."""
        with (
            self.db.cursor(row_factory=tuple_row) as cursor,
            cursor.copy(self._on_schema(_KEEP)) as copy,
        ):
            copy.set_types(_KEPT_TYPES)
            for context, stream, *rest in chain.from_iterable(runs):
                copy.write_row((context, UUID(bytes=stream), *rest))

    def histories(self, keys: Iterable[Key]) -> dict[Key, list[Received]]:
        """All events kept of each stream."""
        found: dict[Key, list[Received]] = {key: [] for key in keys}
        for context, stream, *rest in self._run(_HISTORIES, _columns(found)):
            event = Received(context, stream.bytes, *rest)
            found[event.key].append(event)
        return found

    def park(self, parked: Parked) -> None:
        """Parks a stream."""
        context, stream, version, partition, reason = parked
        self._run(_PARK, (context, stream, version, *partition, reason))

    def unpark(self, key: Key, handed: Sequence[int]) -> None:
        """A parked stream goes on."""
        context, stream = key[0], UUID(bytes=key[1])
        self._run(_UNPARK, (context, stream))
        self._run(_HANDED, (context, stream, list(handed)))

    def _run(self, statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[TupleRow]:
        return self.db.cursor(row_factory=tuple_row).execute(self._on_schema(statement), values)


class PostgresInbox:
    """The inbox of a group in the schema `inbox_<group>`. A lost connection is made anew by the next transaction."""

    def __init__(self, url: str, group: str, prefix: str) -> None:
        self._url = url
        self._application = f"replayhouse-consumer {group}"
        self._on_schema = _Statements(group)
        self._db: Connection | None = None
        try:
            db = self._connection()
        except psycopg.Error as error:
            told = str(error).splitlines()[0]
            if "unsupported startup parameter" in told:
                raise Refused(f"{A_POOLER} ({told}).") from error
            raise Refused(f"The database of the inbox does not let us in: {told}") from error
        try:
            refuse_read_only(db)
            with db.transaction():
                db.execute(_LOCK_UNTIL_COMMIT)
                db.execute(self._on_schema(_TABLES))
                db.execute(self._on_schema(_CLAIM), (group, prefix))
                owner = db.execute(self._on_schema(_OWNER)).fetchone()
            must_be_ours((owner[0], owner[1]) if owner else None, group, prefix)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[PostgresWork]:
        """The savepoint is gone when a handler has committed or rolled back in between."""
        db = self._connection()
        with self._left_if_it_takes_no_writes(db), db.transaction():
            db.execute("SAVEPOINT handling")
            yield PostgresWork(db, self._on_schema)
            try:
                db.execute("RELEASE SAVEPOINT handling")
            except (psycopg.errors.NoActiveSqlTransaction, psycopg.errors.InvalidSavepointSpecification) as error:
                raise Misuse("A handler has ended the inbox's transaction: it must not commit or roll back.") from error

    def begin(self, starts: Mapping[Partition, int]) -> dict[Partition, int]:
        """The offsets that come next, also of partitions seen for the first time."""
        with self._connection().cursor() as cursor:
            cursor.executemany(
                self._on_schema(_BEGIN), [(topic, number, start) for (topic, number), start in starts.items()]
            )
        found = self.offsets()
        return {partition: found[partition] for partition in starts}

    def offsets(self) -> dict[Partition, int]:
        """The offsets that come next."""
        return {Partition(topic, number): offset for topic, number, offset in self._run(_OFFSETS)}

    def topic_ids(self) -> dict[str, str]:
        """The ids of the topics read."""
        return dict(self._run(_TOPICS).fetchall())

    def remember_topics(self, ids: Mapping[str, str]) -> None:
        """Writes down ids that are new."""
        with self._connection().cursor() as cursor:
            cursor.executemany(self._on_schema(_REMEMBER), list(ids.items()))

    def all_parked(self) -> list[Parked]:
        """The parked streams."""
        return _parked(self._run(_PARKED))

    def make_tables(self, sql: str) -> None:
        """Runs SQL for the handlers; members that start at once do so one after the other."""
        db = self._connection()
        db.execute(_LOCK)
        try:
            db.execute(sql.encode())
        finally:
            if not db.closed:
                db.execute(_UNLOCK)

    def is_passing(self, error: BaseException) -> bool:
        """Whether the server is away or busy: a lost connection, a lock, a deadlock, a standby for the time being."""
        passing = psycopg.OperationalError | psycopg.InterfaceError | psycopg.errors.ReadOnlySqlTransaction
        return isinstance(error, passing)

    def close(self) -> None:
        """Lets the database go."""
        if self._db is not None:
            self._db.close()

    @contextmanager
    def _left_if_it_takes_no_writes(self, db: Connection) -> Iterator[None]:
        """The server has become a standby: the next connection may find the one that has taken its place."""
        try:
            yield
        except psycopg.errors.ReadOnlySqlTransaction:
            db.close()
            raise

    def _connection(self) -> Connection:
        if self._db is None or self._db.closed:
            self._db = connect(self._url, self._application)
        return self._db

    def _run(self, statement: str) -> psycopg.Cursor[TupleRow]:
        return self._connection().cursor(row_factory=tuple_row).execute(self._on_schema(statement))


def _columns(keys: Iterable[Key]) -> tuple[list[str], list[UUID]]:
    listed = list(keys)
    return [context for context, _ in listed], [UUID(bytes=stream) for _, stream in listed]


def _parked(rows: Iterable[TupleRow]) -> list[Parked]:
    return [
        Parked(context, stream, version, Partition(topic, number), reason)
        for context, stream, version, topic, number, reason in rows
    ]
