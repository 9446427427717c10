"""What stands in the log between two positions: how many events of each type, and what they did to orders, by month."""

from collections.abc import Collection, Sequence
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.log_tables import ALL_EVENTS

_BY_TOPIC = f"""
    SELECT topic, count(*) FROM ({ALL_EVENTS}) AS log
    WHERE notification_id > %s AND notification_id <= %s
    GROUP BY topic ORDER BY topic COLLATE "C"
"""
# A shipment's stream has the id of its order.
_BY_MONTH = """
    SELECT to_char(o.placed_at, 'YYYY-MM'), split_part(e.topic, '.', 2), count(DISTINCT e.originator_id)
    FROM (
        SELECT originator_id, topic FROM event_store.sales_events
        WHERE notification_id > %(old)s AND notification_id <= %(new)s
        UNION ALL
        SELECT originator_id, topic FROM event_store.fulfillment_events
        WHERE notification_id > %(old)s AND notification_id <= %(new)s AND topic LIKE 'fulfillment.DeliveryDelayed.%%'
    ) AS e
    JOIN sales.fact_order AS o ON o.order_id = e.originator_id
    GROUP BY 1, 2
"""
_FIRST = sql.SQL("""
    SELECT notification_id FROM event_store.{events}
    WHERE notification_id > %s AND notification_id <= %s AND topic = ANY(%s)
    ORDER BY notification_id LIMIT %s
""")
_MONTHS = """
    SELECT order_id, to_char(placed_at, 'YYYY-MM') FROM sales.fact_order WHERE order_id = ANY(%s)
"""


def months_of_orders(conn: psycopg.Connection, orders: Collection[UUID]) -> dict[UUID, str]:
    """The month in which each of some orders was placed."""
    return dict(conn.execute(_MONTHS, [list(orders)]).fetchall())


def events_by_topic(conn: psycopg.Connection, old: int, new: int) -> dict[str, int]:
    """How many events of each topic stand after one position, up to another."""
    return dict(conn.execute(_BY_TOPIC.encode(), [old, new]).fetchall())


def first_positions(
    conn: psycopg.Connection, context: str, topics: Sequence[str], old: int, new: int, most: int
) -> list[int]:
    """The positions of the first events of some topics after one position, up to another: so many at most."""
    query = _FIRST.format(events=sql.Identifier(f"{context}_events"))
    return [position for (position,) in conn.execute(query, [old, new, list(topics), most]).fetchall()]


def orders_by_month(conn: psycopg.Connection, old: int, new: int) -> dict[tuple[str, str], int]:
    """How many orders placed in a month have an event of a name between two positions, by month and name."""
    rows = conn.execute(_BY_MONTH, {"old": old, "new": new}).fetchall()
    return {(month, name): orders for month, name, orders in rows}
