"""The job that takes a load back: the log keeps it, the read models are as if it had never been there."""

from dagster import AssetMaterialization, AssetObservation, Config, JobDefinition, OpExecutionContext, job, op
from pydantic import Field

from replayhouse_dagster.command import ReplayhouseCli
from replayhouse_dagster.log import DATA_VERSION
from replayhouse_dagster.names import Names
from replayhouse_dagster.read_models import shown_by

_TRIES = 2
"""Of later loads that stand on this one the program says what it says of another command at work."""


class Retraction(Config):
    """Which load is taken back, and why."""

    load: str = Field(description="Its name, which is that of its partition, or its id.")
    reason: str = Field(description="Why. It is recorded, with who has decided so.")
    cascade: bool = Field(default=False, description="Take all later loads back before it.")


def retract_job(names: Names) -> JobDefinition:
    """The job. The tables are materialised as they then are; the partition of the load says that it was taken back."""

    @op(name=names.of("retract_load"), required_resource_keys={names.resource}, pool=names.resource)
    def retract(context: OpExecutionContext, config: Retraction) -> None:
        cli: ReplayhouseCli = getattr(context.resources, names.resource)
        cascade = ["--cascade"] if config.cascade else []
        told = cli.ask(context, "retract", config.load, "--reason", config.reason, *cascade, tries=_TRIES).document
        known = context.instance.get_dynamic_partitions(names.of("extracts"))
        for load in told.get("batches", [told]):
            metadata = {name: load[name] for name in ("status", "batch", "reason")}
            partition = load["name"] if load["name"] in known else None
            context.log_event(
                AssetObservation(names.log, partition=partition, metadata={**metadata, "position": told["position"]})
            )
        for key, shown in shown_by(names, cli, context, []).items():
            context.log_event(AssetMaterialization(key, metadata=shown, tags={DATA_VERSION: shown["digest"]}))

    @job(name=names.of("retract"), description="Takes a load back; the read models follow.")
    def retracting() -> None:
        retract()

    return retracting
