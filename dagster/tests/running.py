"""Jobs of a warehouse's definitions, run in the process of the test, whatever becomes of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import AssetKey, AssetMaterialization, DagsterInstance, ExecuteInProcessResult, Failure
from warehouses import Warehouse

from replayhouse_dagster import ReplayhouseCli, definitions


def run(
    warehouse: Warehouse,
    instance: DagsterInstance,
    job: str,
    extract: str | None = None,
    *,
    config: dict[str, Any] | None = None,
    only: Sequence[AssetKey] | None = None,
    tags: Mapping[str, str] | None = None,
    cli: ReplayhouseCli | None = None,
) -> ExecuteInProcessResult:
    """Runs a job, of a partition if one is named, or `only` some of its assets; `cli` in the place of its own."""
    made = definitions(cli or warehouse.cli, warehouse.arriving)
    if extract:
        instance.add_dynamic_partitions("extracts", [extract])
    return made.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=extract,
        run_config=config,
        asset_selection=only,
        tags=tags,
        raise_on_error=False,
    )


def version_of(materialization: AssetMaterialization) -> str:
    """The data version of an asset, as it was materialised."""
    assert materialization.tags is not None
    return materialization.tags["dagster/data_version"]


def failure_of(done: ExecuteInProcessResult, node: str = "log") -> Failure:
    """What a step has failed with."""
    data = done.failure_data_for_node(node)
    assert data is not None
    assert data.user_failure_data is not None, data
    return Failure(data.user_failure_data.description, data.user_failure_data.metadata)


def a_program(folder: Path, script: str, **settings: Any) -> ReplayhouseCli:
    """A program that is a script of the shell; it finds the folder as $HERE."""
    path = folder / "a program"
    path.write_text(f"#!/bin/sh\nHERE='{folder}'\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return ReplayhouseCli(executable=str(path), **{"seconds_between_tries": 0.1, **settings})
