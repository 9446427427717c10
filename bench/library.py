"""The events of the log's orders as events of an ordinary application of the `eventsourcing` library.

Its own classes, recorder, mapper and tables, on the same server. Each event carries the same facts as in the log; the
library's timestamp takes the place of `occurred_at`. Settings come from a dictionary, not from the environment.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import AggregateEvent
from eventsourcing.persistence import StoredEvent, Transcoder
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.conninfo import conninfo_to_dict

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales import events as ours
from replayhouse.infra.event_store.serialization.mapper import Mapper

FIRST_ORDERS = """
    SELECT originator_id, originator_version, topic, state
    FROM event_store.sales_events
    WHERE originator_id <= (
        SELECT originator_id FROM event_store.sales_events ORDER BY originator_id, originator_version LIMIT 1 OFFSET %s
    )
    ORDER BY originator_id, originator_version
"""


@dataclass(frozen=True)
class Setting:
    """How the application is run: aggregates in one call of save(), and what is set beside the server's address."""

    aggregates_a_call: int
    variables: dict[str, str]


MSGSPEC = {"TRANSCODER_TOPIC": "bench.library:MsgspecTranscoder"}
ONE_BY_ONE = {"APPLICATION_RECORDER_TOPIC": "bench.library:RecorderWithoutPipeline"}

SETTINGS = {
    "500 a call, its JSON transcoder": Setting(500, ONE_BY_ONE),
    "500 a call, msgspec as transcoder": Setting(500, ONE_BY_ONE | MSGSPEC),
    "50 a call in a pipeline, msgspec as transcoder": Setting(50, MSGSPEC),
}
"""What a careful user can choose from, by name. Not its database function, with which readers miss events."""


class OrderPlaced(AggregateEvent):
    """First sight of an order."""

    customer_id: UUID
    customer_alias: UUID
    placed_at: datetime
    promised_by: datetime
    lines: list[dict[str, Any]]


class PaymentReceived(AggregateEvent):
    """One payment of possibly several."""

    payment_no: int
    method: str
    installments: int
    amount: Decimal


class OrderPaid(AggregateEvent):
    """The payments reached the total."""

    paid: Decimal
    total: Decimal


class OrderApproved(AggregateEvent):
    """The payment was approved."""

    approved_at: datetime | None


class OrderInvoiced(AggregateEvent):
    """The status says so."""


class OrderProcessingStarted(AggregateEvent):
    """The status says so."""


class OrderShipped(AggregateEvent):
    """Handed to the carrier."""

    shipped_at: datetime | None


class OrderCompleted(AggregateEvent):
    """Delivered."""

    customer_id: UUID
    placed_at: datetime
    completed_at: datetime | None
    total: Decimal


class OrderCanceled(AggregateEvent):
    """The order came to nothing."""

    last_step: str


class OrderMadeUnavailable(AggregateEvent):
    """The goods could not be had."""

    last_step: str


LIBRARY_EVENTS: dict[type[DomainEvent], type[AggregateEvent]] = {
    ours.OrderPlaced: OrderPlaced,
    ours.PaymentReceived: PaymentReceived,
    ours.OrderPaid: OrderPaid,
    ours.OrderApproved: OrderApproved,
    ours.OrderInvoiced: OrderInvoiced,
    ours.OrderProcessingStarted: OrderProcessingStarted,
    ours.OrderShipped: OrderShipped,
    ours.OrderCompleted: OrderCompleted,
    ours.OrderCanceled: OrderCanceled,
    ours.OrderMadeUnavailable: OrderMadeUnavailable,
}
"""What a first load appends to the streams of orders."""


class MsgspecTranscoder(Transcoder):
    """States as compact JSON, in the quickest way there is: decoded to plain texts and numbers."""

    def encode(self, obj: Any) -> bytes:
        """A state as JSON."""
        return msgspec.json.encode(obj)

    def decode(self, data: bytes) -> Any:
        """A state from JSON."""
        return msgspec.json.decode(data)


class RecorderWithoutPipeline(PostgresApplicationRecorder):
    """The library's recorder, statement by statement.

    In the driver's pipeline, as the library has it, 500 aggregates are more than a Unix socket takes at once: client
    and server then wait for each other for ever (seen with psycopg 3.3). Round trips cost little beside that.
    """

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """As the library does it, in one transaction."""
        with self.datastore.get_connection() as connection, connection.transaction(), connection.cursor() as cursor:
            self._insert_events(cursor, stored_events, **kwargs)
            self._insert_stored_events(cursor, stored_events, **kwargs)
            return self._fetch_ids_after_insert_events(cursor, stored_events, **kwargs)


class Orders(Application[UUID]):
    """An application of orders, all of the library's making."""


@dataclass
class Order:
    """An aggregate with events that nobody has saved yet; it is made before the clock starts."""

    id: UUID
    version: int
    pending: list[AggregateEvent]

    def collect_events(self) -> Sequence[AggregateEvent]:
        """The events to be saved."""
        return self.pending


def environment(url: str, settings: dict[str, str]) -> dict[str, str]:
    """The library's settings for a database."""
    given = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given.get("port") or 5432),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given.get("password") or "-"),
        **settings,
    }


def orders_of_the_log(url: str, events: int) -> list[Order]:
    """The first orders of a log by id, whole, with about so many events in all (fewer if the log has fewer)."""
    decode = Mapper().decode
    with psycopg.connect(url) as connection, connection.cursor(binary=True) as cursor:
        (count,) = cursor.execute("SELECT count(*) FROM event_store.sales_events").fetchone() or (0,)
        rows = cursor.execute(FIRST_ORDERS, [min(events, count) - 1]).fetchall()
    return [
        Order(
            order_id, len(stream), [_as_the_library_has_it(order_id, row[1], decode(row[2], row[3])) for row in stream]
        )
        for order_id, group in groupby(rows, key=lambda row: row[0])
        for stream in [list(group)]
    ]


def _as_the_library_has_it(order_id: UUID, version: int, event: Any) -> AggregateEvent:
    facts = {fact.name: getattr(event, fact.name) for fact in fields(event)}
    timestamp = facts.pop("occurred_at")
    if "lines" in facts:
        facts["lines"] = [asdict(line) for line in facts["lines"]]
    event_type = LIBRARY_EVENTS[type(event)]
    return event_type(originator_id=order_id, originator_version=version, timestamp=timestamp, **facts)
