"""Lines of small extracts, for examples worked out by hand.

Identifiers are small numbers: `an_id(7)` is the cell of a file, `UUID(int=7)` what a table shows.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from tests.oracle.expected import FILES, rows

HEADERS = {
    "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
    "geolocation": "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng,geolocation_city,geolocation_state",
    "order_items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
    "order_payments": "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    "order_reviews": "review_id,order_id,review_score,review_comment_title,review_comment_message,"
    "review_creation_date,review_answer_timestamp",
    "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
    "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date",
    "products": "product_id,product_category_name,product_name_lenght,product_description_lenght,"
    "product_photos_qty,product_weight_g,product_length_cm,product_height_cm,product_width_cm",
    "sellers": "seller_id,seller_zip_code_prefix,seller_city,seller_state",
    "categories": "product_category_name,product_category_name_english",
}
NOBODY = UUID(int=0)
PLACED = "2017-03-01 10:00:00"
PROMISED = "2017-03-20 00:00:00"


def write_extract(folder: Path, lines: Mapping[str, Iterable[str]]) -> Path:
    """Writes the nine files, each with its header and the lines given for it, and returns the folder."""
    for file, name in FILES.items():
        text = "\n".join((HEADERS[file], *lines.get(file, ()))) + "\n"
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def an_id(number: int) -> str:
    return UUID(int=number).hex


def line(*cells: object) -> str:
    return ",".join(str(cell) for cell in cells)


def an_order(
    number: int,
    status: str = "delivered",
    placed: str = PLACED,
    *,
    approved: str = "",
    carrier: str = "",
    delivered: str = "",
    promised: str = PROMISED,
) -> str:
    """A line of the orders file; its alias is 100 more than its number."""
    return line(an_id(number), an_id(100 + number), status, placed, approved, carrier, delivered, promised)


def a_customer(alias: int, person: int, zip_prefix: str = "01001", city: str = "sao paulo", state: str = "SP") -> str:
    return line(an_id(alias), an_id(person), zip_prefix, city, state)


def an_item(order: int, item_no: object = 1, price: str = "10.00", freight: str = "0.00", seller: int = 50) -> str:
    return line(an_id(order), item_no, an_id(70), an_id(seller), "2017-03-05 00:00:00", price, freight)


def a_payment(order: int, payment_no: object, amount: str, method: str = "boleto", installments: object = 1) -> str:
    return line(an_id(order), payment_no, method, installments, amount)


def shown(oracle: duckdb.DuckDBPyConnection, table: str, *names: str) -> list[tuple[Any, ...]]:
    """The columns of a table without its unknown member, in the order of their values."""
    key = oracle.table(table).columns[0]
    return sorted(row[1:] for row in rows(oracle, table, (key, *names)) if row[0] not in (NOBODY, "unknown"))


def money(text: str) -> Decimal:
    return Decimal(text)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
