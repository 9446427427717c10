"""Extracts become partitions of the log, tables follow, and rules are checks."""

import os
from pathlib import Path

from dagster import AssetCheckSeverity, AssetKey, DagsterInstance
from running import failure_of, run, version_of
from warehouses import Warehouse

from replayhouse_dagster.names import described

LOG = AssetKey("log")


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

    report = {found["rule"]: found for found in warehouse.json("quality", "report")["checks"]}
    shown = {check.check_name: check for check in done.get_asset_check_evaluations()}
    assert {rule.name for rule in described().rules} == set(shown) == set(report)
    assert {name: check.passed for name, check in shown.items()} == {
        name: found["passed"] for name, found in report.items()
    }
    broken = [check for check in shown.values() if not check.passed]
    assert broken, "generated extracts have their dirt"
    assert {check.severity for check in broken} == {AssetCheckSeverity.WARN}


def test_an_extract_that_is_rejected_materialises_nothing_and_shows_the_rule_that_it_breaks(
    warehouse: Warehouse, instance: DagsterInstance, extracts: Path
) -> None:
    name = warehouse.receive(extracts / "2017-12")
    (warehouse.arriving / name / "olist_orders_dataset.csv").unlink()
    done = run(warehouse, instance, "load", name)

    broken = {
        check.check_name: check
        for check in done.get_asset_check_evaluations()
        if not check.passed and check.severity is AssetCheckSeverity.ERROR
    }
    assert not done.success
    assert done.asset_materializations_for_node("log") == []
    assert done.asset_materializations_for_node("read_models") == []
    assert "required_files_present" in broken
    assert len(done.get_asset_check_evaluations()) == len(described().rules)
    failure = failure_of(done)
    (load,) = warehouse.json("batches")
    assert failure.description == (
        f"The extract {name} was rejected: it breaks {', '.join(broken)}. "
        f"What it says in full: replayhouse quality report {load['batch']}"
    )
    assert instance.get_runs()[0].tags["replayhouse/exit_code"] == "1"


def test_what_is_no_extract_fails_with_the_sentence_of_the_program(
    warehouse: Warehouse, instance: DagsterInstance
) -> None:
    (warehouse.arriving / "empty").mkdir()
    done = run(warehouse, instance, "load", "empty")
    failure = failure_of(done)
    assert str(failure.description).startswith(f"{warehouse.arriving}/empty is empty. An extract holds some of ")
    assert failure.metadata["exit_code"].value == 2
    assert done.asset_materializations_for_node("log") == []


def test_a_partition_leads_nowhere_else(nowhere: Warehouse, instance: DagsterInstance, extracts: Path) -> None:
    """Anybody who may use the page may add one."""
    outside = os.path.relpath(extracts / "2017-12", nowhere.arriving)
    failure = failure_of(run(nowhere, instance, "load", outside))
    assert failure.description == f"{outside!r} is not the name of a folder or a zip in {nowhere.arriving}."
