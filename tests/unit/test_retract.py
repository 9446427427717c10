"""Taking loads back, in memory: chunk by chunk, and any sequence of loads and retractions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.fulfillment.area import Sample
from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import Rewound, effective, rewind
from replayhouse.domain.marketplace.product import ProductFacts
from replayhouse.domain.marketplace.seller import SellerFacts
from replayhouse.ingest import retract
from replayhouse.ingest.decision import Decision
from replayhouse.ingest.retract import Retraction, Touched, retraction_id_of, take_back
from replayhouse.projections.projection import Row, Stream
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.fakes.load_log import LOOKUPS, MemoryLog
from tests.support.fakes.retraction_log import MemoryRetractionLog
from tests.support.fakes.work import CustomerRecord, MemoryExtract
from tests.support.load import HERE, THERE, Warehouse, items, payments, review, reviews
from tests.support.orders import MONDAY, OTHER_SELLER, PRODUCT, SELLER, delivered, header, line, payment

FIRST_LOAD = UUID(int=1)
NOW = datetime(2018, 12, 1)


# --- chunks ---------------------------------------------------------------------------------------------------------


class Observed(MemoryRetractionLog):
    """Remembers its chunks, and ends after some of them as a killed process does."""

    def __init__(self, log: MemoryLog, load_id: UUID, ends_after: int | None = None) -> None:
        super().__init__(log, load_id)
        self.chunks: list[Sequence[Touched]] = []
        self._ends_after = ends_after

    def append_rewinds(self, streams: Sequence[Touched], decisions: Sequence[Decision]) -> None:
        if len(self.chunks) == self._ends_after:
            raise KeyboardInterrupt
        self.chunks.append(streams)
        super().append_rewinds(streams, decisions)


def taking_back(log: Observed) -> dict[str, int]:
    return take_back(log, Retraction(FIRST_LOAD, "why not", "ana", NOW), lambda _: None)


def with_sellers(count: int) -> Warehouse:
    warehouse = Warehouse()
    warehouse.load(
        MemoryExtract(sellers={UUID(int=n): SellerFacts("01001", "osasco", "SP") for n in range(100, 100 + count)})
    )
    return warehouse


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retract, "STREAMS_A_CHUNK", 5)


@pytest.mark.usefixtures("small_chunks")
def test_streams_are_rewound_some_at_a_time_each_once() -> None:
    warehouse = with_sellers(12)
    log = Observed(warehouse.log, FIRST_LOAD)
    assert taking_back(log)["marketplace"] == 12
    assert [len(chunk) for chunk in log.chunks] == [5, 5, 2]
    assert all(len(events) == 2 for events in warehouse.log.streams.values())


@pytest.mark.usefixtures("small_chunks")
def test_killed_after_any_chunk_it_goes_on_and_comes_to_the_same_end() -> None:
    undisturbed = with_sellers(12)
    taking_back(Observed(undisturbed.log, FIRST_LOAD))
    for ends_after in range(4):
        warehouse = with_sellers(12)
        if ends_after < 3:
            with pytest.raises(KeyboardInterrupt):
                taking_back(Observed(warehouse.log, FIRST_LOAD, ends_after))
        taking_back(Observed(warehouse.log, FIRST_LOAD))
        assert warehouse.log.recorded == undisturbed.log.recorded


def test_a_stream_is_rewound_to_the_version_before_the_loads_first_event() -> None:
    assert rewind(FIRST_LOAD, 1, NOW) == Rewound(NOW, FIRST_LOAD, 0)
    assert rewind(FIRST_LOAD, 7, NOW) == Rewound(NOW, FIRST_LOAD, 6)
    with pytest.raises(DomainError):
        rewind(FIRST_LOAD, 0, NOW)


def test_a_load_has_one_retraction() -> None:
    assert retraction_id_of(FIRST_LOAD) == retraction_id_of(UUID(int=1)) != retraction_id_of(UUID(int=2))


# --- any sequence ---------------------------------------------------------------------------------------------------

PEOPLE = [UUID(int=0xA1 + number) for number in range(3)]
ALIASES = [UUID(int=0xB1 + number) for number in range(5)]
ORDERS = [UUID(int=0xE1 + number) for number in range(5)]
HEADERS = (
    header("created"),
    header("approved", approved_at=MONDAY),
    header("shipped", approved_at=MONDAY, shipped_at=MONDAY + timedelta(days=1)),
    delivered(),
    delivered(completed_at=MONDAY + timedelta(days=30)),
    header("canceled", approved_at=MONDAY),
)
SELLERS = (SELLER, OTHER_SELLER)


@st.composite
def extracts(draw: st.DrawFn) -> MemoryExtract:
    """Some of five orders of three people, in whatever state, with what belongs to them, or lacks."""
    shown = MemoryExtract()
    for number, (order_id, alias) in enumerate(zip(ORDERS, ALIASES, strict=True)):
        if draw(st.booleans()):
            address: Address = draw(st.sampled_from((HERE, THERE)))
            shown.customers[alias] = CustomerRecord(PEOPLE[number % 3], alias, address)
        if draw(st.booleans()):
            days = timedelta(days=draw(st.sampled_from((0, 1, 200, 400))))
            found = draw(st.sampled_from(HEADERS))
            shown.orders[order_id] = replace(found, customer_alias=alias, placed_at=found.placed_at + days)
            price = draw(st.sampled_from(("80.00", "900.00")))
            shown.order_items |= items(order_id, line(price=price, seller_id=draw(st.sampled_from(SELLERS))))
            if draw(st.booleans()):
                shown.order_payments |= payments(order_id, payment(amount=draw(st.sampled_from(("100.00", "7.00")))))
            if draw(st.booleans()):
                shown.order_reviews |= reviews(review(order_id, draw(st.integers(1, 5))))
    for seller_id in SELLERS:
        if draw(st.booleans()):
            shown.sellers[seller_id] = SellerFacts(draw(st.sampled_from(("01001", "80000"))), "osasco", "SP")
    if draw(st.booleans()):
        shown.products[PRODUCT] = ProductFacts(draw(st.sampled_from((None, "casa"))), 1, 2, 3, 4, 5, 6, 7)
        shown.categories["casa"] = draw(st.sampled_from(("home", "house")))
        shown.geolocation["01001"] = [Sample(draw(st.sampled_from((-23.5, -23.6))), -46.6, "são paulo", "SP")]
    return shown


def rows_of(log: MemoryLog) -> dict[str, list[Row]]:
    """All rows that follow from the log, sorted, without position."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for (context, stream_id), events in log.streams.items():
        for table, some in PROJECTIONS[context].fold(Stream(stream_id, 0, effective(events))).items():
            rows[table] += some
    return {table: sorted(some, key=repr) for table, some in rows.items() if some}


def lookups_of(log: MemoryLog) -> dict[str, Any]:
    """What later loads look up; of a due person, not which load found it out, for they are counted otherwise."""
    found = {name: {key: value for key, value in getattr(log, name).items() if value} for name in LOOKUPS}
    return {**found, "due": {person: due.at for person, due in log.due.items()}}


@given(st.lists(st.one_of(extracts(), st.integers(1, 2)), min_size=3, max_size=7))
@settings(max_examples=120, deadline=None)
def test_loads_and_retractions_give_the_rows_of_the_extracts_that_survive(steps: list[MemoryExtract | int]) -> None:
    """A load that the domain refuses half way is open, and taken back."""
    warehouse, survivors = Warehouse(), list[tuple[UUID, MemoryExtract]]()
    for step in steps:
        if isinstance(step, int):
            for load_id, _ in reversed(survivors[-step:]):
                warehouse.take_back(load_id)
            del survivors[-step:]
            continue
        load_id = UUID(int=len(warehouse.log.loads) + 1)
        try:
            warehouse.load(step)
            survivors.append((load_id, step))
        except DomainError:
            warehouse.take_back(load_id)
    expected = Warehouse()
    for _, shown in survivors:
        expected.load(shown)
    assert rows_of(warehouse.log) == rows_of(expected.log)
    assert lookups_of(warehouse.log) == lookups_of(expected.log)
