"""The lineage of columns is what an experiment finds, and so is true of the folds as they are."""

from dataclasses import replace

import pytest

from replayhouse.domain.contexts import Context
from replayhouse.domain.kernel.places import region_of
from replayhouse.infra.contracts.column_experiment import experiment, kinds
from replayhouse.infra.contracts.column_lineage import BY_STATUS, CELLS, DECLARED, cells_of_fields, lineages
from replayhouse.infra.openlineage.columns import cells_behind, fields_behind
from replayhouse.infra.openlineage.datasets import event_fields
from replayhouse.ingest.records import RECORDS
from replayhouse.projections.projection import Rows, Stream
from replayhouse.projections.warehouse import PROJECTIONS

FIELDS = {name for name, _, _ in event_fields()}
COLUMNS = [(table, name) for table, columns in lineages().items() for name in columns]


def test_every_column_of_every_table_follows_from_something() -> None:
    assert [
        (f"{context}.{table.name}", column.name)
        for context, projection in PROJECTIONS.items()
        for table in projection.tables
        for column in table.columns
    ] == COLUMNS
    assert [column for column in COLUMNS if not any(lineages()[column[0]][column[1]][:3])] == []


def test_other_streams_tell_the_same() -> None:
    found = experiment(seed="another")
    differing = {
        (table, name): (set(one.fields) ^ set(told.fields), one.copied ^ set(told.copied))
        for table, columns in lineages().items()
        for name, told in columns.items()
        for one in [found[table][name]]
        if (table, name) not in DECLARED
        and (set(one.fields), one.copied, one.happened) != (set(told.fields), set(told.copied), set(told.events))
    }
    assert differing == {}


def test_what_is_declared_is_what_an_experiment_does_not_tell_and_no_more() -> None:
    found = experiment(streams=1)
    for (table, name), declared in DECLARED.items():
        assert set(found[table][name].fields) <= set(declared.fields), (table, name)
    assert set(CELLS) <= FIELDS
    assert BY_STATUS <= FIELDS
    assert {f"{context}.{table.name}" for context in PROJECTIONS for table in PROJECTIONS[context].tables} >= {
        table for table, _ in DECLARED
    }


def test_every_event_is_tried() -> None:
    assert {event for kind in kinds() for event in kind.events} == {e for context in Context for e in context.events}


@pytest.mark.parametrize("table", lineages())
def test_what_is_named_is_there(table: str) -> None:
    for one in lineages()[table].values():
        assert {*one.fields, *one.events} <= FIELDS
        for cell in one.cells:
            file, _, column = cell.partition(".")
            assert column in {known.name for known in RECORDS[file].columns()}


def test_some_that_everybody_knows() -> None:
    of_order, of_review = lineages()["sales.fact_order"], lineages()["customer.fact_review"]
    assert of_order["order_id"].copied == ("sales.stream_id",)
    assert of_order["status"].fields == ()
    assert of_order["status"].cells == ("orders.order_status",)
    assert not any("freight" in field for field in of_order["price"].fields)
    assert of_order["total"].cells == ("order_items.freight_value", "order_items.order_item_id", "order_items.price")
    assert of_review["sentiment"].cells == ("order_reviews.review_score",)
    assert lineages()["marketplace.dim_seller"]["region"].cells == ("sellers.seller_state",)


def test_what_the_program_reads_is_what_was_found() -> None:
    for table, columns in lineages().items():
        read = fields_behind(table)
        assert {name: set(fields) for name, fields in read.items()} == {
            name: {*one.fields, *one.events} for name, one in columns.items()
        }
        assert {name: {field for field, is_copy in fields.items() if is_copy} for name, fields in read.items()} == {
            name: set(one.copied) for name, one in columns.items()
        }
    assert cells_behind()["sales.OrderShipped.shipped_at"] == (("orders", "order_delivered_carrier_date"),)


def test_a_fold_that_takes_a_column_from_elsewhere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = PROJECTIONS["marketplace"]

    def fold(stream: Stream) -> Rows:
        rows = honest.fold(stream)
        return {**rows, "dim_seller": [row._replace(region=region_of(row.city)) for row in rows.get("dim_seller", [])]}  # type: ignore[attr-defined] # rows are named tuples

    monkeypatch.setitem(PROJECTIONS, "marketplace", replace(honest, fold=fold))
    found = experiment(streams=1)["marketplace.dim_seller"]["region"]
    assert not any(field.endswith("state") for field in found.fields)


def test_cells_are_those_of_the_data_dictionary_where_a_value_is_copied() -> None:
    cells = cells_of_fields(experiment(streams=1))
    assert cells["sales.OrderLineAdded.line.price"] == ("order_items.price",)
    assert cells["marketplace.ProductListed.name_length"] == ("products.product_name_lenght",)
