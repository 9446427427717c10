"""The lineage of columns is what an experiment finds, and so is true of the folds as they are.

That the contract is what the experiment finds, `test_contracts.py` holds; here it is what other draws find, and sound.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replayhouse.domain.contexts import Context
from replayhouse.domain.kernel.places import region_of
from replayhouse.infra.contracts.column_experiment import experiment, kinds
from replayhouse.infra.contracts.column_lineage import BY_STATUS, CELLS, DECLARED, cells_of_fields
from replayhouse.infra.openlineage.columns import cells_behind, fields_behind
from replayhouse.infra.openlineage.datasets import event_fields
from replayhouse.ingest.records import RECORDS
from replayhouse.projections.projection import Rows, Stream
from replayhouse.projections.warehouse import PROJECTIONS

CONTRACT: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "contracts/lineage/columns.json").read_text(encoding="utf-8")
)["tables"]
FIELDS = {name for name, _, _ in event_fields()}
COLUMNS = {
    (f"{context}.{table.name}", column.name)
    for context, projection in PROJECTIONS.items()
    for table in projection.tables
    for column in table.columns
}


def copied(told: Any) -> set[str]:
    """The fields of which the contract says so."""
    return {field for field, how in told.get("fields", {}).items() if how == "copied"}


def test_every_column_of_every_table_follows_from_something() -> None:
    assert {(table, name) for table, columns in CONTRACT.items() for name in columns} == COLUMNS
    assert [
        (table, name) for table, name in sorted(COLUMNS) if not {"fields", "events"} & CONTRACT[table][name].keys()
    ] == []


def test_other_streams_tell_the_same() -> None:
    found = experiment(seed="another")
    differing = {
        (table, name): (one.fields.keys() ^ told.get("fields", {}).keys(), one.copied ^ copied(told), one.happened)
        for table, columns in CONTRACT.items()
        for name, told in columns.items()
        for one in [found[table][name]]
        if (table, name) not in DECLARED
        and (one.fields.keys(), one.copied, one.happened)
        != (told.get("fields", {}).keys(), copied(told), set(told.get("events", ())))
    }
    assert differing == {}, "where both are right, draw more streams, or declare what they cannot tell"


def test_what_is_declared_is_there() -> None:
    assert set(DECLARED) <= COLUMNS
    assert {one for declared in DECLARED.values() for one in (*declared.fields, *declared.events)} <= FIELDS
    assert set(CELLS) <= FIELDS
    assert BY_STATUS <= FIELDS


def test_every_event_is_tried() -> None:
    tried = {event for kind in kinds() for event in kind.events}
    assert {event for context in Context for event in context.events} - tried == set(), (
        "say in column_experiment.py with which event the streams begin in which these happen"
    )


@pytest.mark.parametrize("table", CONTRACT)
def test_what_is_named_is_there(table: str) -> None:
    for one in CONTRACT[table].values():
        assert {*one.get("fields", ()), *one.get("events", ())} <= FIELDS
        for cell in one.get("cells", ()):
            file, _, column = cell.partition(".")
            assert column in {known.name for known in RECORDS[file].columns()}


def test_some_that_everybody_knows() -> None:
    of_order, of_review = CONTRACT["sales.fact_order"], CONTRACT["customer.fact_review"]
    assert copied(of_order["order_id"]) == {"sales.stream_id"}
    assert "fields" not in of_order["status"]
    assert of_order["status"]["cells"] == ["orders.order_status"]
    assert not any("freight" in field for field in of_order["price"]["fields"])
    assert of_order["total"]["cells"] == ["order_items.freight_value", "order_items.order_item_id", "order_items.price"]
    assert of_review["sentiment"]["cells"] == ["order_reviews.review_score"]
    assert CONTRACT["marketplace.dim_seller"]["region"]["cells"] == ["sellers.seller_state"]


def test_what_the_program_reads_is_the_contract() -> None:
    for table, columns in CONTRACT.items():
        for name, fields in fields_behind(table).items():
            told = columns[name]
            assert set(fields) == {*told.get("fields", ()), *told.get("events", ())}
            assert {field for field, is_copy in fields.items() if is_copy} == copied(told)
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
