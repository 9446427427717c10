"""What the demo asks its warehouse: three questions, how many rows there are, and the order that came latest."""

from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from replayhouse.projections.warehouse import PROJECTIONS

_REVENUE_BY_MONTH = """
SELECT d.year_month AS month, sum(o.total) AS revenue, count(*) AS orders
FROM sales.fact_order AS o
JOIN shared.dim_date AS d USING (date_key)
WHERE o.status NOT IN ('canceled', 'unavailable')
GROUP BY d.year_month
ORDER BY d.year_month
"""

_ON_TIME_BY_REGION = """
SELECT
    coalesce(g.region, 'unknown') AS region,
    round(100.0 * count(*) FILTER (WHERE NOT f.is_late) / count(*), 1) AS on_time,
    count(*) AS deliveries
FROM fulfillment.fact_delivery AS f
LEFT JOIN fulfillment.dim_geography AS g ON g.zip_prefix = f.destination_zip
WHERE f.is_late IS NOT NULL
GROUP BY 1
ORDER BY on_time DESC, region
"""

_TOP_CATEGORIES = """
SELECT coalesce(p.category_english, 'unknown') AS category, sum(i.price) AS sales, count(*) AS items
FROM sales.fact_order_item AS i
LEFT JOIN marketplace.dim_product AS p USING (product_id)
WHERE i.status NOT IN ('canceled', 'unavailable')
GROUP BY 1
ORDER BY sales DESC, category
LIMIT 8
"""

_LATEST_DELIVERY = """
SELECT order_id
FROM fulfillment.fact_delivery
ORDER BY days_late DESC NULLS LAST, order_id
LIMIT 1
"""

_ROWS = "SELECT count(*) FROM {table}"


class Answers(NamedTuple):
    """Three answers, each a list of rows."""

    revenue_by_month: list[dict[str, Any]]
    on_time_by_region: list[dict[str, Any]]
    top_categories: list[dict[str, Any]]


def answers_of(connection: psycopg.Connection) -> Answers:
    """The answers that the star schema gives."""
    return Answers(
        _answer(connection, _REVENUE_BY_MONTH),
        _answer(connection, _ON_TIME_BY_REGION),
        _answer(connection, _TOP_CATEGORIES),
    )


def latest_delivery(connection: psycopg.Connection) -> str:
    """The id of the order whose delivery was the latest after its promise; empty where nothing was delivered."""
    return "".join(str(row["order_id"]) for row in _answer(connection, _LATEST_DELIVERY))


def rows_by_table(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows each table of the star schema has."""
    names = [("shared", "dim_date")]
    names += [(context, table.name) for context, projection in PROJECTIONS.items() for table in projection.tables]
    counted = {}
    for schema, name in names:
        row = connection.execute(sql.SQL(_ROWS).format(table=sql.Identifier(schema, name))).fetchone()
        counted[f"{schema}.{name}"] = int(row[0]) if row else 0
    return counted


def _answer(connection: psycopg.Connection, question: str) -> list[dict[str, Any]]:
    cursor = connection.execute(question.encode())
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]
