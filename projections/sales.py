"""Sales: orders, their lines and payments, folded from the stream of each order (R18 to R22)."""

from sqlalchemy import MetaData, Table

from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.domain.sales.order import RANK, Order, order_of
from replayhouse.projections.columns import date_key_of, flag, integer, moment, money, position, text, uuid
from replayhouse.projections.projection import Projection, Row, Rows, Stream, row_maker
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
        is_indexed=True,
    ),
    uuid(
        "customer_alias",
        "the customer_id that the source gives to this order alone",
        to="customer.customer_alias.customer_alias",
    ),
    text("status", "created, approved, invoiced, processing, shipped, delivered, canceled or unavailable", words=RANK),
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
    moment("promised_by", "the promised date, at midnight; null where nobody knows", null=True, in_calendar=True),
    integer("item_count", "number of lines"),
    integer("seller_count", "number of different sellers that are known"),
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
    uuid("product_id", "the product, as in the source", to="marketplace.dim_product.product_id", is_indexed=True),
    uuid(
        "seller_id",
        "the seller, as in the source; the zero UUID where nobody knows",
        to="marketplace.dim_seller.seller_id",
        is_indexed=True,
    ),
    uuid(
        "customer_id",
        "the person who ordered; the zero UUID where nobody knows",
        to="customer.dim_customer.customer_id",
    ),
    integer("date_key", "date on which the order was placed, yyyymmdd", to="shared.dim_date.date_key"),
    text("status", "status of the order", words=RANK),
    money("price", "price, BRL"),
    money("freight", "freight, BRL"),
    money("total", "price and freight, BRL"),
    moment(
        "ship_by",
        "until when the seller must hand the parcel to the carrier; null where nobody knows",
        null=True,
        in_calendar=True,
    ),
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


_order_row = row_maker(FACT_ORDER)
_item_row = row_maker(FACT_ORDER_ITEM)
_payment_row = row_maker(FACT_PAYMENT)


def fold(stream: Stream) -> Rows:
    """The rows of one order; none until it is placed."""
    order = order_of(stream.events)
    if not order.is_placed:
        return {}
    date_key = date_key_of(order.placed_at)
    return {
        "fact_order": [_row_of(stream, order, date_key)],
        "fact_order_item": [
            _item_row(
                order_id=stream.stream_id,
                item_no=line.item_no,
                product_id=line.product_id,
                seller_id=line.seller_id,
                customer_id=order.customer_id,
                date_key=date_key,
                status=order.status,
                price=line.price,
                freight=line.freight,
                total=line.total,
                ship_by=line.ship_by,
                position=stream.position,
            )
            for line in order.lines.values()
        ],
        "fact_payment": [
            _payment_row(
                order_id=stream.stream_id,
                payment_no=payment.payment_no,
                method=payment.method,
                installments=payment.installments,
                amount=payment.amount,
                date_key=date_key,
                position=stream.position,
            )
            for payment in order.payments.values()
        ],
    }


def _row_of(stream: Stream, order: Order, date_key: int) -> Row:
    main_payment = order.main_payment
    return _order_row(
        order_id=stream.stream_id,
        customer_id=order.customer_id,
        customer_alias=order.customer_alias,
        status=order.status,
        placed_at=order.placed_at,
        date_key=date_key,
        approved_at=order.shown_approved_at,
        shipped_at=order.shown_shipped_at,
        completed_at=order.shown_completed_at,
        promised_by=order.promised_by,
        item_count=len(order.lines),
        seller_count=order.seller_count,
        price=order.price,
        freight=order.freight,
        total=order.total,
        paid=order.paid,
        payment_count=len(order.payments),
        max_installments=order.max_installments,
        payment_method=UNKNOWN if main_payment is None else main_payment.method,
        is_paid=order.is_paid,
        position=stream.position,
    )


PROJECTION = Projection(
    "sales", (FACT_ORDER, FACT_ORDER_ITEM, FACT_PAYMENT), fold, unknown_members={}, version=VERSIONS["sales"].number
)
