"""The columns of the business marts add up to what the facts say, counted from the tables of each context directly.

Several loads of a dirty extract, as of one date and then another; each sum is written here as plain SQL over the facts.
"""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from replayhouse.domain.kernel.places import normalised_city
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import copied
from tests.support.in_process import Warehouse

ZERO = "'00000000-0000-0000-0000-000000000000'"
LOST = "o.status IN ('canceled', 'unavailable')"
VALID = f"NOT {LOST}"
DELIVERED = "o.status = 'delivered'"
TRAVELLED = f"{DELIVERED} AND d.delivered_at IS NOT NULL"
LATE = "greatest(d.delivered_at::date - o.promised_by::date, 0)"
LINES = "sales.fact_order_item AS i JOIN sales.fact_order AS o USING (order_id)"
DELIVERIES = "sales.fact_order AS o JOIN fulfillment.fact_delivery AS d USING (order_id)"
REVIEWS = "customer.fact_review AS r JOIN sales.fact_order AS o USING (order_id)"
SOLD = """
    (SELECT DISTINCT seller_id, order_id, max(ship_by) OVER (PARTITION BY seller_id, order_id) AS ship_by
     FROM sales.fact_order_item) AS s
    JOIN sales.fact_order AS o USING (order_id) JOIN fulfillment.fact_delivery AS d USING (order_id)
"""
OF_PRODUCTS = f"""
    (SELECT DISTINCT i.product_id, i.order_id FROM {LINES} WHERE {DELIVERED}) AS s
    JOIN customer.fact_review AS r USING (order_id)
"""

DAYS = {
    "orders": "count(*) FROM sales.fact_order AS o",
    "valid": f"count(*) FROM sales.fact_order AS o WHERE {VALID}",
    "delivered": f"count(*) FROM sales.fact_order AS o WHERE {DELIVERED}",
    "canceled": "count(*) FROM sales.fact_order AS o WHERE o.status = 'canceled'",
    "unavailable": "count(*) FROM sales.fact_order AS o WHERE o.status = 'unavailable'",
    "open": f"count(*) FROM sales.fact_order AS o WHERE {VALID} AND NOT {DELIVERED}",
    "not_approved": "count(*) FROM sales.fact_order AS o WHERE o.approved_at IS NULL",
    "new_customers": f"count(DISTINCT o.customer_id) FROM sales.fact_order AS o WHERE {VALID}",
    "second_orders": f"""count(*) FROM (
        SELECT FROM sales.fact_order AS o WHERE {VALID} GROUP BY o.customer_id HAVING count(*) > 1) AS again""",
    "lines": f"count(*) FROM {LINES} WHERE {VALID}",
    "revenue": f"sum(i.price + i.freight) FROM {LINES} WHERE {DELIVERED}",
    "gmv": f"sum(i.price) FROM {LINES} WHERE {VALID}",
    "freight": f"sum(i.freight) FROM {LINES} WHERE {DELIVERED}",
    "paid": f"sum(p.amount) FROM sales.fact_payment AS p JOIN sales.fact_order AS o USING (order_id) WHERE {VALID}",
    "valued_orders": f"count(DISTINCT order_id) FROM {LINES} WHERE {DELIVERED}",
    "deliveries": f"count(*) FROM {DELIVERIES} WHERE {TRAVELLED}",
    "late_deliveries": f"count(*) FROM {DELIVERIES} WHERE {TRAVELLED} AND {LATE} > 0",
    "days_late": f"sum({LATE}) FROM {DELIVERIES} WHERE {TRAVELLED}",
    "delivery_seconds": f"sum(extract(epoch FROM d.delivered_at - o.placed_at)) FROM {DELIVERIES} WHERE {TRAVELLED}",
    "reviews": f"count(*) FROM {REVIEWS}",
    "score_sum": f"sum(r.score) FROM {REVIEWS}",
    "promoters": f"count(*) FROM {REVIEWS} WHERE r.score = 5",
    "detractors": f"count(*) FROM {REVIEWS} WHERE r.score <= 3",
    "negative": f"count(*) FROM {REVIEWS} WHERE r.score <= 2",
}
PEOPLE = {
    "orders": DAYS["orders"],
    "valid": DAYS["valid"],
    "delivered": DAYS["delivered"],
    "frequency": DAYS["delivered"],
    "lost": f"count(*) FROM sales.fact_order AS o WHERE {LOST}",
    "monetary": DAYS["revenue"],
    "reviews": f"count(*) FROM {REVIEWS} WHERE {DELIVERED}",
    "late_deliveries": DAYS["late_deliveries"],
}
SELLERS = {
    "orders": "count(DISTINCT (seller_id, order_id)) FROM sales.fact_order_item",
    "valid": f"count(DISTINCT (i.seller_id, order_id)) FROM {LINES} WHERE {VALID}",
    "delivered": f"count(DISTINCT (i.seller_id, order_id)) FROM {LINES} WHERE {DELIVERED}",
    "lost": f"count(DISTINCT (i.seller_id, order_id)) FROM {LINES} WHERE {LOST}",
    "lines": "count(*) FROM sales.fact_order_item",
    "products": f"count(DISTINCT (i.seller_id, i.product_id)) FROM {LINES} WHERE {VALID}",
    "revenue": DAYS["revenue"],
    "gmv": DAYS["gmv"],
    "order_value": f"sum(i.price + i.freight) FROM {LINES} WHERE {VALID}",
    "deliveries": f"count(*) FROM {SOLD} WHERE {TRAVELLED}",
    "late": f"count(*) FROM {SOLD} WHERE {TRAVELLED} AND {LATE} > 0",
    "days_late": f"sum({LATE}) FROM {SOLD} WHERE {TRAVELLED}",
    "handovers": f"count(o.shipped_at) FROM {SOLD} WHERE {TRAVELLED}",
    "on_time": f"count(*) FROM {SOLD} WHERE {TRAVELLED} AND o.shipped_at <= s.ship_by",
    "handover_seconds": f"sum(extract(epoch FROM o.shipped_at - o.placed_at)) FROM {SOLD} WHERE {TRAVELLED}",
    "reviews": f"count(*) FROM {SOLD} JOIN customer.fact_review AS r USING (order_id)",
    "score_sum": f"sum(r.score) FROM {SOLD} JOIN customer.fact_review AS r USING (order_id)",
    "positive": f"count(*) FROM {SOLD} JOIN customer.fact_review AS r USING (order_id) WHERE r.score >= 4",
    "negative": f"count(*) FROM {SOLD} JOIN customer.fact_review AS r USING (order_id) WHERE r.score <= 2",
}
PRODUCTS = {
    "lines": SELLERS["lines"],
    "valid": DAYS["lines"],
    "delivered": f"count(*) FROM {LINES} WHERE {DELIVERED}",
    "orders": "count(DISTINCT (product_id, order_id)) FROM sales.fact_order_item",
    "valid_orders": f"count(DISTINCT (i.product_id, order_id)) FROM {LINES} WHERE {VALID}",
    "lost": f"count(DISTINCT (i.product_id, order_id)) FROM {LINES} WHERE {LOST}",
    "sellers": f"count(DISTINCT (i.product_id, i.seller_id)) FROM {LINES} WHERE {VALID}",
    "revenue": DAYS["revenue"],
    "gmv": DAYS["gmv"],
    "reviews": f"count(*) FROM {OF_PRODUCTS}",
    "score_sum": f"sum(r.score) FROM {OF_PRODUCTS}",
    "positive": f"count(*) FROM {OF_PRODUCTS} WHERE r.score >= 4",
    "negative": f"count(*) FROM {OF_PRODUCTS} WHERE r.score <= 2",
}
ADDITIVE = {
    "executive_daily": DAYS,
    "customer_rfm": PEOPLE,
    "seller_scorecard": SELLERS,
    "product_performance": PRODUCTS,
}
ROWS = {
    "executive_daily": "max(placed_at)::date - min(placed_at)::date + 1 FROM sales.fact_order",
    "customer_rfm": "count(DISTINCT customer_id) FROM sales.fact_order",
    "seller_scorecard": f"""count(*) FROM (
        SELECT seller_id FROM sales.fact_order_item UNION
        SELECT seller_id FROM marketplace.dim_seller WHERE seller_id <> {ZERO}) AS every""",
    "product_performance": f"""count(*) FROM (
        SELECT product_id FROM sales.fact_order_item UNION
        SELECT product_id FROM marketplace.dim_product WHERE product_id <> {ZERO}) AS every""",
    "orders": "count(*) FROM sales.fact_order",
    "lines": "count(*) FROM sales.fact_order_item",
    "payments": "count(*) FROM sales.fact_payment",
    "reviews": f"count(*) FROM {REVIEWS}",
}


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """Two loads, the second of which says how the orders of the first went on."""
    folder = tmp_path_factory.mktemp("marts")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        for until in ("2018-03-31", "2018-12-31"):
            extract = folder / until
            warehouse.json("generate", extract, "--orders", "600", "--seed", "11", "--until", until)
            warehouse.ingest(extract)
        with database.connect("replayhouse test", autocommit=True) as conn:
            yield conn


def one(conn: psycopg.Connection, query: str) -> object:
    (value,) = conn.execute(f"SELECT {query}".encode()).fetchone() or (None,)
    return value


@pytest.mark.parametrize("mart", ADDITIVE)
def test_each_column_adds_up_to_what_the_facts_say(loaded: psycopg.Connection, mart: str) -> None:
    told = {column: one(loaded, f"sum({column}) FROM mart.{mart}") for column in ADDITIVE[mart]}
    counted = {column: one(loaded, query) for column, query in ADDITIVE[mart].items()}
    assert told == counted
    assert all(counted.values()), "the extract has something of each, or nothing would be shown"


@pytest.mark.parametrize("mart", ROWS)
def test_each_has_a_row_for_all_there_are(loaded: psycopg.Connection, mart: str) -> None:
    assert one(loaded, f"count(*) FROM mart.{mart}") == one(loaded, ROWS[mart])


def test_whoever_adds_a_column_says_what_it_adds_up_to(loaded: psycopg.Connection) -> None:
    """But for keys, texts, dates, and what is no sum."""
    no_sums = {
        "executive_daily": {"customers", "sellers", "products", "position"},
        "customer_rfm": {"recency_days", "r", "f", "m", "rfm", "avg_score", "position"},
        "seller_scorecard": {"categories", "position"},
        "product_performance": {
            "photos", "description_length", "weight", "volume", "min_price", "max_price", "position"
        },
    }  # fmt: skip
    numbers = """
        SELECT a.attname::text FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND t.typcategory = 'N'
    """
    for mart, columns in ADDITIVE.items():
        found = {name for (name,) in loaded.execute(numbers, [f"mart.{mart}"])}
        assert found - no_sums[mart] == columns.keys()


# --- texts ------------------------------------------------------------------------------------------------------

# Python writes the last sigma of a word in another way, and a dotted capital I with a mark of its own. Characters that
# came after Unicode 14, or have other marks in an older Python, are left out.
KNOWN = st.characters(max_codepoint=0x2FFF, exclude_characters="\x00Σİ", exclude_categories=("Cn", "Cs"))
WORDS = st.text(KNOWN | st.sampled_from("\u0301\u0303\u0327 \u00a0\u2003\t\nÁÃçÉü"), max_size=30)


@given(texts=st.lists(WORDS, min_size=1, max_size=50))
@example(texts=["São  Paulo", " s\u0303a\u0301o\tpaulo ", "ITABIRÍ", "Ⅷ", "ǅ", ""])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_server_normalises_texts_as_the_domain_does_cities(loaded: psycopg.Connection, texts: list[str]) -> None:
    found = loaded.execute("SELECT read_model.normalised(t) FROM unnest(%s::text[]) AS t", [texts]).fetchall()
    assert [text for (text,) in found] == [normalised_city(text) for text in texts]
