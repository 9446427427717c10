"""The table `[expectations]` of a guessed mapping: what seems to be true of the source, and what each key is for."""

import re
from collections.abc import Collection, Iterator

from replayhouse.infra.sources.guess_columns import Guesses, in_toml
from replayhouse.infra.sources.guess_personal import are_ceps
from replayhouse.infra.sources.guess_words import status_of
from replayhouse.infra.sources.meanings import UNFILLED
from replayhouse.infra.staging.expected import OF_OLIST
from replayhouse.ingest.records import STATUSES

MOST_WORDS = 20
"""So many words of a column are written down; of more they may be about anything."""

RULES_ABOUT: dict[str, tuple[tuple[str, str], ...]] = {
    "approved_orders_have_time": (("orders", "order_approved_at"),),
    "shipped_orders_have_time": (("orders", "order_delivered_carrier_date"),),
    "delivered_orders_have_time": (("orders", "order_delivered_customer_date"),),
    "orders_have_promise": (("orders", "order_estimated_delivery_date"),),
    "items_have_ship_by": (("order_items", "shipping_limit_date"),),
    "items_name_seller": (("order_items", "seller_id"),),
    "items_have_seller": (("sellers", "seller_id"),),
    "reviews_have_answer_time": (("order_reviews", "review_answer_timestamp"),),
    "products_have_category": (("products", "product_category_name"),),
    "products_have_measures": (("products", "product_weight_g"), ("products", "product_length_cm")),
    "products_have_description": (("products", "product_description_lenght"),),
    "categories_translated": (("categories", "product_category_name_english"),),
    "zip_prefixes_sampled": (("geolocation", "geolocation_lat"),),
}
"""Rules that say nothing of a source without any of these columns, by the records that have them."""

_ZIP = re.compile(r"\d{1,5}|\d{8}")


def expectations(guesses: Guesses) -> str:
    """The table as text. No cell stands in it but words for statuses and for methods of payment."""
    return "\n".join(["[expectations]  # what is true of this source", *_lines(guesses), ""])


def without(guesses: Guesses) -> list[str]:
    """The kinds of which the source seems to have no records: reviews, and sellers of whom it says where they are."""
    return [record for record in ("order_reviews", "sellers") if record not in guesses.records]


def _lines(guesses: Guesses) -> Iterator[str]:
    if guesses.unknown:
        yield "# What no column looks like stays empty; write it in [records] instead, if the source knows it."
        yield f"unknown = {_list(guesses.unknown)}"
    if none := without(guesses):
        yield "# Kinds of which the source has no records; a first load needs all others."
        yield f"without = {_list(none)}"
    if words := _words(guesses.cells("orders", "order_status"), STATUSES):
        yield "# What each of its words for the status of an order means, of the first rows: are these right, and all?"
        meanings = (f"{in_toml(word)} = {in_toml(status_of(word) or UNFILLED)}" for word in words)
        yield f"statuses = {{ {', '.join(meanings)} }}"
    if methods := _words(guesses.cells("order_payments", "payment_type"), OF_OLIST.methods):
        yield "# Its words for methods of payment that are no mistake; questions look for boleto, credit_card, voucher."
        yield f"methods = {_list(methods)}"
    off = [
        rule
        for rule, of in RULES_ABOUT.items()
        if not any(column in guesses.columns_of(record) for record, column in of)
    ]
    if _are_of_elsewhere(guesses):
        yield "# Its zips are not those of Brazil: any letters and digits are let in."
        yield 'zips = "text"'
    states = guesses.cells("customers", "customer_state")
    if states and not set(states) & set(OF_OLIST.states):
        yield "# Its states are not those of Brazil: a table [regions] says in which regions they lie, and a list"
        yield '# states = ["...", "..."] which are known, if they are to be checked.'
        off.append("states_known")
    if off:
        yield "# Rules of quality that it is not held against, for nothing in its files tells of this."
        yield f"off = {_list(off)}"


def _words(cells: Collection[str], known: Collection[str]) -> list[str]:
    """The words of a column that has few, if some of them are not known."""
    words = sorted(set(cells))
    unknown = [word for word in words if word not in known]
    if len(words) > MOST_WORDS or not unknown:
        return []
    return unknown if known is STATUSES else words


def _are_of_elsewhere(guesses: Guesses) -> bool:
    zips = guesses.cells("customers", "customer_zip_code_prefix")
    return bool(zips) and not are_ceps(zips) and not all(map(_ZIP.fullmatch, zips))


def _list(texts: Collection[str]) -> str:
    return f"[{', '.join(map(in_toml, texts))}]"
