"""The hundred answers from the raw CSV files by DuckDB, reading included: what an analyst would do without a warehouse.

The answers are the second computation of the tests, on the same terms; the files are read as an analyst would read
them: typed by DuckDB's own reader, nothing checked, nothing kept apart, no row compared with an earlier load.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from bench.timing import Best, best_of
from tests.oracle import expected, questions

SETTINGS = {"2 threads": "SET threads = 2", "1 thread": "SET threads = 1"}

_KINDS = {
    "TIMESTAMP": (
        "order_purchase_timestamp order_approved_at order_delivered_carrier_date order_delivered_customer_date"
        " order_estimated_delivery_date shipping_limit_date review_creation_date review_answer_timestamp"
    ),
    "DECIMAL(12, 2)": "price freight_value payment_value",
    "INTEGER": (
        "order_item_id payment_sequential payment_installments review_score product_name_lenght"
        " product_description_lenght product_photos_qty product_weight_g product_length_cm product_height_cm"
        " product_width_cm"
    ),
    "DOUBLE": "geolocation_lat geolocation_lng",
}
_TYPES = {column: kind for kind, columns in _KINDS.items() for column in columns.split()}
_TABLES = {
    "orders": """SELECT row_number() OVER () AS record, CAST(order_id AS UUID) AS order_id,
        CAST(customer_id AS UUID) AS customer_alias, order_status AS status, order_purchase_timestamp AS placed_at,
        order_approved_at AS approved_at, order_delivered_carrier_date AS carrier_at,
        order_delivered_customer_date AS delivered_at, order_estimated_delivery_date AS promised_by""",
    "customers": """SELECT CAST(customer_id AS UUID) AS customer_alias, CAST(customer_unique_id AS UUID) AS customer_id,
        lpad(customer_zip_code_prefix, 5, '0') AS zip_prefix, customer_city AS city, customer_state AS state""",
    "order_items": """SELECT CAST(order_id AS UUID) AS order_id, order_item_id AS item_no,
        CAST(product_id AS UUID) AS product_id, CAST(seller_id AS UUID) AS seller_id, shipping_limit_date AS ship_by,
        price, freight_value AS freight""",
    "order_payments": """SELECT CAST(order_id AS UUID) AS order_id, payment_sequential AS payment_no,
        payment_type AS method, payment_installments AS installments, payment_value AS amount""",
    "order_reviews": """SELECT CAST(review_id AS UUID) AS review_id, CAST(order_id AS UUID) AS order_id,
        review_score AS score, review_comment_title AS title, review_comment_message AS comment,
        review_creation_date AS created_at, review_answer_timestamp AS answered_at""",
    "products": """SELECT CAST(product_id AS UUID) AS product_id, product_category_name AS category,
        product_name_lenght AS name_length, product_description_lenght AS description_length,
        product_photos_qty AS photos, product_weight_g AS weight_g, product_length_cm AS length_cm,
        product_height_cm AS height_cm, product_width_cm AS width_cm""",
    "sellers": """SELECT CAST(seller_id AS UUID) AS seller_id, lpad(seller_zip_code_prefix, 5, '0') AS zip_prefix,
        seller_city AS city, seller_state AS state""",
    "categories": "SELECT product_category_name AS category, product_category_name_english AS english",
    "geolocation": """SELECT lpad(geolocation_zip_code_prefix, 5, '0') AS zip_prefix, geolocation_lat AS latitude,
        geolocation_lng AS longitude, geolocation_city AS city, geolocation_state AS state""",
}

# Words are made comparable by DuckDB itself: exactly what R12 asks for the letters that Portuguese has.
_WORDS = """
    CREATE TABLE reading.normalised_city AS
        SELECT city, trim(regexp_replace(lower(strip_accents(city)), '\\s+', ' ', 'g')) AS normalised
        FROM (SELECT city FROM reading.customers UNION SELECT city FROM reading.sellers);
"""
_TEXTS = """
    CREATE TABLE reading.normalised_text AS
        SELECT review_id, order_id, trim(regexp_replace(lower(strip_accents(
            coalesce(title, '') || ' ' || coalesce(comment, ''))), '\\s+', ' ', 'g')) AS words
        FROM customer.fact_review
"""


def measure(directory: Path) -> Best:
    """Seconds from nothing to all hundred answers, in its best case."""
    settings: dict[str, Callable[[], float]] = {
        name: partial(_seconds, directory, setting) for name, setting in SETTINGS.items()
    }
    return best_of(settings)


def _seconds(directory: Path, setting: str) -> float:
    begun = time.perf_counter()
    with duckdb.connect() as database:
        database.execute(setting)
        read(database, directory)
        for number in questions.numbers():
            questions.answer(database, number)
    return time.perf_counter() - begun


def read(database: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """The star schema of an extract, and on it the terms of the questions, without a check of any record."""
    database.execute("CREATE SCHEMA raw")
    database.execute("SET VARIABLE opened_on = ?", [datetime.now(UTC).date()])
    macros, _, _ = (
        (expected.FOLDER / "readings.sql").read_text(encoding="utf-8").partition("CREATE TABLE reading.orders")
    )
    database.execute(macros)
    for name, columns in _TABLES.items():
        path = directory / expected.FILES[name]
        header = path.open(encoding="utf-8-sig").readline().strip().split(",")
        typed = ", ".join(f"'{column}': '{_TYPES.get(column, 'VARCHAR')}'" for column in header)
        read_csv = f"read_csv('{path}', header = true, auto_detect = false, quote = '\"', columns = {{{typed}}})"
        database.execute(f"CREATE TABLE reading.{name} AS {columns} FROM {read_csv}")
    database.execute(_WORDS)
    expected.make_tables(database)
    database.execute(_TEXTS)
    questions.make_terms(database)
