"""Working through units of a load on columns: what `ingest.load.work_through` does, with the same chunks in the end.

The new persons of several neighbouring units are decided and encoded together, for the more of them there are, the more
are of one shape. All other families are held against the log, and decided by themselves. Appended they are unit by
unit, family by family in the order of the plan, so that a load may go on either way. A key of personal fields that is
new is written in the transaction of the first event that needs it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import repeat
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import duckdb
import numpy as np
import psycopg

from replayhouse.infra.columns.log_rows import ColumnRows
from replayhouse.infra.event_store.keys import known_keys, write_keys
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.event_store.serialization.personal import new_key
from replayhouse.infra.loads.load_log import PostgresLoadLog, recorded_of
from replayhouse.infra.loads.on_columns.deciding import ShapeDecided, ZipsOfSellers, decide_shapes
from replayhouse.infra.loads.on_columns.encoding import EncodedFamilies, Placed, Single, subjects_in
from replayhouse.infra.loads.on_columns.known_persons import are_new
from replayhouse.infra.loads.on_columns.staged_persons import StagedPersons
from replayhouse.infra.staging.work import DuckDBWork
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.ingest import load
from replayhouse.ingest.ports import Chunk, Due, Place, Progress, Unit
from replayhouse.ingest.work import Family, Kind


class _Alone(NamedTuple):
    """A family that was decided by itself."""

    events: list[Recorded]
    due: list[Due]


class ColumnWorker:
    """Works through runs of neighbouring units."""

    def __init__(
        self,
        connection: psycopg.Connection,
        staged: duckdb.DuckDBPyConnection,
        log: PostgresLoadLog,
        as_of: date | None,
        mapper: Mapper,
    ) -> None:
        self._connection, self._staged, self._log, self._as_of, self._mapper = connection, staged, log, as_of, mapper
        self._work = DuckDBWork(staged)
        self._zips = ZipsOfSellers(self._work.seller_zips())

    def run(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, int]]:
        """Decides and appends what is left of the units; tells of each how many events that were."""
        progress = {unit: self._log.progress(unit) for unit in units}
        left = [unit for unit in units if not progress[unit].is_done]
        yield from ((unit, 0) for unit in units if unit not in left)
        if left:
            plan = self._decided(Unit(left[0].first_bucket, left[-1].last_bucket))
            shapes, singles = plan.placed()
            needed = subjects_in(shapes, singles, self._mapper)
            known = known_keys(self._connection, needed)
            new = _NewKeys({subject: place for subject, place in needed.items() if subject not in known})
            encoded = EncodedFamilies(shapes, singles, self._mapper, self._log.batch_id, known | new.keys)
            for unit in left:
                with span(Work.LOAD_UNIT) as done:
                    events = sum(self._append(unit, progress[unit], plan, encoded, new))
                    done.tell(events=events)
                yield unit, events

    def _decided(self, buckets: Unit) -> "_Decided":
        """What is decided on all families of some buckets."""
        staged = StagedPersons(self._staged, (buckets.first_bucket, buckets.last_bucket))
        new = are_new(self._connection, staged, is_first=self._log.is_first)
        shapes, left = decide_shapes(staged, new, self._zips, self._as_of)
        numbers = {staged.keys[person].decode(): person for person in left}
        some = self._work.persons(buckets, list(numbers)) if numbers else ()
        alone = {numbers[str(place.key)]: family for place, family in self._alone(some)}
        others = list(self._alone(self._work.catalogue(buckets, buckets.start)))
        return _Decided(staged, shapes, alone, others)

    def _alone(self, families: Iterable[tuple[Place, Family]]) -> Iterator[tuple[Place, _Alone]]:
        """Families one by one, held against what the log knows of them."""
        for some in load.batched(families, load.FAMILIES_AT_ONCE):
            known, reviews = self._log.known([family for _, family in some])
            for place, family in some:
                due: list[Due] = []
                decisions = load.decide(family, known, self._zips.plain, reviews, self._as_of, due)
                yield place, _Alone(list(recorded_of(decisions, known)), due)

    def _append(
        self, unit: Unit, progress: Progress, plan: "_Decided", encoded: EncodedFamilies, new: "_NewKeys"
    ) -> Iterator[int]:
        """Appends a unit chunk by chunk; tells how many events each was."""
        rank, end = plan.ranks(progress.after, unit.end)
        part, after, is_last = progress.next_part, progress.after, False
        while not is_last:
            following = plan.chunk_end(rank)
            is_last = following > end
            following, up_to = (end, unit.end) if is_last else (following, plan.places[following - 1])
            first, last = plan.events(rank, following)

            def rows(connection: psycopg.Connection, first: int = first, last: int = last) -> Iterator[ColumnRows]:
                write_keys(connection, new.first_needed(first, last))
                yield from encoded.rows(first, last)

            chunk = Chunk(unit, part, after, up_to, due=plan.due(rank, following))
            yield self._log.append_encoded(chunk, encoded.counts(first, last), rows)
            rank, part, after = following, part + 1, up_to


class _NewKeys:
    """Keys of those who had none, each with the place of the first event that needs it."""

    def __init__(self, needed: Mapping[UUID, int]) -> None:
        self.keys = {subject: new_key() for subject in needed}
        self._places = sorted((place, subject) for subject, place in needed.items())

    def first_needed(self, first: int, after: int) -> dict[UUID, bytes]:
        """The keys that are needed first from one place to before another."""
        begin, end = (bisect_left(self._places, place, key=itemgetter(0)) for place in (first, after))
        return {subject: self.keys[subject] for _, subject in self._places[begin:end]}


class _Decided:
    """The families of some buckets by rank: their numbers in the order of the plan. Their events have places in it."""

    def __init__(
        self,
        staged: StagedPersons,
        shapes: list[ShapeDecided],
        alone: dict[int, _Alone],
        others: list[tuple[Place, _Alone]],
    ) -> None:
        buckets = np.concatenate((staged.buckets, [place.bucket for place, _ in others])).astype(np.int64)
        kinds = np.concatenate((np.full(staged.count, Kind.PERSON), [place.kind for place, _ in others])).astype(int)
        keys = np.concatenate((staged.keys, np.array([str(place.key).encode() for place, _ in others], "S36")))
        order = np.lexsort((keys, kinds, buckets))
        self._rank = np.empty(len(order), np.int64)
        self._rank[order] = np.arange(len(order))
        columns = (buckets[order].tolist(), kinds[order].tolist(), keys[order].tolist())
        self.places = [Place(bucket, kind, UUID(key.decode())) for bucket, kind, key in zip(*columns, strict=True)]
        self._shapes = shapes
        self._alone = alone | {staged.count + number: family for number, (_, family) in enumerate(others)}
        events = np.zeros(len(order), np.int64)
        for shape in shapes:
            events[self._rank[shape.persons]] = len(shape.events)
        for number, family in self._alone.items():
            events[self._rank[number]] = len(family.events)
        self._starts = np.concatenate(([0], np.cumsum(events)))
        self._due = sorted(self._all_due(), key=itemgetter(0))

    def placed(self) -> tuple[list[Placed], list[Single]]:
        """All events with their places: those of shapes, and those of families by themselves."""
        shapes = [Placed(shape, self._starts[self._rank[shape.persons]]) for shape in self._shapes]
        singles = [
            Single(place, recorded)
            for number, family in self._alone.items()
            for place, recorded in enumerate(family.events, int(self._starts[self._rank[number]]))
        ]
        return shapes, singles

    def ranks(self, after: Place, end: Place) -> tuple[int, int]:
        """The rank of the first family after a place, and that after the last one up to another."""
        return bisect_right(self.places, after), bisect_right(self.places, end)

    def chunk_end(self, rank: int) -> int:
        """The rank after the last family of a chunk that begins with one; beyond all ranks, where it is not full."""
        full = int(self._starts[rank]) + load.EVENTS_A_CHUNK
        return int(np.searchsorted(self._starts[1:], full)) + 1

    def events(self, rank: int, following: int) -> tuple[int, int]:
        """Where the events of families begin and end, from one rank to before another."""
        return int(self._starts[rank]), int(self._starts[following])

    def due(self, rank: int, following: int) -> list[Due]:
        """The dates that changed of the families from one rank to before another."""
        first, after = (bisect_left(self._due, one, key=itemgetter(0)) for one in (rank, following))
        return [due for _, due in self._due[first:after]]

    def _all_due(self) -> Iterator[tuple[int, Due]]:
        for shape in self._shapes:
            yield from zip(self._rank[shape.persons].tolist(), _due_of(shape), strict=False)
        for number, family in self._alone.items():
            yield from ((int(self._rank[number]), due) for due in family.due)


def _due_of(shape: ShapeDecided) -> list[Due]:
    if not shape.due_changed or shape.customer_id is None:
        return []
    due = shape.due
    dates = repeat(due) if due is None or type(due) is date else due.tolist()
    return list(map(Due, shape.customer_id.tolist(), dates))
