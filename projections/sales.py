"""Sales: orders, their lines and payments, folded from the stream of each order (R18 to R22)."""

from sqlalchemy import MetaData, Table

from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.domain.sales.order import Order, Payment, order_of
from replayhouse.projections.columns import date_key_of, flag, integer, moment, money, position, text, uuid
from replayhouse.projections.projection import Projection, Rows, Stream
from replayhouse.projections.sources import from_files
from replayhouse.projections.versions import VERSIONS

_SALES = MetaData(schema="sales")

FACT_ORDER = Table(
    "fact_order",
    _SALES,
    uuid("order_id", "the order, as in the source", key=True),
    uuid(
        "customer_id",
        "the person (customer_unique_id); the zero UUID where nobody knows who that is",
        to="customer.dim_customer.customer_id",
    ),
    uuid(
        "customer_alias",
        "the customer_id that the source gives to this order alone",
        to="customer.customer_alias.customer_alias",
    ),
    text("status", "created, approved, invoiced, processing, shipped, delivered, canceled or unavailable"),
    moment("placed_at", "when the order was placed", in_calendar=True),
    integer("date_key", "date of placed_at, yyyymmdd", to="shared.dim_date.date_key"),
    moment(
        "approved_at",
        "when the payment was approved; null if not, or if nobody knows when",
        null=True,
        in_calendar=True,
    ),
    moment(
        "shipped_at",
        "when the carrier took the parcel; null if not, or if nobody knows when",
        null=True,
        in_calendar=True,
    ),
    moment(
        "completed_at", "when a delivered order was delivered; null if nobody knows when", null=True, in_calendar=True
    ),
    moment("promised_by", "the promised date, at midnight", in_calendar=True),
    integer("item_count", "number of lines"),
    integer("seller_count", "number of different sellers"),
    money("price", "sum of the lines' prices, BRL"),
    money("freight", "sum of the lines' freight, BRL"),
    money("total", "price and freight, BRL"),
    money("paid", "sum of the payments, BRL"),
    integer("payment_count", "number of payments"),
    integer("max_installments", "largest number of installments of a payment; null without payments", null=True),
    text("payment_method", "method of the largest payment, of equal ones that with the lowest payment_no"),
    flag("is_paid", "whether the payments, above zero, reach the total"),
    position(),
    comment="One row for each order",
    info=from_files("orders", "customers"),
)

FACT_ORDER_ITEM = Table(
    "fact_order_item",
    _SALES,
    uuid("order_id", "the order", key=True, of="sales.fact_order.order_id"),
    integer("item_no", "number of the line in the order", key=True),
    uuid("product_id", "the product, as in the source", to="marketplace.dim_product.product_id"),
    uuid("seller_id", "the seller, as in the source", to="marketplace.dim_seller.seller_id"),
    uuid(
        "customer_id",
        "the person who ordered; the zero UUID where nobody knows",
        to="customer.dim_customer.customer_id",
    ),
    integer("date_key", "date on which the order was placed, yyyymmdd", to="shared.dim_date.date_key"),
    text("status", "status of the order"),
    money("price", "price, BRL"),
    money("freight", "freight, BRL"),
    money("total", "price and freight, BRL"),
    moment("ship_by", "until when the seller must hand the parcel to the carrier", in_calendar=True),
    position(),
    comment="One row for each line of an order",
    info=from_files("order_items", "orders", "customers"),
)

FACT_PAYMENT = Table(
    "fact_payment",
    _SALES,
    uuid("order_id", "the order", key=True, of="sales.fact_order.order_id"),
    integer("payment_no", "number of the payment in the order; need not start at 1", key=True),
    text("method", "how it was paid, in the source's words"),
    integer("installments", "number of installments; below 1 in a few rows of the source"),
    money("amount", "amount, BRL"),
    integer("date_key", "date on which the order was placed, yyyymmdd", to="shared.dim_date.date_key"),
    position(),
    comment="One row for each payment of an order",
    info=from_files("order_payments"),
)


def fold(stream: Stream) -> Rows:
    """The rows of one order; none until it is placed."""
    order = order_of(stream.events)
    if not order.is_placed:
        return {}
    order_id, at = stream.originator_id, stream.position
    customer_id, status, date_key = order.customer_id, order.status, date_key_of(order.placed_at)
    return {
        "fact_order": [(order_id, *_facts_of(order, date_key), at)],
        "fact_order_item": [
            (
                order_id,
                line.item_no,
                line.product_id,
                line.seller_id,
                customer_id,
                date_key,
                status,
                line.price,
                line.freight,
                line.price + line.freight,
                line.ship_by,
                at,
            )
            for line in order.lines.values()
        ],
        "fact_payment": [
            (order_id, payment.payment_no, payment.method, payment.installments, payment.amount, date_key, at)
            for payment in order.payments.values()
        ],
    }


def _facts_of(order: Order, date_key: int) -> tuple[object, ...]:
    lines, payments = order.lines.values(), order.payments.values()
    price, freight, paid = order.price, order.freight, order.paid
    total = price + freight
    status = order.status
    return (
        order.customer_id,
        order.customer_alias,
        status,
        order.placed_at,
        date_key,
        order.shown_approved_at,
        order.shown_shipped_at,
        order.shown_completed_at,
        order.promised_by,
        len(lines),
        len({line.seller_id for line in lines}),
        price,
        freight,
        total,
        paid,
        len(payments),
        max((payment.installments for payment in payments), default=None),
        min(payments, key=_largest_first).method if payments else UNKNOWN,
        order.is_paid,
    )


def _largest_first(payment: Payment) -> tuple[object, int]:
    return (-payment.amount, payment.payment_no)


PROJECTION = Projection(
    "sales", (FACT_ORDER, FACT_ORDER_ITEM, FACT_PAYMENT), fold, unknown_members={}, version=VERSIONS["sales"].number
)
