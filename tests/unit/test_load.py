"""Working through a plan: units, chunks, versions, and going on after a process was killed."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest

from replayhouse.domain.marketplace.seller import SellerFacts
from replayhouse.ingest import load
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.load import batched, evaluate_the_lapsed, numbered, units_of, work_through
from replayhouse.ingest.ports import Chunk, Due, Unit
from tests.support.fakes.load_log import MemoryLoadLog, MemoryLog
from tests.support.fakes.work import MemoryExtract, MemoryWork
from tests.support.load import HERE, ORDER, OTHER_ORDER, customers, extract, loaded, of_another_alias
from tests.support.orders import ALIAS, MONDAY, OTHER_ALIAS, PERSON, delivered

LOAD = UUID(int=1)
ALL = Unit(0, 255)
AS_OF = date(2018, 3, 5)
LAPSES_ON = MONDAY.date() + timedelta(days=181)


def many_sellers(count: int) -> MemoryExtract:
    return extract(sellers={UUID(int=number): SellerFacts("01001", "osasco", "SP") for number in range(1, count + 1)})


class Observed(MemoryLoadLog):
    """Remembers its chunks, and ends after some of them as a killed process does."""

    def __init__(self, log: MemoryLog, work: MemoryWork, ends_after: int | None = None, load_id: UUID = LOAD) -> None:
        log.loads.setdefault(load_id, AS_OF)
        super().__init__(log, load_id, work)
        self.chunks: list[Chunk] = []
        self._ends_after = ends_after

    def append(self, chunk: Chunk, known: Known) -> int:
        if len(self.chunks) == self._ends_after:
            raise KeyboardInterrupt
        self.chunks.append(chunk)
        return super().append(chunk, known)


def work_on(shown: MemoryExtract, log: MemoryLog, unit: Unit = ALL, ends_after: int | None = None) -> Observed:
    work = MemoryWork(shown, log)
    observed = Observed(log, work, ends_after)
    work_through(unit, work, observed, AS_OF, work.seller_zips())
    return observed


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "EVENTS_A_CHUNK", 5)
    monkeypatch.setattr(load, "FAMILIES_AT_ONCE", 3)


# --- units ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "units"),
    [
        ({}, [(0, 255)]),
        ({7: 100}, [(0, 7), (8, 255)]),
        ({3: 6, 4: 4, 5: 1}, [(0, 4), (5, 255)]),
        ({0: 99, 1: 1, 255: 99}, [(0, 0), (1, 254), (255, 255)]),
        (dict.fromkeys(range(256), 5), [(first, first + 1) for first in range(0, 256, 2)]),
    ],
)
def test_neighbouring_buckets_make_a_unit_until_it_holds_a_chunk(
    sizes: dict[int, int], units: list[tuple[int, int]]
) -> None:
    assert units_of(sizes, 10) == [Unit(*unit) for unit in units]


def test_a_units_families_all_stand_between_its_start_and_its_end() -> None:
    unit = Unit(3, 9)
    work = MemoryWork(many_sellers(200), MemoryLog())
    places = [place for place, _ in work.families(unit, unit.start)]
    assert places == sorted(places)
    assert {place.bucket for place in places} <= set(range(3, 10))
    assert all(unit.start < place < unit.end for place in places)


# --- chunks -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_chunks")
def test_chunks_follow_each_other_without_a_gap_and_end_with_the_unit() -> None:
    chunks = work_on(many_sellers(12), MemoryLog()).chunks
    assert [len(chunk.decisions) for chunk in chunks] == [5, 5, 2]
    assert [chunk.part for chunk in chunks] == [0, 1, 2]
    assert [chunk.after for chunk in chunks] == [ALL.start, *(chunk.up_to for chunk in chunks[:-1])]
    assert chunks[-1].up_to == ALL.end


def test_a_unit_without_work_is_done_with_an_empty_chunk() -> None:
    log = MemoryLog()
    (chunk,) = work_on(MemoryExtract(), log).chunks
    assert (chunk.decisions, chunk.up_to) == ([], ALL.end)
    assert log.progress[LOAD, ALL].is_done


def test_a_unit_that_is_done_appends_nothing_more() -> None:
    log = MemoryLog()
    work_on(many_sellers(3), log)
    again = work_on(many_sellers(5), log)
    assert again.chunks == []
    assert len(log.recorded) == 3


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("killed_after", [0, 1, 2, 3])
def test_a_load_killed_after_any_chunk_goes_on_to_the_same_result(killed_after: int) -> None:
    """The plan is made from the log before the load, so it is the same for the process that goes on."""
    at_once, killed = MemoryLog(), MemoryLog()
    work_on(many_sellers(17), at_once)
    work = MemoryWork(many_sellers(17), killed)
    with pytest.raises(KeyboardInterrupt):
        work_through(ALL, work, Observed(killed, work, killed_after), AS_OF, {})
    assert len(killed.recorded) == 5 * killed_after
    work_through(ALL, work, Observed(killed, work), AS_OF, {})
    assert killed.recorded == at_once.recorded


@pytest.mark.usefixtures("small_chunks")
def test_chunks_hold_whole_families_and_versions_that_follow_the_logs() -> None:
    orders = {UUID(int=number): delivered() for number in range(1, 9)}
    people = customers((PERSON, ALIAS, HERE))
    log = MemoryLog()
    first = work_on(extract(customers=people, orders=orders), log)
    assert len(first.chunks) == 2, "all orders of a person in one chunk, then the end of the unit"
    log.progress.clear()
    corrected = {order_id: delivered(approved_at=None) for order_id in orders}
    work_on(extract(orders=corrected), log)
    assert {one.originator_version for one in log.recorded if type(one.event).__name__ == "OrderAmended"} == {5}


# --- versions ---------------------------------------------------------------------------------------------------


def test_decisions_on_one_stream_are_numbered_from_the_logs_last_version_on() -> None:
    class Stream:
        last_version = 7
        effective_events: Sequence[object] = ()

    stream, other = UUID(int=1), UUID(int=2)
    known = Known({"sales": {stream: Stream()}})  # type: ignore[dict-item] # plain attributes serve as properties
    decisions = [
        Decision(context, stream_id, object(), None)  # type: ignore[arg-type] # nobody looks at the event
        for context, stream_id in [("sales", stream), ("sales", other), ("sales", stream), ("customer", stream)]
    ]
    assert [version for _, version in numbered(decisions, known)] == [8, 1, 9, 1]
    assert [decision for decision, _ in numbered(decisions, known)] == decisions


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (3, [3]), (7, [3, 3, 1])])
def test_batches_hold_so_many_and_the_last_one_the_rest(count: int, sizes: list[int]) -> None:
    assert [len(some) for some in batched(range(count), 3)] == sizes


# --- the lapsed -------------------------------------------------------------------------------------------------


def test_the_lapsed_are_evaluated_some_at_a_time_until_nobody_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "FAMILIES_AT_ONCE", 2)
    people = [UUID(int=number) for number in range(1, 6)]
    warehouse = loaded(
        extract(
            customers=customers(*((person, person, HERE) for person in people)),
            orders={person: of_another_alias(delivered(), person) for person in people},
        )
    )
    later = warehouse.log.open_load(UUID(int=99), date(2018, 9, 1))
    assert evaluate_the_lapsed(later, date(2018, 9, 1)) == 0, "day 180"
    assert evaluate_the_lapsed(later, date(2018, 9, 2)) == 5
    assert evaluate_the_lapsed(later, date(2018, 9, 2)) == 0
    assert {warehouse.customer(person).segment for person in people} == {"CHURNED"}


def dues_of_the_next_load(shown: MemoryExtract) -> list[Due]:
    """What is told of a person's date, after a load with an order that was delivered."""
    warehouse = loaded(extract(customers=customers((PERSON, ALIAS, HERE)), orders={ORDER: delivered()}))
    assert warehouse.log.due[PERSON].at == LAPSES_ON
    work = MemoryWork(shown, warehouse.log)
    observed = Observed(warehouse.log, work, load_id=UUID(int=2))
    work_through(ALL, work, observed, warehouse.as_of, {})
    assert any(chunk.decisions for chunk in observed.chunks)
    return [due for chunk in observed.chunks for due in chunk.due]


def test_a_due_date_that_did_not_change_is_not_told_again() -> None:
    assert dues_of_the_next_load(extract(orders={ORDER: delivered(approved_at=None)})) == []


def test_a_due_date_that_changed_is_told() -> None:
    later = delivered(placed_at=MONDAY + timedelta(days=1))
    assert dues_of_the_next_load(extract(orders={ORDER: later})) == [Due(PERSON, LAPSES_ON + timedelta(days=1))]


def test_a_due_date_that_did_not_change_is_told_again_with_another_segment() -> None:
    earlier = of_another_alias(delivered(placed_at=MONDAY - timedelta(days=9)), OTHER_ALIAS)
    shown = extract(customers=customers((PERSON, OTHER_ALIAS, HERE)), orders={OTHER_ORDER: earlier})
    assert dues_of_the_next_load(shown) == [Due(PERSON, LAPSES_ON)]
