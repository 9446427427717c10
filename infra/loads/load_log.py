"""The log as one load sees it: PostgreSQL, or for a dry run a store that only counts."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.fulfillment.area import area_stream_id
from replayhouse.domain.marketplace.category import category_stream_id
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import LARGEST_APPEND, EventStore, Rows, Stream, append_rows
from replayhouse.infra.postgres.binary_copy import HEADER, TRAILER
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.staging.work import DuckDBWork
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.spans import Done, Work, span
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import batched, numbered
from replayhouse.ingest.ports import Chunk, Due, Place, Progress, Unit
from replayhouse.ingest.work import AreaWork, CategoryWork, Family, PersonWork

LAPSED_UNIT = 256
"""The unit under which the last step of a load, the evaluation of lapsed customers, keeps its progress."""

QUALITY_UNIT = 257
"""The unit under which the events of the quality context keep their count."""

OWNED = "SELECT 1 FROM event_store.batch WHERE batch_id = %s AND owner = %s AND status = 'open' FOR SHARE"

PROGRESS = """
SELECT part, bucket, kind, key, is_done
FROM event_store.batch_progress
WHERE batch_id = %s AND unit = %s
ORDER BY part DESC
LIMIT 1
"""

ADVANCE = """
INSERT INTO event_store.batch_progress (batch_id, unit, part, bucket, kind, key, is_done, events)
VALUES (%s, %s, coalesce(%s, (
    SELECT coalesce(max(part), -1) + 1 FROM event_store.batch_progress WHERE batch_id = %s AND unit = %s
)), %s, %s, %s, %s, %s)
"""

REVIEWS_OF = """
SELECT DISTINCT r.order_id, r.review_id
FROM event_store.review_reference AS r
JOIN event_store.batch AS b USING (batch_seq)
WHERE r.order_id = ANY(%s) AND b.status <> 'retracted'
"""

# Where the newest order turns out to have been placed earlier, the evaluation goes back to an earlier day, as of which
# those who count as lapsed may not be so: all persons without a date are looked at then, once a load. Persons of other
# sources are left as they are: an extract tells nothing of what they have bought since.
DUE_CUSTOMERS = """
WITH newest AS (
    SELECT DISTINCT ON (d.customer_id) d.customer_id, d.due, d.batch_seq
    FROM event_store.segment_due AS d
    JOIN event_store.batch AS b USING (batch_seq)
    WHERE b.status <> 'retracted' AND b.source ->> 'name' IS NOT DISTINCT FROM %(source)s
    ORDER BY d.customer_id, d.batch_seq DESC
)
SELECT customer_id
FROM newest
WHERE due <= %(as_of)s AND customer_id <> ALL(%(evaluated)s)
UNION
SELECT person.customer_id
FROM event_store.alias_reference AS person
JOIN event_store.batch AS b ON b.batch_seq = person.batch_seq
LEFT JOIN newest ON newest.customer_id = person.customer_id
WHERE %(as_of)s < (
        SELECT as_of
        FROM event_store.batch
        WHERE kind = 'load' AND status = 'completed' AND as_of IS NOT NULL AND batch_seq < %(batch_seq)s
            AND source ->> 'name' IS NOT DISTINCT FROM %(source)s
        ORDER BY batch_seq DESC
        LIMIT 1
    )
    AND b.status <> 'retracted'
    AND b.source ->> 'name' IS NOT DISTINCT FROM %(source)s
    AND newest.due IS NULL
    AND coalesce(newest.batch_seq, 0) < %(batch_seq)s
    AND person.customer_id <> ALL(%(evaluated)s)
ORDER BY customer_id
LIMIT %(limit)s
"""


@dataclass(frozen=True)
class OpenLoad:
    """The load at hand: its number, and the process that owns it. `is_first`: the log holds nothing of any extract.

    `source` is the name of its source; None where it is of the nine files.
    """

    batch_id: UUID
    batch_seq: int
    owner: UUID
    is_first: bool
    source: str | None = None


class PostgresLoadLog:
    """Appends the chunks of a load, each in one transaction with what later loads look up."""

    def __init__(
        self, connection: psycopg.Connection, store: EventStore, load: OpenLoad, work: DuckDBWork | None
    ) -> None:
        self._connection = connection
        self._store = store
        self._load = load
        self._work = work

    def progress(self, unit: Unit) -> Progress:
        """How far a unit is, should an earlier process have begun it."""
        row = self._connection.execute(PROGRESS, (self._load.batch_id, unit.first_bucket)).fetchone()
        if row is None:
            return Progress(0, unit.start, is_done=False)
        part, bucket, kind, key, is_done = row
        return Progress(part + 1, unit.start._replace(bucket=bucket, kind=kind, key=key), is_done)

    def known(self, families: Sequence[Family]) -> tuple[Known, Mapping[UUID, list[UUID]]]:
        """The streams that the log has of some families, and the review streams of their orders."""
        if self._load.is_first:
            return Known(), {}
        order_ids = [o.order_id for f in families if isinstance(f, PersonWork) for o in f.orders]
        reviews: dict[UUID, list[UUID]] = defaultdict(list)
        for order_id, review_id in self._connection.execute(REVIEWS_OF, (order_ids,)):
            reviews[order_id].append(review_stream_id(review_id, order_id))
        wanted = _stream_ids(families)
        for streams in reviews.values():
            wanted["customer"].update(streams)
        return self._streams(wanted), reviews

    def known_customers(self, customer_ids: Collection[UUID]) -> Known:
        """The streams that the log has of some persons."""
        return self._streams({"customer": set(customer_ids)})

    def known_rows(self, stream_ids: Collection[UUID]) -> Known:
        """The streams that the log has of some quarantined rows."""
        return self._streams({"quality": set(stream_ids)})

    def _streams(self, wanted: Mapping[str, set[UUID]]) -> Known:
        streams: dict[str, dict[UUID, Stream]] = {
            context: self._store.streams(self._connection, context, ids) for context, ids in wanted.items() if ids
        }
        return Known(streams)

    def append(self, chunk: Chunk, known: Known) -> int:
        """Appends a chunk with its reference rows and its progress, in one transaction; returns the events."""
        counts = _counts(chunk.decisions)
        with self._chunk() as done:
            events = self._append(chunk.decisions, known, lambda connection: self._before(connection, chunk, counts))
            done.tell(events=events)
        return events

    def append_encoded(
        self, chunk: Chunk, counts: Mapping[str, int], encode: Callable[[psycopg.Connection], Iterator[Rows]]
    ) -> int:
        """The same of a chunk whose events, by context so many, `encode` gives in that transaction, ready to be copied.

        The decisions of the chunk itself are none.
        """
        events = sum(counts.values())
        with self._chunk() as done:
            with self._connection.transaction():
                self._before(self._connection, chunk, counts)
                for rows in encode(self._connection):
                    append_rows(self._connection, rows, self._load.batch_id)
            done.tell(events=events)
        return events

    @property
    def is_first(self) -> bool:
        """Whether the log holds nothing that a family could be held against."""
        return self._load.is_first

    @property
    def batch_id(self) -> UUID:
        """The load's id."""
        return self._load.batch_id

    def _chunk(self) -> AbstractContextManager[Done]:
        return span(Work.LOAD_CHUNK, ends=Happening.LOAD_CHUNK_APPENDED, load=self._load.batch_id)

    def _before(self, connection: psycopg.Connection, chunk: Chunk, counts: Mapping[str, int]) -> None:
        """What is written in one transaction with the events of a chunk."""
        unit = chunk.unit.first_bucket
        is_done = chunk.up_to == chunk.unit.end
        self._check_ownership(connection)
        if self._work is not None:
            copy_references(connection, self._work, chunk.after, chunk.up_to, self._load.batch_seq)
        self._copy_due(connection, chunk.due)
        self._advance(connection, unit, chunk.part, (*chunk.up_to, is_done), counts)

    def append_lapsed(self, decisions: Sequence[Decision], due: Sequence[Due], known: Known) -> int:
        """Appends the evaluation of persons whom the extract does not show; returns the events."""

        def before(connection: psycopg.Connection) -> None:
            self._check_ownership(connection)
            self._copy_due(connection, due)
            self._advance(connection, LAPSED_UNIT, None, (LAPSED_UNIT, 0, UUID(int=0), False), _counts(decisions))

        return self._append(decisions, known, before)

    def append_quality(self, decisions: Sequence[Decision], known: Known) -> int:
        """Appends events of the quality context that this load causes; returns how many."""

        def before(connection: psycopg.Connection) -> None:
            self._check_ownership(connection)
            self._advance(connection, QUALITY_UNIT, None, (QUALITY_UNIT, 0, UUID(int=0), False), _counts(decisions))

        return self._append(decisions, known, before) if decisions else 0

    def due_customers(self, as_of: date, limit: int) -> list[UUID]:
        """Persons whose last purchase is so long ago, as of a date, that their evaluation is due; `limit` at most."""
        return self._due_customers(as_of, limit, evaluated=())

    def _due_customers(self, as_of: date, limit: int, evaluated: Collection[UUID]) -> list[UUID]:
        parameters = {
            "as_of": as_of,
            "batch_seq": self._load.batch_seq,
            "source": self._load.source,
            "evaluated": list(evaluated),
            "limit": limit,
        }
        return [customer_id for (customer_id,) in self._connection.execute(DUE_CUSTOMERS, parameters)]

    def _append(self, decisions: Sequence[Decision], known: Known, before: Callable[[psycopg.Connection], None]) -> int:
        """One transaction, also for a family of more events than the store takes at once."""
        recorded = list(recorded_of(decisions, known))
        with self._connection.transaction():
            before(self._connection)
            for some in batched(recorded, LARGEST_APPEND):
                self._store.append(self._connection, some, self._load.batch_id)
        return len(recorded)

    def _check_ownership(self, connection: psycopg.Connection) -> None:
        if connection.execute(OWNED, (self._load.batch_id, self._load.owner)).fetchone() is None:
            raise Conflicting(f"another process has taken over the load {self._load.batch_id}: this one ends here")

    def _copy_due(self, connection: psycopg.Connection, due: Iterable[Due]) -> None:
        copy_due(connection, self._load.batch_seq, due)

    def _advance(
        self,
        connection: psycopg.Connection,
        unit: int,
        part: int | None,
        reached: tuple[int, int, UUID, bool],
        counts: Mapping[str, int],
    ) -> None:
        batch_id = self._load.batch_id
        connection.execute(ADVANCE, (batch_id, unit, part, batch_id, unit, *reached, json.dumps(counts)))


class CountingLoadLog(PostgresLoadLog):
    """A dry run's store: reads like the real one, and counts what would be appended."""

    def __init__(self, connection: psycopg.Connection, store: EventStore, load: OpenLoad) -> None:
        super().__init__(connection, store, load, None)
        self.events: Counter[str] = Counter()
        self._evaluated: set[UUID] = set()

    def progress(self, unit: Unit) -> Progress:
        """Always the beginning: a dry run looks at the whole extract."""
        return Progress(0, unit.start, is_done=False)

    def append(self, chunk: Chunk, known: Known) -> int:
        """Counts a chunk."""
        self._evaluated.update(customer_id for customer_id, _ in chunk.due)
        return self._count(chunk.decisions)

    def append_lapsed(self, decisions: Sequence[Decision], due: Sequence[Due], known: Known) -> int:
        """Counts the evaluation of persons whom the extract does not show."""
        self._evaluated.update(customer_id for customer_id, _ in due)
        return self._count(decisions)

    def append_quality(self, decisions: Sequence[Decision], known: Known) -> int:
        """Counts events of the quality context."""
        return self._count(decisions)

    def due_customers(self, as_of: date, limit: int) -> list[UUID]:
        """As the real one, but for those whom this run has evaluated."""
        return self._due_customers(as_of, limit, self._evaluated)

    def _count(self, decisions: Sequence[Decision]) -> int:
        self.events.update(_counts(decisions))
        return len(decisions)


def _counts(decisions: Iterable[Decision]) -> Counter[str]:
    """How many events of each context."""
    return Counter(decision.context for decision in decisions)


def _stream_ids(families: Iterable[Family]) -> dict[str, set[UUID]]:
    """The streams that families are decided against, by context."""
    wanted: dict[str, set[UUID]] = {context: set() for context in CONTEXTS}
    for family in families:
        if isinstance(family, PersonWork):
            orders = [order.order_id for order in family.orders]
            wanted["sales"].update(orders)
            wanted["fulfillment"].update(orders)
            if family.customer_id is not None:
                wanted["customer"].add(family.customer_id)
            wanted["customer"].update(
                review_stream_id(row.review.review_id, row.review.order_id)
                for order in family.orders
                for row in order.reviews
            )
        elif isinstance(family, CategoryWork):
            wanted["marketplace"].add(category_stream_id(family.name))
        elif isinstance(family, AreaWork):
            wanted["fulfillment"].add(area_stream_id(family.zip_prefix))
        else:
            wanted["marketplace"].add(family.key)
    return wanted


def recorded_of(decisions: Iterable[Decision], known: Known) -> Iterator[Recorded]:
    """Decisions as the store takes them: each stream goes on where the log has it."""
    for (context, stream_id, event, source), version in numbered(decisions, known):
        yield Recorded(context, stream_id, version, event, source)


_LOOKUPS = {
    "row_fingerprint": "batch_seq, file, key, fingerprint",
    "order_reference": "batch_seq, order_id, customer_alias, status, placed_at, sellers",
    "alias_reference": "batch_seq, customer_alias, customer_id",
    "seller_reference": "batch_seq, seller_id, zip_prefix",
    "review_reference": "batch_seq, order_id, review_id",
    "segment_due": "batch_seq, customer_id, due",
}
"""The tables of what later loads look up, each with the columns of its lines."""


def copy_due(connection: psycopg.Connection, batch_seq: int, due: Iterable[Due]) -> None:
    """Writes from which days on persons count as lapsed, as a batch found out."""
    lines = "\n".join(f"{batch_seq}\t{customer_id}\t{at or chr(92) + 'N'}" for customer_id, at in due)
    copy_lines(connection, "segment_due", lines)


def copy_references(
    connection: psycopg.Connection, work: DuckDBWork, after: Place, up_to: Place, batch_seq: int
) -> None:
    """Writes what later loads look up of the families after a place up to another."""
    for table, rows in work.lookups(after, up_to, batch_seq):
        query = f"COPY event_store.{table} ({_LOOKUPS[table]}) FROM STDIN (FORMAT binary)"
        with connection.cursor().copy(query.encode()) as copy:
            for part in (HEADER, rows, TRAILER):
                copy.write(part)
    for table, lines in work.references(after, up_to, batch_seq):
        copy_lines(connection, table, lines)


def copy_lines(connection: psycopg.Connection, table: str, lines: str) -> None:
    """Adds lines of COPY text, without the last line's end, to a table of what later loads look up."""
    if lines:
        query = f"COPY event_store.{table} ({_LOOKUPS[table]}) FROM STDIN"
        with connection.cursor().copy(query.encode()) as copy:
            copy.write(lines)
            copy.write("\n")
