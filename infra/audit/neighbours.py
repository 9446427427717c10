"""What a thing has to do with: the orders of a person, a seller or a product, the reviews of an order."""

from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.audit.kinds import HistoryKind

_REVIEWS = "SELECT DISTINCT review_id FROM event_store.review_reference WHERE order_id = %s ORDER BY review_id LIMIT %s"
_ORDERS = {
    HistoryKind.CUSTOMER: """
        SELECT order_id, placed_at, count(*) OVER () FROM sales.fact_order WHERE customer_id = %s
        ORDER BY placed_at DESC, order_id LIMIT %s OFFSET %s
    """,
    HistoryKind.SELLER: """
        SELECT order_id, placed_at, count(*) OVER () FROM sales.fact_order
        WHERE order_id IN (SELECT order_id FROM sales.fact_order_item WHERE seller_id = %s)
        ORDER BY placed_at DESC, order_id LIMIT %s OFFSET %s
    """,
    HistoryKind.PRODUCT: """
        SELECT order_id, placed_at, count(*) OVER () FROM sales.fact_order
        WHERE order_id IN (SELECT order_id FROM sales.fact_order_item WHERE product_id = %s)
        ORDER BY placed_at DESC, order_id LIMIT %s OFFSET %s
    """,
}


class Orders(NamedTuple):
    """The newest orders of somebody or something, from `offset` on, and how many there are."""

    ids: list[UUID]
    found: int


def reviews_of(conn: psycopg.Connection, order: UUID, limit: int) -> list[UUID]:
    """The reviews of an order, `limit` of them at most."""
    return [review for (review,) in conn.execute(_REVIEWS, [order, limit])]


def orders_of(conn: psycopg.Connection, kind: HistoryKind, key: UUID, limit: int, offset: int) -> Orders:
    """The orders of a person, a seller or a product, as the live read model has them."""
    rows = conn.execute(_ORDERS[kind].encode(), [key, limit, offset]).fetchall()
    return Orders([row[0] for row in rows], int(rows[0][2]) if rows else 0)
