"""Which raw columns are those of a record, by their names: as the source of the nine files calls them, or in words."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from replayhouse.infra.sources.document import ColumnType
from replayhouse.ingest.records import RECORDS, CellKind, Column

LIKENESS = 0.86
ENOUGH = 0.5
"""The part of the columns, and of the required ones, by which a record is believed to be in a file."""

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "customers": {
        "customer_id": ("customer alias", "customer"),
        "customer_unique_id": ("customer id", "person id", "client id", "customer number"),
        "customer_zip_code_prefix": ("zip", "zip code", "postal code", "postcode", "cep"),
        "customer_city": ("city", "cidade"),
        "customer_state": ("state", "province", "estado", "uf"),
    },
    "geolocation": {
        "geolocation_zip_code_prefix": ("zip", "zip code", "zip prefix", "postal code", "cep"),
        "geolocation_lat": ("lat", "latitude"),
        "geolocation_lng": ("lng", "lon", "long", "longitude"),
        "geolocation_city": ("city", "cidade"),
        "geolocation_state": ("state", "estado", "uf"),
    },
    "order_items": {
        "order_id": ("order", "order no", "order number", "pedido"),
        "order_item_id": ("item", "item no", "item number", "line", "line number", "position"),
        "product_id": ("product", "sku", "article", "produto"),
        "seller_id": ("seller", "vendor", "merchant", "vendedor"),
        "shipping_limit_date": ("ship by", "ship until", "dispatch until", "shipping limit"),
        "price": ("unit price", "item price", "amount", "preco"),
        "freight_value": ("freight", "shipping", "shipping cost", "frete"),
    },
    "order_payments": {
        "order_id": ("order", "order no", "order number", "pedido"),
        "payment_sequential": ("payment no", "payment number", "sequence"),
        "payment_type": ("payment method", "method", "paid by"),
        "payment_installments": ("installments", "instalments", "parcelas"),
        "payment_value": ("payment amount", "paid", "amount paid", "value"),
    },
    "order_reviews": {
        "review_id": ("review", "review no", "review number"),
        "order_id": ("order", "order no", "order number", "pedido"),
        "review_score": ("score", "rating", "stars", "nota"),
        "review_comment_title": ("title", "comment title", "review title"),
        "review_comment_message": ("comment", "message", "review text", "review comment"),
        "review_creation_date": ("reviewed at", "review date", "created at", "creation date"),
        "review_answer_timestamp": ("answered at", "answer date"),
    },
    "orders": {
        "order_id": ("order", "order no", "order number", "pedido"),
        "customer_id": ("customer", "customer no", "customer number", "client", "cliente"),
        "order_status": ("status", "state of order", "fulfillment status"),
        "order_purchase_timestamp": ("placed", "placed at", "order date", "ordered at", "created at", "purchase date"),
        "order_approved_at": ("approved", "approved at", "paid at", "payment date"),
        "order_delivered_carrier_date": ("shipped", "shipped at", "dispatched at", "shipping date", "fulfilled at"),
        "order_delivered_customer_date": ("delivered", "delivered at", "delivery date", "completed at"),
        "order_estimated_delivery_date": ("promised", "promised by", "due", "due date", "estimated delivery"),
    },
    "products": {
        "product_id": ("product", "sku", "article", "produto"),
        "product_category_name": ("category", "product category", "categoria"),
        "product_name_lenght": ("product name length", "name length"),
        "product_description_lenght": ("product description length", "description length"),
        "product_photos_qty": ("photos", "product photos", "number of photos"),
        "product_weight_g": ("weight", "weight g", "peso"),
        "product_length_cm": ("length", "length cm"),
        "product_height_cm": ("height", "height cm"),
        "product_width_cm": ("width", "width cm"),
    },
    "sellers": {
        "seller_id": ("seller", "vendor", "vendor id", "merchant id"),
        "seller_zip_code_prefix": ("zip", "zip code", "postal code", "cep"),
        "seller_city": ("city", "cidade"),
        "seller_state": ("state", "estado", "uf"),
    },
    "categories": {
        "product_category_name": ("category", "category name", "categoria"),
        "product_category_name_english": ("english", "english name", "category english", "translation"),
    },
}
"""What else the columns of each record are called."""


class GuessedRecord(NamedTuple):
    """A record that a file seems to hold: raw columns by the record's; required columns that nothing is like."""

    record: str
    file: str
    columns: dict[str, str]
    lacking: tuple[str, ...]


def guess_records(files: dict[str, Sequence[str]]) -> list[GuessedRecord]:
    """For each record the file that has most of its columns, by the names of the columns of each file."""
    found: list[GuessedRecord] = []
    for record, shape in RECORDS.items():
        columns = shape.columns()
        key = {column.name for column in columns if column.field in shape.natural_key}
        guesses = (_guess(record, file, names, columns) for file, names in files.items())
        believed = [one for one in guesses if key <= set(one.columns) and _is_enough(one, columns)]
        if believed:
            found.append(max(believed, key=lambda one: (len(one.columns), record in one.file)))
    return found


def _is_enough(guess: GuessedRecord, columns: Sequence[Column]) -> bool:
    required = sum(not column.may_be_empty for column in columns)
    has_required = required - len(guess.lacking) >= ENOUGH * required
    return has_required and len(guess.columns) >= ENOUGH * len(columns)


def _guess(record: str, file: str, names: Sequence[str], columns: tuple[Column, ...]) -> GuessedRecord:
    """Surer matches are made first, so that no column is taken by one that is less like it."""
    left = {_words(name): name for name in reversed(names)}
    matched: dict[str, str] = {}
    for like in (_own_name, _in_words, _nearly):
        for column in columns:
            if column.name not in matched and (words := like(record, column, left)) is not None:
                matched[column.name] = left.pop(words)
    ordered = {column.name: matched[column.name] for column in columns if column.name in matched}
    lacking = (column.name for column in columns if not column.may_be_empty and column.name not in matched)
    return GuessedRecord(record, file, ordered, tuple(lacking))


def _own_name(_: str, column: Column, left: dict[str, str]) -> str | None:
    return next((name for name in (_words(column.name), _words(column.field)) if name in left), None)


def _in_words(record: str, column: Column, left: dict[str, str]) -> str | None:
    return next((words for words in WORDS[record].get(column.name, ()) if words in left), None)


def _nearly(record: str, column: Column, left: dict[str, str]) -> str | None:
    known = [_words(column.name), *WORDS[record].get(column.name, ())]
    near = (get_close_matches(words, list(left), n=1, cutoff=LIKENESS) for words in known)
    return next((names[0] for names in near if names), None)


def _words(name: str) -> str:
    """A name as words in small letters: `orderNo`, `Order-No` and `order_no` are one."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", parted.lower()))


KINDS: dict[CellKind, ColumnType] = {
    CellKind.TIME: "time",
    CellKind.MONEY: "money",
    CellKind.WHOLE: "whole",
    CellKind.SCORE: "whole",
    CellKind.DEGREES: "degrees",
}
"""The type of a raw column by the kind of the record's; of others it is text."""
