"""What arrives in the folder is loaded, each extract once, whole, and in the order of the names."""

import os
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from dagster import (
    AddDynamicPartitionsRequest,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    build_sensor_context,
)
from running import run
from warehouses import Warehouse

from replayhouse_dagster import ReplayhouseCli, definitions

MARK = "_SUCCESS"


class Arrivals:
    """A folder, the sensor on it, and a Dagster that does what the sensor asks for."""

    def __init__(self, instance: DagsterInstance, folder: Path) -> None:
        self.folder = folder
        self._instance = instance
        self._made = definitions(ReplayhouseCli(), folder)

    def arrive(self, *names: str) -> None:
        """Folders, each with its mark."""
        for name in names:
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / MARK).touch()

    def look(self) -> RunRequest | str:
        """What is to be run now, whose partition is then there; or why nothing is."""
        context = build_sensor_context(instance_ref=self._instance.get_ref(), definitions=self._made)
        told = self._made.resolve_sensor_def("arrivals").evaluate_tick(context)
        for request in told.dynamic_partitions_requests or ():
            assert isinstance(request, AddDynamicPartitionsRequest)
            self._instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        if told.run_requests:
            (wanted,) = told.run_requests
            return wanted
        return str(told.skip_message)

    def begin(self, status: DagsterRunStatus, **tags: str) -> str:
        """The run that the sensor asks for, as far as that; its extract."""
        wanted = self.look()
        assert isinstance(wanted, RunRequest), wanted
        name = str(wanted.partition_key)
        self._instance.add_run(
            DagsterRun(job_name="load", run_id=str(uuid4()), status=status, tags={**wanted.tags, **tags})
        )
        if status is DagsterRunStatus.SUCCESS:
            self.load(name)
        return name

    def load(self, name: str) -> None:
        """It is loaded, in whatever way."""
        self._instance.add_dynamic_partitions("extracts", [name])
        self._instance.report_runless_asset_event(AssetMaterialization(AssetKey("log"), partition=name))


@pytest.fixture
def arrivals(instance: DagsterInstance, tmp_path: Path) -> Arrivals:
    return Arrivals(instance, tmp_path / "arriving")


def test_what_arrives_is_loaded_once(warehouse: Warehouse, instance: DagsterInstance, extracts: Path) -> None:
    name = warehouse.receive(extracts / "2017-12")
    arrivals = Arrivals(instance, warehouse.arriving)
    wanted = arrivals.look()
    assert isinstance(wanted, RunRequest)
    assert run(warehouse, instance, "load", wanted.partition_key, tags=wanted.tags).success
    assert [load["name"] for load in warehouse.json("batches")] == [name]
    assert arrivals.look() == f"Nothing new in {warehouse.arriving}."


def test_extracts_are_loaded_one_after_the_other_in_the_order_of_their_names(arrivals: Arrivals) -> None:
    arrivals.arrive("2018-03", "2017-12", "2018-06")
    assert arrivals.begin(DagsterRunStatus.SUCCESS) == "2017-12"
    assert arrivals.begin(DagsterRunStatus.STARTED) == "2018-03"
    assert arrivals.look() == "2018-03 is being loaded; later ones wait for it."


def test_an_extract_older_than_the_newest_loaded_is_passed_over_with_a_word(arrivals: Arrivals) -> None:
    arrivals.arrive("2018-03", "2018-06")
    arrivals.load("2018-06")
    assert arrivals.look() == "2018-03 is older than 2018-06, which is loaded: passed over."
    arrivals.arrive("2018-09")
    assert arrivals.begin(DagsterRunStatus.SUCCESS) == "2018-09"


@pytest.mark.parametrize("status", [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED])
def test_a_load_that_has_not_come_to_its_end_is_waited_for(arrivals: Arrivals, status: DagsterRunStatus) -> None:
    """Else a later one would be loaded before it. Run again, it has the tags of the sensor's run."""
    arrivals.arrive("2018-03", "2018-06")
    assert arrivals.begin(status) == "2018-03"
    assert arrivals.look() == "The load of 2018-03 has not come to its end: run it again; later ones wait for it."
    arrivals.load("2018-03")
    assert arrivals.begin(DagsterRunStatus.SUCCESS) == "2018-06"


def test_an_extract_that_was_rejected_holds_up_nothing(arrivals: Arrivals) -> None:
    arrivals.arrive("2018-03", "2018-06")
    assert arrivals.begin(DagsterRunStatus.FAILURE, **{"replayhouse/exit_code": "1"}) == "2018-03"
    assert arrivals.begin(DagsterRunStatus.SUCCESS) == "2018-06"
    assert arrivals.look() == "2018-03 was not taken: its run says why."


def test_an_extract_whose_run_was_lost_is_asked_for_again(arrivals: Arrivals) -> None:
    """The partition is there, for the daemon died after it was made and before the run was."""
    arrivals.arrive("2018-03")
    first, second = arrivals.look(), arrivals.look()
    assert isinstance(first, RunRequest)
    assert isinstance(second, RunRequest)
    assert (first.partition_key, first.run_key) == (second.partition_key, second.run_key)


def test_only_what_is_there_as_a_whole_is_taken(arrivals: Arrivals) -> None:
    (arrivals.folder / "2018-01").mkdir(parents=True)
    (arrivals.folder / "2018-02.zip").write_bytes(b"PK\x03\x04 and the rest is still to come")
    (arrivals.folder / "2018-03.csv").touch()
    arrivals.arrive(".2018-04", "_2018-05", "2018...06")
    assert arrivals.look() == f"Nothing new in {arrivals.folder}."
    (arrivals.folder / "2018-01" / MARK).touch()
    with zipfile.ZipFile(arrivals.folder / "2018-02.zip", "w") as made:
        made.writestr("olist_orders_dataset.csv", "")
    assert [arrivals.begin(DagsterRunStatus.SUCCESS) for _ in range(2)] == ["2018-01", "2018-02.zip"]


def test_a_folder_that_is_missing_or_closed_is_told(arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    assert arrivals.look() == f"There is no folder {arrivals.folder}."
    arrivals.arrive("2018-03")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", os.fspath(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert arrivals.look() == f"{arrivals.folder} cannot be read: Permission denied."
