"""Extracts become partitions of the log, tables follow, and rules are checks."""

from pathlib import Path

from dagster import DagsterInstance
from running import run, version_of
from warehouses import Warehouse


def test_an_extract_is_loaded_and_its_tables_have_the_digests_of_the_program(
    warehouse: Warehouse, instance: DagsterInstance, extracts: Path
) -> None:
    name = warehouse.receive(extracts / "2017-12")
    done = run(warehouse, instance, "load", name)
    assert done.success

    (load,) = warehouse.json("batches")
    status = warehouse.json("status")
    (log,) = done.asset_materializations_for_node("log")
    told = {key: value.value for key, value in log.metadata.items()}
    assert (load["name"], load["status"]) == (name, "completed")
    assert (log.partition, told["batch"], told["score"]) == (name, load["batch"], load["score"])
    assert told["events"] == sum(context["events"] for context in status["contexts"].values())
    assert version_of(log) == status["chain"] == told["chain"]

    live = warehouse.digests()
    assert live == {
        tuple(one.asset_key.path): version_of(one) for one in done.asset_materializations_for_node("read_models")
    }
