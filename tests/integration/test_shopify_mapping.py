"""What the mapping `shopify` makes of rows of an export: ids, statuses, money to the cent."""

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.shown_cells import personal_columns
from tests.support.mappings import SHIPPED
from tests.support.shipped_mappings import id_of, records_made
from tests.support.shopify_export import COLUMNS, PRODUCT_COLUMNS, line, row, rows_of, write, write_products
from tests.support.synthetic import cents
from tests.support.woocommerce_export import money

Made = dict[str, list[dict[str, Any]]]
Cells = dict[str, str]
Amounts = tuple[str, str | None, str]
"""Number, price and freight of an item."""


def made(folder: Path, *rows: Cells) -> Made:
    return records_made("shopify", write(folder / "export", list(rows)), folder)


def amounts(records: Made) -> list[Amounts]:
    return [(item["order_item_id"], item["price"], item["freight_value"]) for item in records["order_items"]]


def test_the_form_has_79_columns() -> None:
    assert (len(COLUMNS), len(set(COLUMNS))) == (79, 79)


def test_a_row_makes_an_order_its_customer_a_product_its_vendor_an_item_and_a_payment(tmp_path: Path) -> None:
    records = made(tmp_path, row(1001))
    order, alias = id_of("shopify", "order", "#1001").hex, id_of("shopify", "alias", "#1001").hex
    product, seller = id_of("shopify", "product", "MUG").hex, id_of("shopify", "seller", "Potters").hex
    [found], [item], [payment] = records["orders"], records["order_items"], records["order_payments"]
    assert (found["order_id"], found["customer_id"], found["order_status"]) == (order, alias, "delivered")
    assert (found["order_purchase_timestamp"], found["order_approved_at"], found["order_delivered_carrier_date"]) == (
        "2018-01-02 10:00:00",
        "2018-01-02 10:01:00",
        "2018-01-03 09:00:00",
    )
    assert (item["order_id"], item["product_id"], item["seller_id"]) == (order, product, seller)
    assert amounts(records) == [("1", "30.50", "12.00")]
    assert (payment["payment_type"], payment["payment_value"]) == ("pix", "42.50")
    [customer] = records["customers"]
    assert (customer["customer_id"], customer["customer_zip_code_prefix"]) == (alias, "01001")
    assert (customer["customer_city"], customer["customer_state"]) == ("são paulo", "SP")
    assert [one["product_id"] for one in records["products"]] == [product]
    assert [one["seller_id"] for one in records["sellers"]] == [seller]


def test_a_status_is_what_tells_most_of_three_columns(tmp_path: Path) -> None:
    canceled = "2018-01-05 10:00:00 -0200"
    becomes = {
        ("pending", "unfulfilled", ""): ("created", None),
        ("authorized", "", ""): ("created", None),
        ("partially_paid", "unfulfilled", ""): ("created", "32.50"),
        ("paid", "unfulfilled", ""): ("approved", "32.50"),
        ("paid", "", ""): ("approved", "32.50"),
        ("paid", "restocked", ""): ("approved", "32.50"),
        ("paid", "pending", ""): ("approved", "32.50"),
        ("partially_refunded", "unfulfilled", ""): ("approved", "32.50"),
        ("paid", "partial", ""): ("processing", "32.50"),
        ("paid", "fulfilled", ""): ("delivered", "32.50"),
        ("pending", "fulfilled", ""): ("delivered", None),
        ("refunded", "fulfilled", ""): ("canceled", "32.50"),
        ("voided", "unfulfilled", ""): ("canceled", None),
        ("expired", "", ""): ("canceled", None),
        ("paid", "fulfilled", canceled): ("canceled", "32.50"),
        ("paid", "on the moon", ""): ("on the moon", "32.50"),
    }
    names = ("Financial_Status", "Fulfillment_Status", "Cancelled_at", "Refunded_Amount", "Outstanding_Balance")
    rows = []
    for number, told in enumerate(becomes):
        amounts_back = ("0.00", "10.00") if told[0] == "partially_paid" else ("10.00", "0.00")
        rows.append(row(number, **dict(zip(names, (*told, *amounts_back), strict=True))))
    records = made(tmp_path, *rows)
    paid = {payment["order_id"]: payment["payment_value"] for payment in records["order_payments"]}
    found = [(order["order_status"], paid.get(order["order_id"])) for order in records["orders"]]
    assert dict(zip(becomes, found, strict=True)) == becomes


MONEY: dict[str, tuple[list[Cells], list[Amounts]]] = {
    "pieces of a line share what it comes to after its discount": (
        [
            {
                "Lineitem quantity": "3",
                "Lineitem price": "4.00",
                "Lineitem discount": "2.00",
                "Subtotal": "10.00",
                "Total": "22.00",
            }
        ],
        [("1", "3.34", "4.00"), ("2", "3.33", "4.00"), ("3", "3.33", "4.00")],
    ),
    "pieces of an order share its freight": (
        [{"Lineitem quantity": "2", "Subtotal": "91.50", "Shipping": "10.00", "Total": "101.50"}, {}],
        [("1", "30.50", "3.34"), ("2", "30.50", "3.33"), ("3", "30.50", "3.33")],
    ),
    "tax that prices include is nowhere": ([{"Taxes": "5.50"}], [("1", "30.50", "12.00")]),
    "tax that they do not include is freight": ([{"Taxes": "5.50", "Total": "48.00"}], [("1", "30.50", "17.50")]),
    "duties are freight": ([{"Duties": "1.50", "Total": "44.00"}], [("1", "30.50", "13.50")]),
    "an order's discount lowers prices, by largest remainder": (
        [
            {
                "Lineitem price": "10.00",
                "Discount Amount": "5.01",
                "Subtotal": "14.99",
                "Shipping": "0.00",
                "Total": "14.99",
            },
            {"Lineitem price": "5.00"},
            {"Lineitem price": "5.00"},
        ],
        [("1", "7.49", "0.00"), ("2", "3.75", "0.00"), ("3", "3.75", "0.00")],
    ),
    "a discount amount that is those of lines again is taken once": (
        [{"Lineitem discount": "5.50", "Discount Amount": "5.50", "Subtotal": "25.00", "Total": "37.00"}],
        [("1", "25.00", "12.00")],
    ),
    "and one that holds them with the order's, the order's part": (
        [{"Lineitem discount": "5.50", "Discount Amount": "7.50", "Subtotal": "23.00", "Total": "35.00"}],
        [("1", "23.00", "12.00")],
    ),
    "a discount of shipping lowers no price": (
        [{"Discount Amount": "12.00", "Shipping": "0.00", "Total": "30.50"}],
        [("1", "30.50", "0.00")],
    ),
    "nor where what shipping would have cost still stands there": (
        [{"Discount Amount": "12.00", "Total": "30.50"}],
        [("1", "30.50", "0.00")],
    ),
    "nor beside a discount of the order": (
        [{"Subtotal": "20.50", "Discount Amount": "22.00", "Total": "20.50"}],
        [("1", "20.50", "0.00")],
    ),
    "what nothing explains is left": ([{"Total": "73.00", "Subtotal": "61.00"}], [("1", "30.50", "12.00")]),
    "an order for nothing": (
        [{"Lineitem price": "0.00", "Subtotal": "0.00", "Shipping": "0.00", "Total": "0.00"}],
        [("1", "0.00", "0.00")],
    ),
}
UNREADABLE: dict[str, tuple[list[Cells], list[Amounts]]] = {
    "a quantity in words": ([{"Lineitem quantity": "two"}], [("Lineitem quantity two", "30.50", "12.00")]),
    "no piece": ([{"Lineitem quantity": "0"}], [("Lineitem quantity 0", "30.50", "12.00")]),
    "too many pieces": ([{"Lineitem quantity": "1001"}], [("Lineitem quantity 1001", "30.50", "12.00")]),
    "a price with a letter": ([{"Lineitem price": "30,5o"}], [("1", "30,5o - 0.00", "12.00")]),
    "shipping in words": ([{"Shipping": "free"}], [("1", "30.50", "free + 0.00")]),
    "no price": ([{"Lineitem price": ""}], [("1", None, "12.00")]),
}


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(MONEY, id="prices and freight add up to the total"),
        pytest.param(UNREADABLE, id="what cannot be read stays what it is, so that its record is kept apart"),
    ],
)
def test_each_piece_has_its_part_of_what_was_charged(
    tmp_path: Path, cases: dict[str, tuple[list[Cells], list[Amounts]]]
) -> None:
    rows = [
        {**(line(number) if place else row(number)), **cells}
        for number, (lines, _) in enumerate(cases.values())
        for place, cells in enumerate(lines)
    ]
    found: dict[str, list[Amounts]] = defaultdict(list)
    for item in made(tmp_path, *rows)["order_items"]:
        found[item["order_id"]].append((item["order_item_id"], item["price"], item["freight_value"]))
    told = {case: found[id_of("shopify", "order", f"#{number}").hex] for number, case in enumerate(cases)}
    assert told == {case: expected for case, (_, expected) in cases.items()}


def test_a_person_is_known_by_address_for_letters_then_telephone_or_not_at_all(tmp_path: Path) -> None:
    records = made(
        tmp_path,
        row(1, Email="Ana@Example.com "),
        row(2),
        row(3, Email="", Phone="+55 (11) 5555-0101"),
        row(4, Email="", Phone="'551155550101"),
        row(5, Email=""),
        row(6, Email=" "),
    )
    people = [customer["customer_unique_id"] for customer in records["customers"]]
    assert [people.index(person) for person in people] == [0, 0, 2, 2, 4, 5]


def test_a_product_is_known_by_sku_then_name_and_may_have_no_vendor(tmp_path: Path) -> None:
    records = made(tmp_path, row(1), line(1, Lineitem_sku="", Vendor=""))
    assert [item["product_id"] for item in records["order_items"]] == [
        id_of("shopify", "product", key).hex for key in ("MUG", "Mug")
    ]
    assert [item["seller_id"] is None for item in records["order_items"]] == [False, True]


def test_a_place_of_brazil_is_told_by_its_prefix_and_others_by_their_country(tmp_path: Path) -> None:
    places = {
        ("BR", "'01001-000", "SP"): ("01001", "SP"),
        ("", "01.001 000", "SP"): ("01001", "SP"),
        ("", "", ""): ("unknown", "unknown"),
        ("US", "'15201", "PA"): ("US 15201", "US-PA"),
        ("GB", "SW1A 1AA", ""): ("GB SW1A1AA", "GB"),
    }
    names = ("Billing_Country", "Billing_Zip", "Billing_Province")
    rows = [row(number, **dict(zip(names, place, strict=True))) for number, place in enumerate(places)]
    sent = row(99, Shipping_Zip="'20040-020", Shipping_City="rio de janeiro", Shipping_Province="RJ")
    *found, elsewhere = (
        (customer["customer_zip_code_prefix"], customer["customer_state"])
        for customer in made(tmp_path, *rows, sent)["customers"]
    )
    assert dict(zip(places, found, strict=True)) == places
    assert elsewhere == ("20040", "RJ")


def test_a_row_without_its_order_is_an_item_all_the_same_so_that_its_record_is_kept_apart(tmp_path: Path) -> None:
    """As in an export that lacks its beginning: the order's first row, or a name."""
    records = made(tmp_path, line(1), row(2, Name=""), row(3))
    orders = [id_of("shopify", "order", name).hex for name in ("#1", "#3")]
    assert [item["order_id"] for item in records["order_items"]] == [orders[0], None, orders[1]]
    assert [order["order_id"] for order in records["orders"]] == [None, orders[1]]
    assert amounts(records) == [("1", "30.50", None), ("1", "30.50", "12.00"), ("1", "30.50", "12.00")]


def test_an_order_that_stands_twice_is_one_and_two_lines_alike_are_two(tmp_path: Path) -> None:
    order = [row(1, Subtotal="61.00", Total="73.00"), line(1)]
    records = made(tmp_path, *order, *order)
    assert [(item["line"], item["order_item_id"]) for item in records["order_items"]] == [
        (2, "1"),
        (3, "2"),
        (4, "1"),
        (5, "2"),
    ]
    assert {(price, freight) for _, price, freight in amounts(records)} == {("30.50", "6.00")}
    assert [len(records[kind]) for kind in ("orders", "customers", "order_payments", "products")] == [1, 1, 1, 1]


def test_whatever_an_order_is_made_of_its_items_add_up_to_its_total(tmp_path: Path) -> None:
    chance = Random(7)
    rows, totals = [], {}
    for number in range(1, 301):
        lines = [(chance.randint(1, 20_000), chance.randint(1, 7)) for _ in range(chance.randint(1, 5))]
        off = [chance.choice((0, chance.randint(0, price * pieces))) for price, pieces in lines]
        sold = sum(price * pieces for price, pieces in lines) - sum(off)
        discount = chance.choice((0, chance.randint(0, sold)))
        shipping, taxes, included = chance.randint(0, 3_000), chance.randint(0, 900), chance.choice((True, False))
        total = sold - discount + shipping + (0 if included else taxes)
        totals[id_of("shopify", "order", f"#{number}").hex] = (total, sum(pieces for _, pieces in lines))
        whole = row(number) | {
            "Subtotal": money(sold - discount),
            "Discount Amount": money(discount + chance.choice((0, sum(off)))),
            "Shipping": money(shipping),
            "Taxes": money(taxes),
            "Total": money(total),
        }
        rows += rows_of(
            whole,
            [
                line(number)
                | {"Lineitem price": money(price), "Lineitem quantity": str(pieces), "Lineitem discount": money(less)}
                for (price, pieces), less in zip(lines, off, strict=True)
            ],
        )

    found: dict[str, list[int]] = defaultdict(list)
    for item in made(tmp_path, *rows)["order_items"]:
        assert min(cents(item["price"]), cents(item["freight_value"])) >= 0
        found[item["order_id"]].append(cents(item["price"]) + cents(item["freight_value"]))
    assert {order: (sum(charged), len(charged)) for order, charged in found.items()} == totals


LISTED: list[Cells] = [
    {
        "Handle": "mug",
        "Title": "Mug",
        "Body (HTML)": "<p>Holds a <b>pint</b>.</p>",
        "Product Category": "Home & Garden > Kitchen > Mugs",
        "Option1 Name": "Size",
        "Option1 Value": "Large",
        "Option2 Value": "Blue",
        "Variant SKU": "MUG",
        "Variant Grams": "350.4",
        "Image Src": "https://example.com/1.jpg",
    },
    {"Handle": "mug", "Option1 Value": "Small", "Option2 Value": "Blue", "Variant Grams": "0.0"},
    {"Handle": "mug", "Image Src": "https://example.com/2.jpg"},
    {"Handle": "lamp", "Title": "Lamp", "Type": "Lights", "Option1 Value": "Default Title", "Variant SKU": "'007"},
]
NEWER = {
    "Handle": "URL handle",
    "Body (HTML)": "Description",
    "Product Category": "Product category",
    "Option1 Name": "Option1 name",
    "Option1 Value": "Option1 value",
    "Option2 Value": "Option2 value",
    "Variant SKU": "SKU",
    "Variant Grams": "Weight value (grams)",
    "Image Src": "Product image URL",
}
DETAILS = (
    "line",
    "product_category_name",
    "product_name_lenght",
    "product_description_lenght",
    "product_photos_qty",
    "product_weight_g",
)


@pytest.mark.parametrize("names", [{}, NEWER], ids=["older names of columns", "newer names"])
def test_an_article_finds_its_variant_by_sku_or_by_name(tmp_path: Path, names: Cells) -> None:
    export = write(
        tmp_path / "export",
        [
            row(1, Lineitem_name="Mug - Large / Blue"),
            line(1, Lineitem_name="Mug - Small / Blue", Lineitem_sku=""),
            line(1, Lineitem_name="Gone", Lineitem_sku="GONE"),
        ],
    )
    early = {one["product_id"]: one for one in records_made("shopify", export, tmp_path / "early")["products"]}
    listed = [{names.get(column, column): cell for column, cell in one.items()} for one in LISTED]
    write_products(export, listed, [names.get(column, column) for column in PRODUCT_COLUMNS])
    later = {one["product_id"]: one for one in records_made("shopify", export, tmp_path / "later")["products"]}

    keys = ("MUG", "Mug - Small / Blue", "GONE", "007")
    ids = [id_of("shopify", "product", key).hex for key in keys]
    assert ([*early], {*later}) == (ids[:3], {*ids})
    assert [[later[one][detail] for detail in DETAILS] for one in ids] == [
        [2, "Mugs", "18", "13", "2", "350"],
        [3, "Mugs", "18", "13", "2", None],
        [1, None, "4", None, None, None],
        [5, "Lights", "4", None, "0", None],
    ]
    assert [early[one]["product_name_lenght"] for one in ids[:3]] == ["18", "18", "4"]
    assert [early[one]["line"] for one in ids[:3]] == [2, 3, 4]


def test_a_weight_that_cannot_be_read_stays_what_it_is_and_of_one_sku_the_first_variant_counts(tmp_path: Path) -> None:
    export = write(tmp_path / "export", [row(1)])
    write_products(export, [{**LISTED[0], "Variant Grams": "heavy"}, {**LISTED[0], "Option1 Value": "Small"}])
    [mug] = records_made("shopify", export, tmp_path / "into")["products"]
    assert (mug["line"], mug["product_weight_g"], mug["product_name_lenght"]) == (2, "heavy", "3")
    assert personal_columns(read_mapping(SHIPPED / "shopify"), "products") == ()  # so its cell is quoted
