"""What every log keeps for loads (ports LoadLog and QualityLog): PostgreSQL and the one in memory alike."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import psycopg
import pytest

from replayhouse.domain.customer.customer import customer_of
from replayhouse.domain.customer.events import PurchaseRecorded, ReviewSubmitted
from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.quality.events import BatchRejected
from replayhouse.domain.sales.events import OrderApproved
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.batches import Loads
from replayhouse.infra.loads.load_log import OpenLoad, PostgresLoadLog
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.ports import Due, Place, Progress, Unit
from replayhouse.ingest.work import OrderWork, PersonWork
from tests.support.fakes.load_log import MemoryLog
from tests.support.load_logs import (
    ALIAS,
    ALL,
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
    Pairs,
    References,
    chunk,
    decided,
)

HALFWAY = Place(100, 1, UUID(int=7))

APPROVED = OrderApproved(MONDAY, MONDAY)
REVIEWED = ReviewSubmitted(MONDAY, REVIEW, ORDER, PERSON, 5, MONDAY, MONDAY, None, "chegou")


class Warehouse(Protocol):
    """Opens loads, one after the other."""

    def load(self, as_of: date | None = AS_OF, reviews: Pairs = (), aliases: Pairs = ()) -> Log:
        """A load that is open now; those before it are completed.

        Its chunks write down `reviews` (order and review) and `aliases` (alias and person) for later loads.
        """


class MemoryWarehouse:
    def __init__(self) -> None:
        self._log = MemoryLog()

    def load(self, as_of: date | None = AS_OF, reviews: Pairs = (), aliases: Pairs = ()) -> Log:
        """The log finds reviews among the events."""
        self._log.persons.update(aliases)
        return self._log.open_load(uuid4(), as_of)


class PostgresWarehouse:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._loads = Loads(connection)
        self._open: OpenLoad | None = None

    def load(self, as_of: date | None = AS_OF, reviews: Pairs = (), aliases: Pairs = ()) -> Log:
        if self._open is not None:
            self._loads.finish(self._open.batch_id, self._open.owner, "completed", {})
        batch_id, owner = uuid4(), uuid4()
        seq = self._loads.begin(batch_id, "load", {}, 0, as_of, [0], owner, datetime.now(UTC), Path("extract"))
        self._open = OpenLoad(batch_id, seq, owner, is_first=False)
        return PostgresLoadLog(
            self._connection,
            EventStore(),
            self._open,
            References({"review_reference": reviews, "alias_reference": aliases}),
        )


@pytest.fixture(params=["memory", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    if request.param == "memory":
        return MemoryWarehouse()
    return PostgresWarehouse(request.getfixturevalue("conn"))


# --- streams ----------------------------------------------------------------------------------------------------


def test_nothing_is_known_of_what_was_never_appended(warehouse: Warehouse) -> None:
    known, reviews = warehouse.load().known([FAMILY])
    assert list(known.events("sales", ORDER)) == []
    assert known.last_version("sales", ORDER) == 0
    assert not reviews


def test_what_a_chunk_appended_is_known_afterwards_in_order(warehouse: Warehouse) -> None:
    log = warehouse.load()
    customer = decided(REGISTERED, stream=PERSON, context="customer")
    assert log.append(chunk(*decided(PLACED, APPROVED), *customer), Known()) == 3
    known, _ = log.known([FAMILY])
    assert list(known.events("sales", ORDER)) == [PLACED, APPROVED]
    assert list(known.events("customer", PERSON)) == [REGISTERED]
    assert (known.last_version("sales", ORDER), known.last_version("customer", PERSON)) == (2, 1)


def test_a_stream_goes_on_where_the_log_has_it(warehouse: Warehouse) -> None:
    warehouse.load().append(chunk(*decided(PLACED)), Known())
    log = warehouse.load()
    known, _ = log.known([FAMILY])
    log.append(chunk(*decided(APPROVED)), known)
    after, _ = log.known([FAMILY])
    assert list(after.events("sales", ORDER)) == [PLACED, APPROVED]
    assert after.last_version("sales", ORDER) == 2


def test_what_is_known_stays_as_it_was_looked_up(warehouse: Warehouse) -> None:
    log = warehouse.load()
    known, _ = log.known([FAMILY])
    log.append(chunk(*decided(PLACED)), known)
    assert known.last_version("sales", ORDER) == 0


def test_nobody_appends_a_version_that_somebody_else_has_recorded(warehouse: Warehouse) -> None:
    log = warehouse.load()
    log.append(chunk(*decided(PLACED), up_to=HALFWAY), Known())
    with pytest.raises(ReplayhouseError):
        log.append(chunk(*decided(APPROVED), *decided(PLACED, stream=OTHER_ORDER), part=1), Known())
    known, _ = log.known([FAMILY, PersonWork(OTHER_ORDER, None, orders=[OrderWork(OTHER_ORDER)])])
    assert list(known.events("sales", ORDER)) == [PLACED]
    assert list(known.events("sales", OTHER_ORDER)) == [], "all or nothing"
    assert log.progress(ALL) == Progress(1, HALFWAY, is_done=False), "nor is the work done"


def test_the_reviews_of_an_order_are_known_though_the_extract_does_not_show_them(warehouse: Warehouse) -> None:
    stream = review_stream_id(REVIEW, ORDER)
    review = decided(REVIEWED, stream=stream, context="customer")
    warehouse.load(reviews=[(ORDER, REVIEW)]).append(chunk(*review), Known())
    known, reviews = warehouse.load().known([FAMILY])
    assert reviews[ORDER] == [stream]
    assert list(known.events("customer", stream)) == [REVIEWED]


def test_persons_are_known_by_themselves(warehouse: Warehouse) -> None:
    log = warehouse.load()
    log.append(chunk(*decided(REGISTERED, stream=PERSON, context="customer")), Known())
    assert customer_of(log.known_customers([PERSON, ALIAS]).events("customer", PERSON)).is_registered
    assert list(log.known_customers([ALIAS]).events("customer", ALIAS)) == []


# --- progress ---------------------------------------------------------------------------------------------------


def test_a_unit_that_nobody_began_is_worked_through_from_its_start(warehouse: Warehouse) -> None:
    assert warehouse.load().progress(ALL) == Progress(0, ALL.start, is_done=False)


def test_a_unit_goes_on_after_its_last_chunk(warehouse: Warehouse) -> None:
    log = warehouse.load()
    log.append(chunk(*decided(PLACED), up_to=HALFWAY), Known())
    assert log.progress(ALL) == Progress(1, HALFWAY, is_done=False)
    further = Place(100, 2, UUID(int=1))
    log.append(chunk(part=1, up_to=further), Known())
    assert log.progress(ALL) == Progress(2, further, is_done=False)


def test_a_unit_is_done_with_the_chunk_that_reaches_its_end(warehouse: Warehouse) -> None:
    log = warehouse.load()
    assert log.append(chunk(), Known()) == 0
    assert log.progress(ALL).is_done
    assert log.progress(Unit(3, 4)) == Progress(0, Unit(3, 4).start, is_done=False)


def test_each_load_has_its_own_progress(warehouse: Warehouse) -> None:
    warehouse.load().append(chunk(), Known())
    assert not warehouse.load().progress(ALL).is_done


# --- who is due -------------------------------------------------------------------------------------------------

PEOPLE = [UUID(int=number) for number in range(1, 6)]


def test_persons_are_due_from_their_date_on_some_at_a_time(warehouse: Warehouse) -> None:
    log = warehouse.load()
    dates = [date(2018, 9, 1), date(2018, 9, 3), date(2018, 9, 4), None, date(2018, 8, 1)]
    log.append(chunk(due=[Due(*due) for due in zip(PEOPLE, dates, strict=True)]), Known())
    assert log.due_customers(AS_OF, 10) == [PEOPLE[0], PEOPLE[1], PEOPLE[4]]
    assert log.due_customers(AS_OF, 2) == PEOPLE[:2]
    assert log.due_customers(date(2018, 7, 31), 10) == []


def test_the_newest_load_tells_when_a_person_is_due(warehouse: Warehouse) -> None:
    warehouse.load().append(chunk(due=[Due(PEOPLE[0], date(2018, 8, 1)), Due(PEOPLE[1], date(2018, 8, 1))]), Known())
    log = warehouse.load()
    log.append(chunk(due=[Due(PEOPLE[0], date(2018, 12, 1)), Due(PEOPLE[1], None)]), Known())
    assert log.due_customers(AS_OF, 10) == []
    assert log.due_customers(date(2018, 12, 1), 10) == [PEOPLE[0]]


def test_as_of_an_earlier_day_than_before_all_persons_without_a_date_are_due_once(warehouse: Warehouse) -> None:
    """Who counts as lapsed may not be so as of that day."""
    never, lapsed, open_, *_ = PEOPLE
    aliases = [(UUID(int=person.int << 64), person) for person in (never, lapsed, open_)]
    dates = [Due(lapsed, None), Due(open_, date(2019, 1, 1))]
    warehouse.load(date(2018, 9, 3), aliases=aliases).append(chunk(due=dates), Known())
    assert warehouse.load(date(2018, 9, 3)).due_customers(date(2018, 9, 3), 10) == []
    log = warehouse.load(date(2018, 9, 1))
    assert log.due_customers(date(2018, 9, 1), 10) == [never, lapsed]
    log.append_lapsed([], [Due(never, None), Due(lapsed, date(2018, 10, 1))], Known())
    assert log.due_customers(date(2018, 9, 1), 10) == []


def test_a_load_that_evaluates_nobody_leaves_the_day_of_the_one_before(warehouse: Warehouse) -> None:
    lapsed, unknown, *_ = PEOPLE
    aliases = [(UUID(int=lapsed.int << 64), lapsed)]
    warehouse.load(date(2018, 9, 3), aliases=aliases).append(chunk(due=[Due(lapsed, None)]), Known())
    warehouse.load(None).append(chunk(due=[Due(unknown, date.min)]), Known())
    assert warehouse.load(date(2018, 9, 3)).due_customers(date(2018, 9, 3), 10) == [unknown]
    assert warehouse.load(None).due_customers(date(2018, 9, 1), 10) == [lapsed, unknown]


def test_who_was_evaluated_is_due_no_longer(warehouse: Warehouse) -> None:
    warehouse.load().append(chunk(due=[Due(person, date(2018, 8, 1)) for person in PEOPLE]), Known())
    log = warehouse.load()
    bought = PurchaseRecorded(MONDAY, ORDER, Decimal("1.00"), MONDAY, None)
    decisions = decided(bought, stream=PEOPLE[0], context="customer")
    assert log.append_lapsed(decisions, [Due(person, None) for person in PEOPLE[:3]], Known()) == 1
    assert log.due_customers(AS_OF, 10) == PEOPLE[3:]
    assert list(log.known_customers(PEOPLE).events("customer", PEOPLE[0])) == [bought]
    assert log.append_lapsed([], [Due(person, None) for person in PEOPLE[3:]], Known()) == 0
    assert log.due_customers(AS_OF, 10) == []


# --- what a load tells of itself --------------------------------------------------------------------------------


@pytest.mark.parametrize("tell", [lambda log: log.known_rows([ORDER]), lambda log: log.known_rows([])])
def test_nothing_is_told_of_a_load_that_does_not_exist(warehouse: Warehouse, tell: Callable[[Log], Known]) -> None:
    assert list(tell(warehouse.load()).events("quality", ORDER)) == []


def test_what_a_load_tells_of_itself_is_known_afterwards(warehouse: Warehouse) -> None:
    log = warehouse.load()
    rejected = BatchRejected(MONDAY, ("orders is missing",))
    told = [Decision("quality", ORDER, rejected, None)]
    assert log.append_quality(told, log.known_rows([ORDER])) == 1
    assert log.append_quality(told, log.known_rows([ORDER])) == 1
    known = log.known_rows([ORDER])
    assert list(known.events("quality", ORDER)) == [rejected, rejected]
    assert known.last_version("quality", ORDER) == 2
    assert log.append_quality([], known) == 0
