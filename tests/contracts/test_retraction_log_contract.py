"""What every log keeps for retractions (port RetractionLog): PostgreSQL and the one in memory alike."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import psycopg
import pytest

from replayhouse.domain.customer.events import CustomerAnonymized
from replayhouse.domain.kernel.events import DomainEvent, Rewound, effective
from replayhouse.domain.quality.events import BatchOpened, BatchRetracted, RowQuarantined
from replayhouse.domain.sales.events import OrderApproved, OrderInvoiced
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.batches import Loads
from replayhouse.infra.loads.load_log import OpenLoad, PostgresLoadLog
from replayhouse.infra.loads.retraction_log import PostgresRetractionLog
from replayhouse.infra.loads.retractions import LoadStatus, Retractions
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.ports import Due
from replayhouse.ingest.retract import Retraction, RetractionLog, Touched, take_back
from tests.support.fakes.load_log import MemoryLog
from tests.support.fakes.retraction_log import MemoryRetractionLog
from tests.support.load_logs import (
    AS_OF,
    FAMILY,
    MONDAY,
    ORDER,
    OTHER_ORDER,
    PERSON,
    PLACED,
    REGISTERED,
    REVIEW,
    Log,
    References,
    chunk,
    decided,
)

ROW = UUID(int=0xC1)
APPROVED = OrderApproved(MONDAY, MONDAY)
APART = RowQuarantined(MONDAY, UUID(int=1), "orders", 2, "statuses_known", "", None)
NOW = datetime(2018, 9, 4, tzinfo=UTC)


class Warehouse(Protocol):
    """Opens loads and retractions, one after the other."""

    def load(self) -> tuple[UUID, Log]:
        """A load that is open now; those before it are completed."""

    def retraction(self, load_id: UUID) -> RetractionLog:
        """The retraction of a load, which is the newest: it begins, or another process goes on with it."""

    def decide(self, context: str, stream: UUID, version: int, event: DomainEvent) -> None:
        """An event of no load."""

    def events(self, context: str, stream: UUID) -> Sequence[DomainEvent]:
        """All events of a stream."""


class MemoryWarehouse:
    def __init__(self) -> None:
        self._log = MemoryLog()

    def load(self) -> tuple[UUID, Log]:
        load_id = uuid4()
        return load_id, self._log.open_load(load_id, AS_OF)

    def retraction(self, load_id: UUID) -> RetractionLog:
        return MemoryRetractionLog(self._log, load_id)

    def decide(self, context: str, stream: UUID, version: int, event: DomainEvent) -> None:
        self._log.append([Recorded(context, stream, version, event)])

    def events(self, context: str, stream: UUID) -> Sequence[DomainEvent]:
        return self._log.events(context, stream)


class PostgresWarehouse:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._store = EventStore()
        self._loads = Loads(connection)
        self._open: OpenLoad | None = None

    def load(self) -> tuple[UUID, Log]:
        if self._open is not None:
            self._loads.finish(self._open.batch_id, self._open.owner, "completed", {})
        load_id, owner = uuid4(), uuid4()
        seq = self._loads.begin(load_id, "load", {}, 0, AS_OF, [0], owner, NOW, Path("nowhere"))
        self._open = OpenLoad(load_id, seq, owner, is_first=False)
        work = References({"review_reference": [(ORDER, REVIEW)]})
        return load_id, PostgresLoadLog(self._connection, self._store, self._open, work)

    def retraction(self, load_id: UUID) -> RetractionLog:
        retractions, owner = Retractions(self._connection), uuid4()
        if retractions.told(load_id) is None:
            load = LoadStatus(load_id, "load", "open")
            retractions.begin(load, Retraction(load_id, "because", "ana", NOW), owner)
            self._open = None
        else:
            retractions.take_over(load_id, owner)
        return PostgresRetractionLog(self._connection, self._store, load_id, owner)

    def decide(self, context: str, stream: UUID, version: int, event: DomainEvent) -> None:
        self._store.append(self._connection, [Recorded(context, stream, version, event)], None)

    def events(self, context: str, stream: UUID) -> Sequence[DomainEvent]:
        found = self._store.streams(self._connection, context, [stream]).get(stream)
        return found.events if found is not None else []


@pytest.fixture(params=["memory", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    if request.param == "memory":
        return MemoryWarehouse()
    return PostgresWarehouse(request.getfixturevalue("conn"))


def loaded(warehouse: Warehouse, *decisions: Decision) -> UUID:
    """A load that appends what is decided."""
    load_id, log = warehouse.load()
    known, _ = log.known([FAMILY])
    log.append(chunk(*decisions), known)
    return load_id


def taken_back(warehouse: Warehouse, load_id: UUID) -> dict[str, int]:
    return take_back(warehouse.retraction(load_id), Retraction(load_id, "because", "ana", NOW), lambda _: None)


def rewinds(load_id: UUID, streams: Sequence[Touched]) -> list[Decision]:
    return [Decision(s.context, s.stream_id, Rewound(NOW, load_id, s.first_version - 1), None) for s in streams]


# --- which streams --------------------------------------------------------------------------------------------------


def test_the_streams_of_the_load_come_by_context_and_id_with_its_first_version_there(warehouse: Warehouse) -> None:
    loaded(warehouse, *decided(PLACED))
    customer = decided(REGISTERED, stream=PERSON, context="customer")
    load_id = loaded(warehouse, *customer, *decided(PLACED, stream=OTHER_ORDER), *decided(APPROVED, APPROVED))
    log = warehouse.retraction(load_id)
    found: list[Touched] = []
    while some := log.next_touched(2):
        log.append_rewinds(some, rewinds(load_id, some))
        found += some
    assert found == [
        Touched("sales", ORDER, 2, 3),
        Touched("sales", OTHER_ORDER, 1, 1),
        Touched("customer", PERSON, 1, 1),
    ]
    assert log.events_of_load() == {"sales": 3, "fulfillment": 0, "customer": 1, "marketplace": 0, "quality": 0}
    assert list(effective(warehouse.events("sales", ORDER))) == [PLACED]


def test_another_process_goes_on_after_the_last_chunk(warehouse: Warehouse) -> None:
    load_id = loaded(warehouse, *decided(PLACED), *decided(PLACED, stream=OTHER_ORDER))
    log = warehouse.retraction(load_id)
    first = log.next_touched(1)
    log.append_rewinds(first, rewinds(load_id, first))
    assert list(warehouse.retraction(load_id).next_touched(10)) == [Touched("sales", OTHER_ORDER, 1, 1)]


def test_what_other_loads_have_touched_is_left_alone(warehouse: Warehouse) -> None:
    loaded(warehouse, *decided(PLACED, stream=OTHER_ORDER))
    load_id = loaded(warehouse, *decided(PLACED))
    taken_back(warehouse, load_id)
    assert list(warehouse.events("sales", OTHER_ORDER)) == [PLACED]


# --- decisions of people --------------------------------------------------------------------------------------------


def test_a_decision_since_it_has_begun_is_rewound_with_what_it_stands_on(warehouse: Warehouse) -> None:
    load_id = loaded(warehouse, *decided(PLACED), *decided(PLACED, stream=OTHER_ORDER))
    log = warehouse.retraction(load_id)
    first = log.next_touched(1)
    log.append_rewinds(first, rewinds(load_id, first))
    warehouse.decide("sales", ORDER, 3, OrderInvoiced(MONDAY))
    warehouse.decide("sales", OTHER_ORDER, 2, OrderInvoiced(MONDAY))
    taken_back(warehouse, load_id)
    assert list(effective(warehouse.events("sales", ORDER))) == [OrderInvoiced(MONDAY)], "as it would be after the end"
    assert list(effective(warehouse.events("sales", OTHER_ORDER))) == []


def test_a_decision_before_it_does_not_and_counts(warehouse: Warehouse) -> None:
    loaded(warehouse, *decided(PLACED))
    warehouse.decide("sales", ORDER, 2, OrderInvoiced(MONDAY))
    load_id, log = warehouse.load()
    known, _ = log.known([FAMILY])
    log.append(chunk(*decided(APPROVED)), known)
    taken_back(warehouse, load_id)
    assert list(effective(warehouse.events("sales", ORDER))) == [PLACED, OrderInvoiced(MONDAY)]


def test_an_event_that_survives_does_not(warehouse: Warehouse) -> None:
    erased = CustomerAnonymized(MONDAY, "asked for it", "ana")
    load_id = loaded(warehouse, *decided(REGISTERED, stream=PERSON, context="customer"))
    warehouse.decide("customer", PERSON, 2, erased)
    taken_back(warehouse, load_id)
    assert list(effective(warehouse.events("customer", PERSON))) == [erased]


# --- the end --------------------------------------------------------------------------------------------------------


def test_the_load_says_of_itself_what_became_of_it_and_its_rows_are_rewound(warehouse: Warehouse) -> None:
    load_id, log = warehouse.load()
    opened = BatchOpened(MONDAY, MONDAY, "load", ())
    log.append_quality([Decision("quality", load_id, opened, None)], Known())
    log.append_quality([Decision("quality", ROW, APART, None)], Known())
    log.append(chunk(*decided(PLACED)), Known())
    assert taken_back(warehouse, load_id)["quality"] == 1
    assert list(effective(warehouse.events("quality", ROW))) == []
    (first, last) = warehouse.events("quality", load_id)
    assert first == opened
    assert isinstance(last, BatchRetracted)
    assert (last.reason, last.by) == ("because", "ana")
    assert {count.context: count.events for count in last.events if count.events} == {"sales": 1, "quality": 1}


def test_what_the_load_had_written_down_counts_no_longer(warehouse: Warehouse) -> None:
    people = [UUID(int=1), UUID(int=2)]
    _, first = warehouse.load()
    first.append(chunk(due=[Due(people[0], AS_OF)]), Known())
    load_id, log = warehouse.load()
    log.append(chunk(*decided(PLACED), due=[Due(people[0], None), Due(people[1], AS_OF)]), Known())
    taken_back(warehouse, load_id)
    _, later = warehouse.load()
    assert later.due_customers(AS_OF, 10) == people[:1]


def test_nothing_is_appended_by_a_process_that_another_one_has_replaced(
    warehouse: Warehouse,
) -> None:
    load_id = loaded(warehouse, *decided(PLACED))
    frozen = warehouse.retraction(load_id)
    streams = frozen.next_touched(1)
    other = warehouse.retraction(load_id)
    other.append_rewinds(streams, rewinds(load_id, streams))
    with pytest.raises(ReplayhouseError):
        frozen.append_rewinds(streams, rewinds(load_id, streams))
    assert len(warehouse.events("sales", ORDER)) == 2


def test_a_load_that_never_told_anything_says_nothing_now(warehouse: Warehouse) -> None:
    load_id, _ = warehouse.load()
    assert not any(taken_back(warehouse, load_id).values())
    assert list(warehouse.events("quality", load_id)) == []
