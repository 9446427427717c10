"""Histories for tests of the read side: streams of events made by the domain's own decisions, and appended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import NEW_ORDER, OrderHeader, Payment, observe
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up

MONDAY = datetime(2018, 1, 8, 10, 30)
PROMISED = datetime(2018, 1, 25)
HOUR = timedelta(hours=1)


def an_id(number: int) -> UUID:
    return UUID(int=number)


def brl(text: str) -> Decimal:
    return Decimal(text)


def a_line(item_no: int = 1, price: str = "10.00", freight: str = "2.50", seller: int = 50, product: int = 70) -> Line:
    return Line(item_no, an_id(product), an_id(seller), brl(price), brl(freight), MONDAY + 48 * HOUR)


def a_payment(payment_no: int = 1, amount: str = "12.50", method: str = "boleto", installments: int = 1) -> Payment:
    return Payment(payment_no, method, installments, brl(amount))


def a_header(status: str = "delivered", alias: int = 500, placed_at: datetime = MONDAY) -> OrderHeader:
    """An order's row: approved after 1 hour, shipped after 24, delivered after 100, as far as its status goes."""
    return OrderHeader(
        customer_alias=an_id(alias),
        status=status,
        placed_at=placed_at,
        promised_by=PROMISED,
        approved_at=placed_at + HOUR,
        shipped_at=placed_at + 24 * HOUR,
        completed_at=placed_at + 100 * HOUR,
    )


class Log:
    """Appends to the event store of a test; counts the versions of the streams."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        self._store = EventStore()
        self._versions: dict[tuple[str, UUID], int] = {}

    def append(self, context: str, stream: UUID, events: Sequence[DomainEvent]) -> int:
        """Appends to one stream; the position of the last event."""
        return self.append_all(context, {stream: events})

    def append_all(self, context: str, streams: Mapping[UUID, Sequence[DomainEvent]]) -> int:
        recorded = []
        for stream, events in streams.items():
            for event in events:
                version = self._versions.get((context, stream), 0) + 1
                self._versions[context, stream] = version
                recorded.append(Recorded(context, stream, version, event))
        return self._store.append(self._conn, recorded, None).position


PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])


def place(log: Log, first: int, count: int) -> int:
    """Places that many more orders; the position of the last event."""
    return log.append_all("sales", {an_id((first + n) << 110): PLACED for n in range(count)})


def ten_orders_shown(conn: psycopg.Connection, database: Database) -> Log:
    """A log with ten orders, which the read models show."""
    log = Log(conn)
    place(log, 1, 10)
    catch_up(database)
    return log
