"""What happens to a warehouse with loads: folding anew, taking back, verifying; several loads in one run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, AssetRecordsFilter, DagsterEventType, DagsterInstance
from running import a_program, run, version_of
from warehouses import Program, Warehouse


@pytest.fixture(scope="module")
def prepared_with_loads(
    program: Program, prepared: Path, extracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A home with two loads, whose server does not run."""
    with Warehouse.copied(program, prepared, tmp_path_factory.mktemp("loaded")) as made:
        for name in ("2017-12", "2018-03"):
            made.json("ingest", extracts / name)
    return made.home


@pytest.fixture
def loaded(program: Program, prepared_with_loads: Path, tmp_path: Path) -> Iterator[Warehouse]:
    """With two loads, which Dagster knows nothing of."""
    with Warehouse.copied(program, prepared_with_loads, tmp_path / "my warehouse") as made:
        yield made


@pytest.fixture(scope="module")
def left_alone(
    program: Program, prepared_with_loads: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The same for tests that change nothing, which share it."""
    with Warehouse.copied(program, prepared_with_loads, tmp_path_factory.mktemp("left alone")) as made:
        yield made


def test_read_models_are_folded_anew_and_come_out_the_same(loaded: Warehouse, instance: DagsterInstance) -> None:
    before = loaded.digests()
    done = run(loaded, instance, "rebuild")
    assert done.success
    shown = done.asset_materializations_for_node("read_models")
    assert {tuple(one.asset_key.path): version_of(one) for one in shown} == before == loaded.digests()
    assert {one.metadata["revision"].value for one in shown} == {2}


def test_one_table_is_folded_anew_with_its_context_alone(loaded: Warehouse, instance: DagsterInstance) -> None:
    done = run(loaded, instance, "rebuild", only=[AssetKey(["sales", "fact_payment"])])
    assert done.success
    (shown,) = done.asset_materializations_for_node("read_models")
    assert shown.asset_key.path == ["sales", "fact_payment"]
    revisions = {name: context["revision"] for name, context in loaded.json("status")["contexts"].items()}
    assert revisions == {"sales": 2, "fulfillment": 1, "customer": 1, "marketplace": 1, "quality": 1}


def test_a_load_is_taken_back_and_the_tables_are_shown_as_they_then_are(
    loaded: Warehouse, instance: DagsterInstance
) -> None:
    instance.add_dynamic_partitions("extracts", ["2018-03"])
    config = {"ops": {"retract_load": {"config": {"load": "2018-03", "reason": "the wrong shop"}}}}
    assert run(loaded, instance, "retract", config=config).success

    taken = [load for load in loaded.json("batches") if load["status"] == "retracted"]
    assert [load["name"] for load in taken] == ["2018-03"]
    (observed,) = instance.fetch_observations(AssetRecordsFilter(AssetKey("log")), limit=9).records
    assert observed.asset_observation is not None
    assert observed.asset_observation.partition == "2018-03"
    assert observed.asset_observation.metadata["reason"].value == "the wrong shop"
    for key, digest in loaded.digests().items():
        event = instance.get_latest_materialization_event(AssetKey(key))
        assert event is not None
        assert event.asset_materialization is not None
        assert version_of(event.asset_materialization) == digest


def test_a_load_on_which_others_stand_is_not_taken_back(left_alone: Warehouse, instance: DagsterInstance) -> None:
    """It is tried again as if another command were at work, and then says why."""
    config = {"ops": {"retract_load": {"config": {"load": "2017-12", "reason": "the wrong shop"}}}}
    done = run(left_alone, instance, "retract", config=config)
    assert not done.success
    assert {load["status"] for load in left_alone.json("batches")} == {"completed"}
    assert "Later loads stand on the load" in str(done.failure_data_for_node("retract_load"))


def test_several_extracts_are_loaded_in_order_and_each_partition_tells_of_its_own(
    warehouse: Warehouse, instance: DagsterInstance, extracts: Path
) -> None:
    """As a backfill does it: in one run. One that is rejected ends it; what stands is shown."""
    names = [warehouse.receive(extracts / name) for name in ("2018-03", "2017-12", "2018-06")]
    (warehouse.arriving / "2018-06" / "olist_orders_dataset.csv").write_bytes(b"\0" * 99)
    instance.add_dynamic_partitions("extracts", names)
    done = run(
        warehouse,
        instance,
        "load",
        only=[AssetKey("log")],
        tags={"dagster/asset_partition_range_start": "2018-03", "dagster/asset_partition_range_end": "2018-06"},
    )
    assert not done.success
    loads = warehouse.json("batches")
    assert [(load["name"], load["status"]) for load in loads] == [
        ("2017-12", "completed"),
        ("2018-03", "completed"),
        ("2018-06", "rejected"),
    ]
    assert instance.get_materialized_partitions(AssetKey("log")) == {"2017-12", "2018-03"}
    records = instance.fetch_materializations(AssetKey("log"), limit=9).records
    told = {
        one.asset_materialization.partition: one.asset_materialization.metadata["batch"].value
        for one in records
        if one.asset_materialization
    }
    assert told == {load["name"]: load["batch"] for load in loads[:2]}


def test_the_hash_chain_is_verified(left_alone: Warehouse, instance: DagsterInstance) -> None:
    done = run(left_alone, instance, "verify")
    assert done.success
    (check,) = done.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("hash_chain_holds", True)
    assert check.metadata["position"].value == left_alone.json("status")["position"]


def test_a_chain_that_does_not_hold_fails_its_check_with_the_place(
    nowhere: Warehouse, instance: DagsterInstance, tmp_path: Path
) -> None:
    answer = '{"valid": false, "position": 17, "reason": "The event at position 17 is not the one recorded."}'
    cli = a_program(tmp_path, f"echo '{answer}'; exit 1")
    done = run(nowhere, instance, "verify", cli=cli)
    (check,) = done.get_asset_check_evaluations()
    assert (check.passed, check.description) == (False, "The event at position 17 is not the one recorded.")
    assert [event for event in done.all_events if event.event_type is DagsterEventType.STEP_FAILURE] == []
