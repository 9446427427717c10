"""Live projection: how long after an append a row is visible, at a steady rate; and what rate `project --follow` keeps.

Orders are placed and paid by this process, straight into the log; the installed program follows it. An event counts as
visible when the position that the read model of sales shows has reached it: rows and position are one transaction.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg

from bench.timing import NotMeasured
from bench.warehouse import Warehouse
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import Line, OrderApproved, OrderPaid, OrderPlaced, PaymentReceived
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore

EVENTS_A_SECOND = 500
SECONDS = 20
EVENTS_AN_ORDER = 4
FLOOD_ORDERS = 12_500
FLOOD_ORDERS_AN_APPEND = 50

_POLL_SECONDS = 0.001
_LONGEST_SECONDS = 60.0
_SHOWN = "SELECT position FROM read_model.projection WHERE context = 'sales'"
_STORE = EventStore()
_ORDERS = 1 << 120  # the ids of orders placed here begin after this number
_NEXT_ORDER = f"""
    SELECT 10000000 * count(*) FROM event_store.sales_events
    WHERE originator_id = '{UUID(int=_ORDERS)}' AND originator_version = 1
"""
_PLACED_AT = datetime(2018, 9, 1, 12)


@dataclass(frozen=True)
class Live:
    """Seconds from the end of an append to its being visible, sorted, at the steady rate; and the rate sustained."""

    delays: Sequence[float]
    sustained: float

    def percentile(self, share: float) -> float:
        """The delay, in seconds, that so large a share of appends stays below."""
        return self.delays[min(len(self.delays) - 1, int(len(self.delays) * share))]


@dataclass
class Follower(ABC):
    """Watches, in a thread of its own, up to which position of the log something is visible, and since when."""

    seen: list[tuple[float, int]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @abstractmethod
    def watch(self) -> None:
        """Notes what it sees, until `ended` is set."""

    def saw(self, position: int) -> None:
        """Notes that everything up to a position is visible now."""
        if not self.seen or position > self.seen[-1][1]:
            self.seen.append((time.monotonic(), position))

    def wait_for(self, position: int) -> float:
        """When the position was seen to be visible. Raises NotMeasured if it is not within a minute."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < deadline:
            if self.seen and self.seen[-1][1] >= position:
                return next(at for at, shown in self.seen if shown >= position)
            time.sleep(_POLL_SECONDS)
        raise NotMeasured(f"position {position:,} was not visible within {_LONGEST_SECONDS:.0f} s")


@contextmanager
def watching(follower: Follower) -> Iterator[None]:
    """The follower watches while the block runs."""
    thread = threading.Thread(target=follower.watch)
    thread.start()
    try:
        yield
    finally:
        follower.ended.set()
        thread.join()


@dataclass
class _OfReadModel(Follower):
    """Watches the position that the read model shows, from a connection of its own."""

    url: str = ""

    def watch(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.ended.is_set():
                (position,) = connection.execute(_SHOWN).fetchone() or (0,)
                self.saw(position)
                time.sleep(_POLL_SECONDS)


def measure(warehouse: Warehouse, seconds: int = SECONDS, flood: int = FLOOD_ORDERS) -> Live:
    """On the log that the warehouse holds, its read models up to date."""
    warehouse.run("project")
    with warehouse.background("project", "--follow"):
        return followed(warehouse, _OfReadModel(url=warehouse.url()), seconds, flood)


def followed(warehouse: Warehouse, follower: Follower, seconds: int = SECONDS, flood: int = FLOOD_ORDERS) -> Live:
    """What the follower sees of appends at the steady rate, and of many at once."""
    with psycopg.connect(warehouse.url(), autocommit=True) as connection, watching(follower):
        first = connection.execute(_NEXT_ORDER).fetchone()
        number = first[0] if first else 0
        follower.wait_for(_append(connection, number, 1))  # it is up
        delays = _steadily(connection, follower, number + 1, seconds)
        return Live(delays, _at_once(connection, follower, number + 10**6, flood))


def _steadily(connection: psycopg.Connection, follower: Follower, first: int, seconds: int) -> list[float]:
    """One order every 8 ms, whatever the last one took; late ones are made up for."""
    pause = EVENTS_AN_ORDER / EVENTS_A_SECOND
    appended: list[tuple[float, int]] = []
    begun = time.monotonic()
    for number in range(1, int(seconds / pause)):
        time.sleep(max(0.0, begun + number * pause - time.monotonic()))
        position = _append(connection, first + number, 1)
        appended.append((time.monotonic(), position))
    if (took := time.monotonic() - begun) > seconds * 1.1:
        raise NotMeasured(f"{seconds} s of appends took {took:.1f} s: the machine is too busy for this rate")
    follower.wait_for(appended[-1][1])
    delays, place = [], 0
    for at, position in appended:
        while follower.seen[place][1] < position:
            place += 1
        delays.append(max(0.0, follower.seen[place][0] - at))
    return sorted(delays)


def _at_once(connection: psycopg.Connection, follower: Follower, first: int, orders: int) -> float:
    """Events a second, from the first append to the last one's being visible."""
    position, begun = 0, time.monotonic()
    for number in range(first, first + orders, FLOOD_ORDERS_AN_APPEND):
        position = _append(connection, number, FLOOD_ORDERS_AN_APPEND)
    return orders * EVENTS_AN_ORDER / (follower.wait_for(position) - begun)


def _append(connection: psycopg.Connection, number: int, orders: int) -> int:
    recorded = [
        Recorded("sales", UUID(int=_ORDERS + order), version, event, None)
        for order in range(number, number + orders)
        for version, event in enumerate(_order(order), start=1)
    ]
    return _STORE.append(connection, recorded, None).position


def _order(number: int) -> tuple[DomainEvent, ...]:
    """What happens to an order of one line that is paid at once."""
    at, price, freight = _PLACED_AT + timedelta(seconds=number % 86_400), Decimal("89.90"), Decimal("10.10")
    line = Line(1, UUID(int=2), UUID(int=3), price, freight, at + timedelta(days=3))
    placed = OrderPlaced(at, UUID(int=4), UUID(int=number + 5), at, datetime(2018, 9, 20), (line,))
    total = price + freight
    return (
        placed,
        PaymentReceived(at, 1, "credit_card", 1, total),
        OrderPaid(at, total, total),
        OrderApproved(at + timedelta(minutes=5), at + timedelta(minutes=5)),
    )
