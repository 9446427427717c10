"""An extract of the nine files as a WooCommerce shop would have exported it: "Default - One Row per Item".

The lines of an order that name the same product at the same price are one row with a quantity. What the form cannot
carry is left out, as docs/woocommerce.md lists it.
"""

import csv
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.synthetic import Records, by_order, cents, records_of

COLUMNS = (
    *("order_id", "order_number", "date", "status", "shipping_total", "shipping_tax_total", "fee_total"),
    *("fee_tax_total", "tax_total", "discount_total", "order_total", "refunded_total", "order_currency"),
    *("payment_method", "shipping_method", "customer_id", "billing_first_name", "billing_last_name"),
    *("billing_company", "billing_email", "billing_phone", "billing_address_1", "billing_address_2"),
    *("billing_postcode", "billing_city", "billing_state", "billing_country", "shipping_first_name"),
    *("shipping_last_name", "shipping_address_1", "shipping_address_2", "shipping_postcode", "shipping_city"),
    *("shipping_state", "shipping_country", "shipping_company", "customer_note", "item_id", "item_product_id"),
    *("item_name", "item_sku", "item_quantity", "item_subtotal", "item_subtotal_tax", "item_total"),
    *("item_total_tax", "item_refunded", "item_refunded_qty", "item_meta", "shipping_items", "fee_items"),
    *("tax_items", "coupon_items", "order_notes", "download_permissions_granted"),
)
"""The columns of the format, in its order."""

STATUSES = {
    "created": "pending",
    "approved": "processing",
    "invoiced": "processing",
    "processing": "processing",
    "shipped": "completed",
    "delivered": "completed",
    "canceled": "cancelled",
    "unavailable": "cancelled",
}
"""The shop's word for a status of the nine files."""

FIRST_NUMBER = 1_001

Row = dict[str, str]


class Export(NamedTuple):
    """The folder of an export and its rows; the numbers of orders by their ids and those of their customers, and the
    e-mails of people by their ids.
    """

    folder: Path
    rows: list[Row]
    numbers: dict[str, str]
    aliases: dict[str, str]
    emails: dict[str, str]


def exported(extract: Path, folder: Path) -> Export:
    """Writes an extract of the nine files as an export of such a shop; each order has lines and a customer."""
    records = records_of(extract)
    numbers = {order["order_id"]: str(number) for number, order in enumerate(records["orders"], FIRST_NUMBER)}
    people = {customer["customer_unique_id"] for customer in records["customers"]}
    emails = {person: f"{person[:12]}@example.com" for person in people}
    rows = [
        {**whole, **line, "item_id": f"{whole['order_id']}{place:02d}"}
        for whole, lines in _orders(records, numbers, emails)
        for place, line in enumerate(lines, 1)
    ]
    aliases = {order["customer_id"]: numbers[order["order_id"]] for order in records["orders"]}
    return Export(write(folder, rows), rows, numbers, aliases, emails)


def _orders(records: Records, numbers: dict[str, str], emails: dict[str, str]) -> Iterator[tuple[Row, list[Row]]]:
    """What is of each whole order, and its lines."""
    items, payments = by_order(records["order_items"]), by_order(records["order_payments"])
    customers = {customer["customer_id"]: customer for customer in records["customers"]}
    names = {product["product_id"]: "n" * int(product["product_name_lenght"] or 0) for product in records["products"]}
    for order in records["orders"]:
        of_it = items[order["order_id"]]
        customer = customers[order["customer_id"]]
        paid = sorted(payments[order["order_id"]], key=lambda payment: -cents(payment["payment_value"]))
        freight = sum(cents(item["freight_value"]) for item in of_it)
        total = freight + sum(cents(item["price"]) for item in of_it)
        whole = {
            "order_id": numbers[order["order_id"]],
            "order_number": numbers[order["order_id"]],
            "date": order["order_purchase_timestamp"],
            "status": STATUSES[order["order_status"]],
            **dict.fromkeys(("fee_total", "fee_tax_total", "tax_total", "discount_total"), "0.00"),
            "shipping_total": money(freight),
            "shipping_tax_total": "0.00",
            "order_total": money(total),
            "refunded_total": "0.00",
            "order_currency": "BRL",
            "payment_method": paid[0]["payment_type"] if paid else "",
            "customer_id": "0",
            "billing_email": emails[customer["customer_unique_id"]],
            "billing_postcode": f"{customer['customer_zip_code_prefix']:0>5}-000",
            "billing_city": customer["customer_city"],
            "billing_state": customer["customer_state"],
            "billing_country": "BR",
        }
        quantities = Counter((item["product_id"], cents(item["price"])) for item in of_it)
        yield whole, [_line(product, names, price, pieces) for (product, price), pieces in quantities.items()]


def _line(product: str, names: dict[str, str], price: int, pieces: int) -> Row:
    return {
        "item_product_id": str(1 + int(product[:6], 16)),
        "item_name": names.get(product, ""),
        "item_sku": product,
        "item_quantity": str(pieces),
        "item_subtotal": money(price * pieces),
        "item_total": money(price * pieces),
        "item_total_tax": "0.00",
    }


def money(amount: int) -> str:
    """An amount in cents, as the form writes it."""
    return f"{amount // 100}.{amount % 100:02d}"


def signed(amount: int) -> str:
    """The same, where it may be below zero: with an apostrophe, so that a spreadsheet takes it for no formula."""
    return money(amount) if amount >= 0 else f"'-{money(-amount)}"


def write(folder: Path, rows: list[Row], name: str = "orders-export-2018-09-01.csv") -> Path:
    """Writes rows under the header of the format; a column that a row lacks is empty. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator=os.linesep)
        writer.writeheader()
        writer.writerows(rows)
    return folder


def row(number: int, item: int = 1, /, **cells: str) -> Row:
    """A row of an order of a mug for 30.50 with 12.00 for shipping; `cells` say what is otherwise."""
    return {
        "order_id": str(number),
        "date": "2018-01-02 10:00:00",
        "status": "completed",
        "shipping_total": "12.00",
        "shipping_tax_total": "0.00",
        "fee_total": "0.00",
        "fee_tax_total": "0.00",
        "order_total": "42.50",
        "refunded_total": "0.00",
        "order_currency": "BRL",
        "payment_method": "pix",
        "customer_id": "0",
        "billing_email": "ana@example.com",
        "billing_phone": "'+55 11 5555-0101",
        "billing_postcode": "01001-000",
        "billing_city": "são paulo",
        "billing_state": "SP",
        "billing_country": "BR",
        "item_id": f"{number}{item:02d}",
        "item_product_id": "7",
        "item_name": "Mug",
        "item_sku": "MUG",
        "item_quantity": "1",
        "item_total": "30.50",
        "item_total_tax": "0.00",
        **cells,
    }
