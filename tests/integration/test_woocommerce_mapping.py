"""What the mapping `woocommerce` makes of rows of an export: ids, statuses, money to the cent."""

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.shipped_mappings import id_of, records_made
from tests.support.synthetic import cents
from tests.support.woocommerce_export import money, row, signed, write

Made = dict[str, list[dict[str, Any]]]
Cells = dict[str, str]
Amounts = tuple[str, str | None, str]
"""Number, price and freight of an item."""


def made(folder: Path, *rows: Cells) -> Made:
    return records_made("woocommerce", write(folder / "export", list(rows)), folder)


def amounts(records: Made) -> list[Amounts]:
    return [(item["order_item_id"], item["price"], item["freight_value"]) for item in records["order_items"]]


def test_a_row_makes_an_order_its_customer_a_product_an_item_and_a_payment(tmp_path: Path) -> None:
    records = made(tmp_path, row(1001))
    order, alias = id_of("woocommerce", "order", "1001").hex, id_of("woocommerce", "alias", "1001").hex
    product = id_of("woocommerce", "product", "MUG").hex
    [found], [item], [payment] = records["orders"], records["order_items"], records["order_payments"]
    assert (found["order_id"], found["customer_id"], found["order_status"]) == (order, alias, "delivered")
    assert (found["order_purchase_timestamp"], found["order_estimated_delivery_date"]) == ("2018-01-02 10:00:00", None)
    assert (item["order_id"], item["product_id"], item["seller_id"]) == (order, product, None)
    assert amounts(records) == [("1", "30.50", "12.00")]
    assert (payment["payment_type"], payment["payment_value"]) == ("pix", "42.50")
    [customer] = records["customers"]
    assert (customer["customer_id"], customer["customer_zip_code_prefix"]) == (alias, "01001")
    assert (customer["customer_city"], customer["customer_state"]) == ("são paulo", "SP")
    assert [one["product_id"] for one in records["products"]] == [product]


def test_a_status_becomes_one_of_the_eight_and_a_plug_ins_stays_as_it_is(tmp_path: Path) -> None:
    becomes = {
        "pending": ("created", False),
        "on-hold": ("created", False),
        "processing": ("processing", True),
        "completed": ("delivered", True),
        "cancelled": ("canceled", False),
        "failed": ("canceled", False),
        "refunded": ("canceled", True),
        "wholesale-quote": ("wholesale-quote", True),
    }
    records = made(tmp_path, *(row(number, status=status) for number, status in enumerate(becomes)))
    paid = {payment["order_id"] for payment in records["order_payments"]}
    told = [(order["order_status"], order["order_id"] in paid) for order in records["orders"]]
    assert dict(zip(becomes, told, strict=True)) == becomes


def test_what_was_given_back_was_not_paid(tmp_path: Path) -> None:
    records = made(tmp_path, row(1001, refunded_total="12.25"), row(1002, status="refunded", refunded_total="42.50"))
    assert [payment["payment_value"] for payment in records["order_payments"]] == ["30.25", "0.00"]
    assert amounts(records) == [("1", "30.50", "12.00")] * 2


MONEY: dict[str, tuple[list[Cells], list[Amounts]]] = {
    "pieces of a line share its price, with tax": (
        [{"item_quantity": "3", "item_total": "10.00", "item_total_tax": "1.00", "order_total": "23.00"}],
        [("1", "3.67", "4.00"), ("2", "3.67", "4.00"), ("3", "3.66", "4.00")],
    ),
    "pieces of an order share its freight": (
        [
            {"item_quantity": "2", "shipping_total": "10.00", "shipping_tax_total": "0.01", "order_total": "71.01"},
            {"shipping_total": "10.00", "shipping_tax_total": "0.01", "order_total": "71.01"},
        ],
        [("1", "15.25", "3.34"), ("2", "15.25", "3.34"), ("3", "30.50", "3.33")],
    ),
    "fees are freight": (
        [{"fee_total": "2.00", "fee_tax_total": "0.50", "order_total": "45.00"}],
        [("1", "30.50", "14.50")],
    ),
    "a fee below zero lowers prices, by largest remainder": (
        [
            {"item_total": price, "shipping_total": "0", "fee_total": "'-5.01", "order_total": "14.99"}
            for price in ("10.00", "5.00", "5.00")
        ],
        [("1", "7.49", "0.00"), ("2", "3.75", "0.00"), ("3", "3.75", "0.00")],
    ),
    "of a fee below zero what shipping does not cover lowers prices": (
        [{"fee_total": "-20.00", "order_total": "22.50"}],
        [("1", "22.50", "0.00")],
    ),
    "a cent that the shop's rounding lost is freight": (
        [{"item_total_tax": "0.33", "order_total": "42.84"}],
        [("1", "30.83", "12.01")],
    ),
    "what rounding does not explain is left": ([{"order_total": "73.00"}], [("1", "30.50", "12.00")]),
    "an order for nothing": (
        [{"item_total": "0.00", "shipping_total": "0.00", "order_total": "0.00"}],
        [("1", "0.00", "0.00")],
    ),
}
UNREADABLE: dict[str, tuple[list[Cells], list[Amounts]]] = {
    "a quantity in words": ([{"item_quantity": "two"}], [("item_quantity two", "30.50", "12.00")]),
    "no piece": ([{"item_quantity": "0"}], [("item_quantity 0", "30.50", "12.00")]),
    "too many pieces": ([{"item_quantity": "1001"}], [("item_quantity 1001", "30.50", "12.00")]),
    "a price with a letter": ([{"item_total": "30,5o"}], [("1", "30,5o + 0.00", "12.00")]),
    "shipping in words": ([{"shipping_total": "free"}], [("1", "30.50", "free + 0.00 + 0.00 + 0.00")]),
    "a price below zero": ([{"item_total": "-5.00", "order_total": "7.00"}], [("1", "-5.00", "12.00")]),
    "no price": ([{"item_total": ""}], [("1", None, "12.00")]),
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
        row(number, item, **cells)
        for number, (lines, _) in enumerate(cases.values())
        for item, cells in enumerate(lines, 1)
    ]
    found: dict[str, list[Amounts]] = defaultdict(list)
    for item in made(tmp_path, *rows)["order_items"]:
        found[item["order_id"]].append((item["order_item_id"], item["price"], item["freight_value"]))
    told = {case: found[id_of("woocommerce", "order", str(number)).hex] for number, case in enumerate(cases)}
    assert told == {case: expected for case, (_, expected) in cases.items()}


def test_a_person_is_known_by_address_for_letters_then_number_telephone_or_not_at_all(tmp_path: Path) -> None:
    nobody = {"billing_email": "", "billing_phone": ""}
    records = made(
        tmp_path,
        row(1, billing_email="Ana@Example.com "),
        row(2, customer_id="5"),
        row(3, **nobody, customer_id="5"),
        row(4, **nobody, customer_id="5"),
        row(5, **{**nobody, "billing_phone": "'+55 (11) 5555-0101"}),
        row(6, **{**nobody, "billing_phone": "551155550101"}),
        row(7, **nobody),
        row(8, **nobody),
    )
    people = [customer["customer_unique_id"] for customer in records["customers"]]
    assert [people.index(person) for person in people] == [0, 0, 2, 2, 4, 4, 6, 7]


def test_a_product_is_known_by_sku_then_number_then_name(tmp_path: Path) -> None:
    records = made(
        tmp_path,
        row(1),
        row(2, item_product_id="8", item_name="Big mug"),
        row(3, item_sku=""),
        row(4, item_sku="unknown_product", item_product_id="0"),
        row(5, item_sku="#7"),
    )
    kinds = [id_of("woocommerce", "product", key).hex for key in ("MUG", "MUG", "#7", "Mug", "#7")]
    assert [item["product_id"] for item in records["order_items"]] == kinds
    lengths = {product["product_id"]: product["product_name_lenght"] for product in records["products"]}
    assert lengths == dict.fromkeys(kinds, "3")


def test_a_place_of_brazil_is_told_by_its_prefix_and_others_by_their_country(tmp_path: Path) -> None:
    places = {
        ("BR", "01001-000", "SP"): ("01001", "SP"),
        ("BR", "1001-000", "SP"): ("01001", "SP"),
        ("", "01.001 000", "SP"): ("01001", "SP"),
        ("BR", "1001000", ""): ("01001", "unknown"),
        ("", "", ""): ("unknown", "unknown"),
        ("US", "15201-0012", "PA"): ("US 15201", "US-PA"),
        ("GB", "SW1A 1AA", ""): ("GB SW1A1AA", "GB"),
        ("PT", "1000-001", ""): ("PT 1000001", "PT"),
        ("AE", "", "DU"): ("AE", "AE-DU"),
    }
    names = ("billing_country", "billing_postcode", "billing_state")
    rows = (row(number, **dict(zip(names, place, strict=True))) for number, place in enumerate(places))
    records = made(tmp_path, *rows)["customers"]
    told = [(customer["customer_zip_code_prefix"], customer["customer_state"]) for customer in records]
    assert dict(zip(places, told, strict=True)) == places


def test_an_order_goes_to_the_address_for_shipping_where_there_is_one(tmp_path: Path) -> None:
    shipping = {"shipping_postcode": "20040-020", "shipping_city": "rio de janeiro", "shipping_state": "RJ"}
    records = made(tmp_path, row(1, **shipping))
    [customer] = records["customers"]
    assert (customer["customer_zip_code_prefix"], customer["customer_state"]) == ("20040", "RJ")


def test_a_row_that_stands_twice_is_one_item_and_is_seen_to_stand_twice(tmp_path: Path) -> None:
    records = made(tmp_path, row(1, 1), row(1, 2, item_total="5.00"), row(1, 1))
    assert [(item["line"], item["order_item_id"], item["price"]) for item in records["order_items"]] == [
        (2, "1", "30.50"),
        (3, "2", "5.00"),
        (4, "1", "30.50"),
    ]
    assert [len(records[kind]) for kind in ("orders", "customers", "order_payments", "products")] == [1, 1, 1, 1]


def test_rows_that_say_otherwise_of_one_item_have_its_number_both(tmp_path: Path) -> None:
    """The rule `keys_unique` keeps such records out."""
    records = made(tmp_path, row(1, 1), row(1, 1, item_total="31.00"), row(1, 2))
    assert amounts(records) == [("1", "30.50", "6.00"), ("1", "31.00", "6.00"), ("2", "30.50", "6.00")]


def test_whatever_an_order_is_made_of_its_items_add_up_to_its_total(tmp_path: Path) -> None:
    chance = Random(7)
    rows, totals = [], {}
    for number in range(1, 301):
        lines = [
            (chance.randint(0, 20_000), chance.randint(0, 500), chance.randint(1, 7))
            for _ in range(chance.randint(1, 5))
        ]
        shipping, fee, rounding = chance.randint(0, 3_000), chance.randint(-4_000, 1_000), chance.choice((-1, 0, 0, 1))
        sold = sum(price + tax for price, tax, _ in lines)
        total = max(sold + shipping + fee + rounding, 0)
        if sold + shipping + fee + rounding < 0:
            fee, rounding = -sold - shipping, 0
        totals[id_of("woocommerce", "order", str(number)).hex] = (total, sum(pieces for *_, pieces in lines))
        whole = {"shipping_total": money(shipping), "fee_total": signed(fee), "order_total": money(total)}
        rows += [
            row(number, item, item_total=money(price), item_total_tax=money(tax), item_quantity=str(pieces), **whole)
            for item, (price, tax, pieces) in enumerate(lines, 1)
        ]

    found: dict[str, list[int]] = defaultdict(list)
    for item in made(tmp_path, *rows)["order_items"]:
        assert min(cents(item["price"]), cents(item["freight_value"])) >= 0
        found[item["order_id"]].append(cents(item["price"]) + cents(item["freight_value"]))
    assert {order: (sum(charged), len(charged)) for order, charged in found.items()} == totals
