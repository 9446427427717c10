"""An extract of the nine files as a Shopify shop would have exported its orders and products: a row a line of an order,
what is of the whole order on its first.

The lines of an order that name the same product and vendor at the same price are one row with a quantity. What the form
cannot carry is left out, as docs/shopify.md lists it.
"""

import csv
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.support.synthetic import Records, by_order, cents, records_of
from tests.support.woocommerce_export import FIRST_NUMBER, Row, money

COLUMNS = (
    *("Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing"),
    *("Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method"),
    *("Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price"),
    *("Lineitem sku", "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status"),
    *(
        f"{whose} {part}"
        for whose in ("Billing", "Shipping")
        for part in ("Name", "Street", "Address1", "Address2", "Company", "City", "Zip", "Province", "Country", "Phone")
    ),
    *("Notes", "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference", "Refunded Amount", "Vendor"),
    *("Outstanding Balance", "Employee", "Location", "Device ID", "Id", "Tags", "Risk Level", "Source"),
    "Lineitem discount",
    *(f"Tax {number} {part}" for number in range(1, 6) for part in ("Name", "Value")),
    *("Phone", "Receipt Number", "Duties", "Billing Province Name", "Shipping Province Name", "Payment ID"),
    *("Payment Terms Name", "Next Payment Due At", "Payment References"),
)
"""The columns of the form, in its order."""

PRODUCT_COLUMNS = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published"),
    *(f"Option{number} {part}" for number in range(1, 4) for part in ("Name", "Value", "Linked To")),
    *("Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy"),
    *("Variant Fulfillment Service", "Variant Price", "Variant Compare At Price", "Variant Requires Shipping"),
    *("Variant Taxable", "Variant Barcode", "Image Src", "Image Position", "Image Alt Text", "Gift Card", "SEO Title"),
    *("SEO Description", "Variant Image", "Variant Weight Unit", "Variant Tax Code", "Cost per item", "Status"),
)
"""The columns of the form of products, in its order, without those of other channels."""

REPEATED = ("Name", "Email", "Created at", "Phone")
"""What is of the whole order and yet stands on each of its rows."""

STATUSES = {
    "created": ("pending", "unfulfilled"),
    "approved": ("paid", "unfulfilled"),
    "invoiced": ("paid", "unfulfilled"),
    "processing": ("paid", "unfulfilled"),
    "shipped": ("paid", "fulfilled"),
    "delivered": ("paid", "fulfilled"),
    "canceled": ("voided", "unfulfilled"),
    "unavailable": ("voided", "unfulfilled"),
}
"""The shop's words for a status of the nine files: of its money, and of its shipment."""

FILE = "orders_export_1.csv"
PRODUCTS = "products_export_1.csv"

_BRAZIL = ZoneInfo("America/Sao_Paulo")


class Export(NamedTuple):
    """The folder of an export, its rows of orders and the ids of its products; the names of orders by their ids and
    those of their customers, and the e-mails of people by their ids.
    """

    folder: Path
    rows: list[Row]
    products: list[str]
    names: dict[str, str]
    aliases: dict[str, str]
    emails: dict[str, str]


def exported(extract: Path, folder: Path) -> Export:
    """Writes an extract of the nine files as an export of such a shop; each order has lines and a customer."""
    records = records_of(extract)
    names = {order["order_id"]: f"#{number}" for number, order in enumerate(records["orders"], FIRST_NUMBER)}
    people = {customer["customer_unique_id"] for customer in records["customers"]}
    emails = {person: f"{person[:12]}@example.com" for person in people}
    rows = [row for whole, lines in _orders(records, names, emails) for row in rows_of(whole, lines)]
    aliases = {order["customer_id"]: names[order["order_id"]] for order in records["orders"]}
    products = [row for product in records["products"] for row in _product_rows(product)]
    write_products(write(folder, rows), products)
    return Export(folder, rows, [row["Handle"] for row in products], names, aliases, emails)


def _product_rows(product: Row) -> Iterator[Row]:
    """The rows of a product of one variant: itself with its first photo, then its other photos."""
    handle = product["product_id"]
    photos = [f"https://example.com/{handle}/{number}.jpg" for number in range(int(product["product_photos_qty"] or 0))]
    length = int(product["product_description_lenght"] or 0)
    described = f"<p>{'d' * (length - 1)}&amp;</p>\n" if length else ""
    yield {
        "Handle": handle,
        "Title": "n" * int(product["product_name_lenght"] or 0),
        "Body (HTML)": described,
        "Type": product["product_category_name"],
        "Option1 Name": "Title",
        "Option1 Value": "Default Title",
        "Variant SKU": handle,
        "Variant Grams": f"{product['product_weight_g'] or 0}.0",
        "Image Src": photos[0] if photos else "",
    }
    for photo in photos[1:]:
        yield {"Handle": handle, "Image Src": photo}


def rows_of(whole: Row, lines: list[Row]) -> list[Row]:
    """The rows of an order: what is of the whole of it stands on the first only, but for what repeats."""
    repeated = {column: whole[column] for column in REPEATED if column in whole}
    return [{**(whole if place == 0 else repeated), **line} for place, line in enumerate(lines)]


def _orders(records: Records, names: dict[str, str], emails: dict[str, str]) -> Iterator[tuple[Row, list[Row]]]:
    """What is of each whole order, and its lines."""
    items, payments = by_order(records["order_items"]), by_order(records["order_payments"])
    customers = {customer["customer_id"]: customer for customer in records["customers"]}
    lengths = {product["product_id"]: int(product["product_name_lenght"] or 0) for product in records["products"]}
    for order in records["orders"]:
        of_it = items[order["order_id"]]
        customer = customers[order["customer_id"]]
        paid = sorted(payments[order["order_id"]], key=lambda payment: -cents(payment["payment_value"]))
        freight = sum(cents(item["freight_value"]) for item in of_it)
        subtotal = sum(cents(item["price"]) for item in of_it)
        financial, fulfillment = STATUSES[order["order_status"]]
        whole = {
            "Name": names[order["order_id"]],
            "Email": emails[customer["customer_unique_id"]],
            "Financial Status": financial,
            "Paid at": time(order["order_approved_at"]),
            "Fulfillment Status": fulfillment,
            "Fulfilled at": time(order["order_delivered_carrier_date"]),
            "Currency": "BRL",
            "Subtotal": money(subtotal),
            "Shipping": money(freight),
            **dict.fromkeys(("Taxes", "Discount Amount", "Refunded Amount", "Outstanding Balance"), "0.00"),
            "Total": money(subtotal + freight),
            "Created at": time(order["order_purchase_timestamp"]),
            "Cancelled at": time(order["order_purchase_timestamp"]) if financial == "voided" else "",
            "Shipping Zip": f"'{customer['customer_zip_code_prefix']:0>5}-000",
            "Shipping City": customer["customer_city"],
            "Shipping Province": customer["customer_state"],
            "Shipping Country": "BR",
            "Payment Method": paid[0]["payment_type"] if paid else "",
        }
        quantities = Counter((item["product_id"], item["seller_id"], cents(item["price"])) for item in of_it)
        yield (
            whole,
            [
                {
                    "Lineitem quantity": str(pieces),
                    "Lineitem name": "n" * lengths.get(product, 0),
                    "Lineitem price": money(price),
                    "Lineitem sku": product,
                    "Lineitem discount": "0.00",
                    "Vendor": seller,
                }
                for (product, seller, price), pieces in quantities.items()
            ],
        )


def time(local: str) -> str:
    """A time of Brazil, as the form writes it: with its offset. Nothing is nothing."""
    return f"{datetime.fromisoformat(local).replace(tzinfo=_BRAZIL):%Y-%m-%d %H:%M:%S %z}" if local else ""


def write(folder: Path, rows: list[Row]) -> Path:
    """Writes rows under the header of the form; a column that a row lacks is empty. Returns the folder."""
    return _write(folder, FILE, COLUMNS, rows)


def write_products(folder: Path, rows: list[Row], columns: Sequence[str] = PRODUCT_COLUMNS) -> Path:
    """The same of rows of the export of products."""
    return _write(folder, PRODUCTS, columns, rows)


def _write(folder: Path, file: str, columns: Sequence[str], rows: list[Row]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / file).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator=os.linesep)
        writer.writeheader()
        writer.writerows(rows)
    return folder


def row(number: int, /, **cells: str) -> Row:
    """The first row of an order of a mug for 30.50 with 12.00 for shipping; `cells` say what is otherwise, with `_` for
    the blanks in names of columns.
    """
    return {
        "Name": f"#{number}",
        "Email": "ana@example.com",
        "Financial Status": "paid",
        "Paid at": "2018-01-02 10:01:00 -0200",
        "Fulfillment Status": "fulfilled",
        "Fulfilled at": "2018-01-03 09:00:00 -0200",
        "Currency": "BRL",
        "Subtotal": "30.50",
        "Shipping": "12.00",
        "Taxes": "0.00",
        "Total": "42.50",
        "Discount Amount": "0.00",
        "Created at": "2018-01-02 10:00:00 -0200",
        "Billing Zip": "'01001-000",
        "Billing City": "são paulo",
        "Billing Province": "SP",
        "Billing Country": "BR",
        "Payment Method": "pix",
        "Refunded Amount": "0.00",
        **line(number),
        **_named(cells),
    }


def line(number: int, /, **cells: str) -> Row:
    """A further row of the same order: a mug."""
    return {
        "Name": f"#{number}",
        "Email": "ana@example.com",
        "Created at": "2018-01-02 10:00:00 -0200",
        "Lineitem quantity": "1",
        "Lineitem name": "Mug",
        "Lineitem price": "30.50",
        "Lineitem sku": "MUG",
        "Lineitem discount": "0.00",
        "Vendor": "Potters",
        **_named(cells),
    }


def _named(cells: Row) -> Row:
    return {column.replace("_", " "): cell for column, cell in cells.items()}
