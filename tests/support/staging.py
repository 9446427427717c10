"""A small extract without a fault, to be harmed by the tests of the staging."""

import csv
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from replayhouse.infra.staging.expected import Expected
from replayhouse.infra.staging.extract import open_extract
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.reader import read_file
from replayhouse.infra.staging.staging import Staged, stage, stage_records

OPENED_ON = date(2026, 3, 1)
"""The day on which the load of an extract is said to be opened."""

Row = dict[str, str]
Tables = dict[str, list[Row]]
Harm = Callable[[Tables], None]


def an_id(kind: str, number: int) -> str:
    """32 hexadecimal digits that tell what they stand for."""
    return f"{kind.encode().hex():0<24}{number:08x}"


def order(number: int, **cells: str) -> Row:
    return {
        "order_id": an_id("order", number),
        "customer_id": an_id("alias", number),
        "order_status": "delivered",
        "order_purchase_timestamp": "2018-01-01 10:00:00",
        "order_approved_at": "2018-01-01 11:00:00",
        "order_delivered_carrier_date": "2018-01-02 12:00:00",
        "order_delivered_customer_date": "2018-01-05 13:00:00",
        "order_estimated_delivery_date": "2018-01-10 00:00:00",
    } | cells


def customer(number: int, **cells: str) -> Row:
    return {
        "customer_id": an_id("alias", number),
        "customer_unique_id": an_id("person", number),
        "customer_zip_code_prefix": "01001",
        "customer_city": "são paulo",
        "customer_state": "SP",
    } | cells


def item(number: int, **cells: str) -> Row:
    return {
        "order_id": an_id("order", number),
        "order_item_id": "1",
        "product_id": an_id("product", 1),
        "seller_id": an_id("seller", 1),
        "shipping_limit_date": "2018-01-03 10:00:00",
        "price": "90.0",
        "freight_value": "9.99",
    } | cells


def payment(number: int, **cells: str) -> Row:
    return {
        "order_id": an_id("order", number),
        "payment_sequential": "1",
        "payment_type": "credit_card",
        "payment_installments": "3",
        "payment_value": "99.99",
    } | cells


def review(number: int, **cells: str) -> Row:
    return {
        "review_id": an_id("review", number),
        "order_id": an_id("order", number),
        "review_score": "5",
        "review_comment_title": "",
        "review_comment_message": 'muito "bom",\r\nobrigado',
        "review_creation_date": "2018-01-06 00:00:00",
        "review_answer_timestamp": "2018-01-07 08:00:00",
    } | cells


def product(number: int, **cells: str) -> Row:
    return {
        "product_id": an_id("product", number),
        "product_category_name": "livros",
        "product_name_lenght": "40",
        "product_description_lenght": "400",
        "product_photos_qty": "2",
        "product_weight_g": "300",
        "product_length_cm": "20",
        "product_height_cm": "3",
        "product_width_cm": "13",
    } | cells


def seller(number: int, **cells: str) -> Row:
    return {
        "seller_id": an_id("seller", number),
        "seller_zip_code_prefix": "01001",
        "seller_city": "são paulo",
        "seller_state": "SP",
    } | cells


def sample(**cells: str) -> Row:
    return {
        "geolocation_zip_code_prefix": "01001",
        "geolocation_lat": "-23.5475",
        "geolocation_lng": "-46.6361",
        "geolocation_city": "sao paulo",
        "geolocation_state": "SP",
    } | cells


def category(name: str, english: str) -> Row:
    return {"product_category_name": name, "product_category_name_english": english}


def a_good_extract() -> Tables:
    """Three orders of three people, one of them canceled, and everything that belongs to them."""
    return {
        "customers": [customer(1), customer(2), customer(3)],
        "geolocation": [sample(), sample(geolocation_lat="-23.55")],
        "order_items": [item(1), item(2), item(3)],
        "order_payments": [payment(1), payment(2), payment(3)],
        "order_reviews": [review(1), review(2)],
        "orders": [order(1), order(2), order(3, order_status="canceled", order_delivered_customer_date="")],
        "products": [product(1)],
        "sellers": [seller(1)],
        "categories": [category("livros", "books")],
    }


def write(directory: Path, tables: Tables) -> Path:
    """The tables as CSV files under their published names; returns the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for file, rows in tables.items():
        source = SOURCE_FILES[file]
        with (directory / source.name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, source.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return directory


def write_known(directory: Path, tables: Mapping[str, str]) -> Path:
    """What the log knows: the text of each CSV file by its name without extension; returns the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (directory / f"{name}.csv").write_text(text, encoding="utf-8")
    return directory


def staged(tmp_path: Path, tables: Tables, known: Mapping[str, str] | None = None) -> Staged:
    """Writes the tables and stages them, with what the log is said to know."""
    extract = open_extract(write(tmp_path / "extract", tables), tmp_path / "unpacked")
    known_files = write_known(tmp_path / "known", known) if known else None
    return stage(extract, tmp_path / "stage", known_files, opened_on=OPENED_ON)


def staged_of(
    tmp_path: Path,
    tables: Tables,
    source: Expected,
    known: Mapping[str, str] | None = None,
    *,
    is_complete: bool = False,
) -> Staged:
    """Writes the tables, all nine, and stages them as records of a source that its mapping tells of.

    `known` is what the log is said to know; `is_complete`: the source says that its extracts hold everything.
    """
    extract = open_extract(write(tmp_path / "extract", tables), tmp_path / "unpacked")
    cells = tmp_path / "cells"
    cells.mkdir()
    read = {file: read_file(file, extract.files[file].path, cells) for file in tables}
    return stage_records(
        extract,
        read,
        cells,
        tmp_path / "stage",
        write_known(tmp_path / "known", known) if known else None,
        opened_on=OPENED_ON,
        expected=source,
        is_complete=is_complete,
    )
