"""All definitions of one warehouse: assets, checks, jobs, the sensor on arrivals, and the schedule of verification."""

import os
from pathlib import Path

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    Definitions,
    ScheduleDefinition,
    define_asset_job,
)

from replayhouse_dagster.arriving import arrivals
from replayhouse_dagster.command import ReplayhouseCli
from replayhouse_dagster.log import chain_check, log_asset
from replayhouse_dagster.names import Names
from replayhouse_dagster.read_models import OP, read_models
from replayhouse_dagster.retracting import retract_job


def definitions(
    cli: ReplayhouseCli,
    extracts: str | os.PathLike[str],
    *,
    name: str | None = None,
    look_every_s: int = 60,
    verify_at: str = "0 3 * * *",
    time_zone: str = "UTC",
    is_on: bool = True,
) -> Definitions:
    """The definitions of a warehouse whose extracts arrive in a folder.

    `name` begins the names of everything, where one Dagster has several warehouses. The sensor looks every so many
    seconds, the chain is verified at the times of a cron line; unless `is_on`, both wait to be switched on by hand.
    """
    names, folder = Names(name), Path(extracts).expanduser().absolute()
    log, tables, chain = log_asset(names, folder), read_models(names), chain_check(names)
    everything = AssetSelection.assets(log, tables)
    load = define_asset_job(
        names.of("load"),
        everything - AssetSelection.checks(chain),
        description="Loads an extract, and catches the read models up.",
    )
    rebuild = define_asset_job(
        names.of("rebuild"),
        AssetSelection.assets(tables),
        config={"ops": {names.of(OP): {"config": {"anew": True}}}},
        description="Folds the read models anew, and swaps them in.",
    )
    verify = define_asset_job(
        names.of("verify"), AssetSelection.checks(chain), description="Recomputes the hash chain of the whole log."
    )
    return Definitions(
        assets=[log, tables],
        asset_checks=[chain],
        jobs=[load, rebuild, verify, retract_job(names)],
        sensors=[arrivals(names, folder, names.of("load"), look_every_s, is_on=is_on)],
        schedules=[
            ScheduleDefinition(
                name=names.of("verify_regularly"),
                job=verify,
                cron_schedule=verify_at,
                execution_timezone=time_zone,
                default_status=DefaultScheduleStatus.RUNNING if is_on else DefaultScheduleStatus.STOPPED,
            )
        ],
        resources={names.resource: cli},
    )
