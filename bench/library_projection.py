"""The library's `ProjectionRunner`: the orders' events folded into fact_order, one transaction an event.

The fold is the same as that of `sales.fact_order`, one statement an event, sent together with the tracking row in one
round trip. Fact_order alone: no lines, no payments, no other context. The events were saved by an ordinary application
of the library before the clock starts.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bench import library
from bench.library import Order, Orders, environment, orders_of_the_log
from bench.timing import Best, best_of, timed
from bench.warehouse import Warehouse

EVENTS = 20_000
DATABASE = "bench_library_projection"
LONGEST_SECONDS = 300.0

_ORDERS_A_SAVE = 50

SETTINGS = {"durable commits": "on", "commits that do not wait for the disk": "off"}

_FACT_ORDER = """
    CREATE TABLE IF NOT EXISTS fact_order (
        order_id uuid PRIMARY KEY, customer_id uuid, customer_alias uuid, status text, placed_at timestamp,
        date_key int, approved_at timestamp, shipped_at timestamp, completed_at timestamp, promised_by timestamp,
        item_count int, seller_count int, price numeric(12, 2), freight numeric(12, 2), total numeric(12, 2),
        paid numeric(12, 2), payment_count int, max_installments int, payment_method text,
        largest_payment numeric(12, 2), is_paid bool, position bigint
    )
"""
_PLACED = """
    INSERT INTO fact_order
    SELECT %(order_id)s::uuid, %(customer_id)s, %(customer_alias)s, 'created', %(placed_at)s,
        to_char(%(placed_at)s::timestamp, 'YYYYMMDD')::int, NULL, NULL, NULL, %(promised_by)s,
        %(item_count)s::int, %(seller_count)s::int, %(price)s::numeric, %(freight)s::numeric,
        %(price)s::numeric + %(freight)s::numeric, 0, 0, NULL, 'unknown', -1, false, %(position)s::bigint
"""
_PAYMENT = """
    UPDATE fact_order
    SET paid = paid + %(amount)s::numeric, payment_count = payment_count + 1,
        max_installments = greatest(max_installments, %(installments)s::int),
        payment_method = CASE WHEN %(amount)s::numeric > largest_payment THEN %(method)s ELSE payment_method END,
        largest_payment = greatest(largest_payment, %(amount)s::numeric),
        is_paid = paid + %(amount)s::numeric > 0 AND paid + %(amount)s::numeric >= total,
        position = %(position)s
    WHERE order_id = %(order_id)s
"""
_APPROVED = """
    UPDATE fact_order SET status = 'approved', approved_at = %(at)s, position = %(position)s
    WHERE order_id = %(order_id)s
"""
_SHIPPED = """
    UPDATE fact_order SET status = 'shipped', shipped_at = %(at)s, position = %(position)s
    WHERE order_id = %(order_id)s
"""
_COMPLETED = """
    UPDATE fact_order SET status = 'delivered', completed_at = %(at)s, position = %(position)s
    WHERE order_id = %(order_id)s
"""
_STATUS = "UPDATE fact_order SET status = %(status)s, position = %(position)s WHERE order_id = %(order_id)s"
_TOUCHED = "UPDATE fact_order SET position = %(position)s WHERE order_id = %(order_id)s"


class FactOrderRecorder(PostgresTrackingRecorder):
    """fact_order, and how far it has come, in the library's manner."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(sql.SQL(_FACT_ORDER).format())

    def write(self, statement: str, values: dict[str, Any], tracking: Tracking) -> None:
        """One statement and the tracking row, in one transaction and one round trip but for the tracking's answer."""
        with self.datastore.get_connection() as connection, connection.pipeline(), connection.transaction():
            cursor = connection.cursor()
            cursor.execute(statement.encode(), {**values, "position": tracking.notification_id}, prepare=True)
            self._insert_tracking(cursor, tracking)


class FactOrders(Projection[FactOrderRecorder]):
    """The fold of fact_order, event by event."""

    name = "fact_orders"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Any other event leaves but its position."""
        self._write(_TOUCHED, domain_event, tracking)

    @process_event.register
    def _(self, domain_event: library.OrderPlaced, tracking: Tracking) -> None:
        lines = domain_event.lines
        values = {
            "customer_id": domain_event.customer_id,
            "customer_alias": domain_event.customer_alias,
            "placed_at": domain_event.placed_at,
            "promised_by": domain_event.promised_by,
            "item_count": len(lines),
            "seller_count": len({line["seller_id"] for line in lines}),
            "price": sum(round(float(line["price"]) * 100) for line in lines) / 100,
            "freight": sum(round(float(line["freight"]) * 100) for line in lines) / 100,
        }
        self._write(_PLACED, domain_event, tracking, **values)

    @process_event.register
    def _(self, domain_event: library.PaymentReceived, tracking: Tracking) -> None:
        values = {
            "amount": domain_event.amount,
            "installments": domain_event.installments,
            "method": domain_event.method,
        }
        self._write(_PAYMENT, domain_event, tracking, **values)

    @process_event.register
    def _(self, domain_event: library.OrderApproved, tracking: Tracking) -> None:
        self._write(_APPROVED, domain_event, tracking, at=domain_event.approved_at)

    @process_event.register
    def _(self, domain_event: library.OrderShipped, tracking: Tracking) -> None:
        self._write(_SHIPPED, domain_event, tracking, at=domain_event.shipped_at)

    @process_event.register
    def _(self, domain_event: library.OrderCompleted, tracking: Tracking) -> None:
        self._write(_COMPLETED, domain_event, tracking, at=domain_event.completed_at)

    @process_event.register
    def _(self, domain_event: library.OrderInvoiced, tracking: Tracking) -> None:
        self._write(_STATUS, domain_event, tracking, status="invoiced")

    @process_event.register
    def _(self, domain_event: library.OrderProcessingStarted, tracking: Tracking) -> None:
        self._write(_STATUS, domain_event, tracking, status="processing")

    @process_event.register
    def _(self, domain_event: library.OrderCanceled, tracking: Tracking) -> None:
        self._write(_STATUS, domain_event, tracking, status="canceled")

    @process_event.register
    def _(self, domain_event: library.OrderMadeUnavailable, tracking: Tracking) -> None:
        self._write(_STATUS, domain_event, tracking, status="unavailable")

    def _write(self, statement: str, domain_event: Any, tracking: Tracking, **values: Any) -> None:
        self.view.write(statement, {"order_id": domain_event.originator_id, **values}, tracking)


def measure(warehouse: Warehouse, events: int = EVENTS) -> tuple[Best, int]:
    """The best case, and the number of events folded in a run."""
    orders = orders_of_the_log(warehouse.url(), events)
    count = sum(order.version for order in orders)
    runs: dict[str, Callable[[], float]] = {
        name: partial(_run, warehouse, orders, count, durability) for name, durability in SETTINGS.items()
    }
    try:
        return best_of(runs), count
    finally:
        warehouse.drop_database(DATABASE)


def _run(warehouse: Warehouse, orders: list[Order], count: int, durability: str) -> float:
    url = warehouse.fresh_database(DATABASE)
    _set_durability(url, durability)
    settings = environment(url, library.MSGSPEC)
    application = Orders(env=settings)
    for start in range(0, len(orders), _ORDERS_A_SAVE):
        application.save(*orders[start : start + _ORDERS_A_SAVE])
    application.close()

    def follow() -> None:
        with ProjectionRunner(
            application_class=Orders, projection_class=FactOrders, view_class=FactOrderRecorder, env=settings
        ) as runner:
            runner.wait(count, timeout=LONGEST_SECONDS)

    return timed(follow)


def _set_durability(url: str, durability: str) -> None:
    database = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
    statement = sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}").format(database, sql.Literal(durability))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
