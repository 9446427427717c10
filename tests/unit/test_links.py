"""Links between tables: they lead to keys, none is forgotten, and those that are certain hold in every fold."""

from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Table

from replayhouse.infra.contracts.dictionary import described
from replayhouse.projections.fingerprint import shapes_of
from replayhouse.projections.links import Link, comment_of, links, links_within
from replayhouse.projections.projection import Row, Stream
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn

STREAMS = 100
TABLES: dict[str, Table] = {f"{one.table.schema}.{one.table.name}": one.table for one in described()}


def key_of(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


@pytest.mark.parametrize("name", TABLES)
def test_a_link_leads_to_the_whole_key_of_a_table_and_of_the_same_type(name: str) -> None:
    types = {column.name: column.type for column in shapes_of([TABLES[name]])[TABLES[name].name]}
    for column, link in links(TABLES[name]):
        other = TABLES[f"{link.schema}.{link.table}"]
        assert key_of(other) == [link.column], f"{name}.{column.name} leads to {link.address}"
        [type_there] = [shape.type for shape in shapes_of([other])[other.name] if shape.name == link.column]
        assert types[column.name] == type_there


def test_a_column_that_is_called_like_a_key_of_another_table_leads_to_it() -> None:
    keys = {key_of(table)[0] for table in TABLES.values() if len(key_of(table)) == 1}
    assert {"order_id", "customer_id", "product_id", "seller_id", "batch_id", "zip_prefix", "date_key"} < keys
    unlinked = [
        f"{name}.{column.name}"
        for name, table in TABLES.items()
        for column in table.columns
        if column.name in keys and column not in [linked for linked, _ in links(table)]
    ]
    assert unlinked == [
        "sales.fact_order.order_id",
        "fulfillment.dim_geography.zip_prefix",
        "customer.dim_customer.customer_id",
        "customer.customer_alias.customer_alias",
        "marketplace.product.product_id",
        "marketplace.dim_seller.seller_id",
        "marketplace.dim_category.category",
        "marketplace.dim_product.product_id",
        "quality.batch.batch_id",
        "quality.quarantine.row_id",
        "shared.dim_date.date_key",
    ], "these are the keys themselves"


def test_links_within_a_schema_are_those_to_tables_that_are_given() -> None:
    order, item = TABLES["sales.fact_order"], TABLES["sales.fact_order_item"]
    found = [(column.table.name, column.name, link.table) for column, link in links_within([order, item])]
    assert found == [("fact_order_item", "order_id", "fact_order")]
    assert links_within([item]) == []


def test_the_comment_of_a_column_says_where_it_leads() -> None:
    columns = TABLES["sales.fact_order_item"].columns
    assert comment_of(columns["order_id"]) == f"{columns['order_id'].comment} (key of sales.fact_order)"
    seller = columns["seller_id"]
    assert comment_of(seller) == f"{seller.comment} (key of marketplace.dim_seller, which may be missing)"
    assert comment_of(columns["price"]) == columns["price"].comment


def test_both_ends_of_a_delivery_lead_to_their_state() -> None:
    leading = {column.name: link.address for column, link in links(TABLES["fulfillment.fact_delivery"])}
    assert leading["destination_zip"] == leading["origin_zip"] == "fulfillment.dim_geography.zip_prefix"
    assert "state" in TABLES["fulfillment.dim_geography"].columns


def test_what_a_certain_link_leads_to_is_made_by_the_same_stream() -> None:
    held = {f"{name}.{column}": 0 for name, table in TABLES.items() for column, _ in certain(table)}
    for context, kinds in KINDS_OF_STREAMS:
        random = Random(kinds[0].__name__)
        for number in range(STREAMS):
            others = random.choices(kinds, k=number % 6)
            events = [drawn(event, random) for event in (*kinds[: bool(number % 8)], *others)]
            rows = PROJECTIONS[context].fold(Stream(UUID(int=random.getrandbits(128)), number + 1, events))
            for name, of_table in rows.items():
                for column, link in certain(TABLES[f"{context}.{name}"]):
                    assert link.schema == context
                    there = values_of(TABLES[f"{context}.{link.table}"], link.column, rows.get(link.table, []))
                    here = values_of(TABLES[f"{context}.{name}"], column, of_table)
                    assert here <= there
                    held[f"{context}.{name}.{column}"] += len(here)
    assert [column for column, rows_seen in held.items() if rows_seen < STREAMS / 10] == []


def certain(table: Table) -> list[tuple[str, Link]]:
    return [(column.name, link) for column, link in links(table) if link.is_certain]


def values_of(table: Table, column: str, rows: list[Row]) -> set[object]:
    place = list(table.columns.keys()).index(column)
    return {row[place] for row in rows}
