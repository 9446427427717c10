"""Jobs of a warehouse's definitions, run in the process of the test, whatever becomes of them."""

from typing import Any

from dagster import AssetMaterialization, DagsterInstance, ExecuteInProcessResult
from warehouses import Warehouse

from replayhouse_dagster import ReplayhouseCli, definitions


def run(
    warehouse: Warehouse,
    instance: DagsterInstance,
    job: str,
    extract: str | None = None,
    *,
    config: dict[str, Any] | None = None,
    cli: ReplayhouseCli | None = None,
) -> ExecuteInProcessResult:
    """Runs a job, of a partition if one is named; `cli` in the place of the warehouse's own."""
    made = definitions(cli or warehouse.cli, warehouse.arriving)
    if extract:
        instance.add_dynamic_partitions("extracts", [extract])
    return made.resolve_job_def(job).execute_in_process(
        instance=instance, partition_key=extract, run_config=config, raise_on_error=False
    )


def version_of(materialization: AssetMaterialization) -> str:
    """The data version of an asset, as it was materialised."""
    assert materialization.tags is not None
    return materialization.tags["dagster/data_version"]
