"""The data dictionary says of every table and column what it means, and where its value is from."""

import re

import pytest

from replayhouse.infra.contracts.dictionary import described, dictionary_page
from replayhouse.ingest.records import RECORDS
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.sources import candidates_of, files_of

PAGE = dictionary_page()
TABLES = {f"{one.table.schema}.{one.table.name}": one for one in described()}


def section_of(name: str) -> str:
    """What the page says of a table."""
    _, _, rest = PAGE.partition(f"\n### {name}\n")
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows_of(name: str) -> dict[str, list[str]]:
    """The cells of a table's columns, by the name of the column."""
    rows = [line.strip("|").split("|") for line in section_of(name).splitlines() if line.startswith(("| `", "| **"))]
    return {cells[0].strip(" *`"): [cell.strip() for cell in cells[1:]] for cells in rows}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_there_with_its_meaning(name: str) -> None:
    table = TABLES[name].table
    rows = rows_of(name)
    assert list(rows) == [column.name for column in table.columns]
    assert [column for column, cells in rows.items() if not cells[0] or not cells[2]] == []
    assert [column for column, cells in rows.items() if cells[3] == "personal"] == personal_columns(table)
    assert table.comment
    assert f"{table.comment}." in section_of(name)


def test_a_column_tells_type_null_source_and_where_it_leads() -> None:
    assert rows_of("sales.fact_order_item")["product_id"] == [
        "uuid",
        "",
        "the product, as in the source",
        "",
        "`order_items.product_id`",
        "[marketplace.dim_product.product_id](#marketplacedim_product)",
    ]
    assert rows_of("fulfillment.fact_delivery")["delivered_at"][1] == "null"
    assert rows_of("fulfillment.fact_delivery")["delivered_at"][4] == "`orders.order_delivered_customer_date`"
    assert rows_of("sales.fact_payment")["order_id"][5] == "[sales.fact_order.order_id](#salesfact_order), always"
    assert rows_of("sales.fact_order")["item_count"][4] == "", "no file has it"


def test_sources_are_fields_of_records() -> None:
    for one in TABLES.values():
        assert set(files_of(one.table)) <= set(RECORDS)
        named = [candidates_of(column) for column in one.table.columns]
        for candidates in named:
            if len(candidates) == 1 and candidates[0][0] not in files_of(one.table)[:1]:
                file, field = candidates[0]
                assert field in RECORDS[file].model_fields
        for file in files_of(one.table):
            assert any(f"`{file}." in cells[4] for cells in rows_of(f"{one.table.schema}.{one.table.name}").values())


def test_links_lead_to_sections_of_the_page() -> None:
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#(.*?)\)", PAGE)) <= anchors


def test_the_diagram_has_each_table_and_each_link_once() -> None:
    diagram = PAGE.partition("```mermaid\nerDiagram\n")[2].partition("```")[0]
    entities = re.findall(r'^    (\w+)\["([\w.]+)"\] \{$', diagram, re.MULTILINE)
    assert [address for _, address in entities] == list(TABLES)
    assert len({entity for entity, _ in entities}) == len(entities), "in the diagram a table has no schema"
    lines = re.findall(r"^    (\w+) (?:\|\||\|o)--(?:o\{|o\|) (\w+) : (\w+)$", diagram, re.MULTILINE)
    leading = [
        (re.split(r"[.\]]", cells[5])[1], name.partition(".")[2], column)
        for name in TABLES
        for column, cells in rows_of(name).items()
        if cells[5]
    ]
    assert sorted(lines) == sorted(leading)
    assert "    fact_order ||--o{ fact_payment : order_id\n" in diagram
