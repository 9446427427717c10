"""The tables of the read models as assets: caught up with the log, or folded anew; a table's version is its digest."""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Config,
    DataVersion,
    MaterializeResult,
    multi_asset,
)
from pydantic import Field

from replayhouse_dagster.command import ReplayhouseCli, Step
from replayhouse_dagster.names import Names, described

OP = "read_models"


class Fold(Config):
    """How read models come to be up with the log."""

    anew: bool = Field(default=False, description="Fold everything again and swap it in, instead of catching up.")
    reason: str = Field(default="", description="Why; replayhouse revisions shows it. Of folding anew only.")


def read_models(names: Names) -> AssetsDefinition:
    """The assets of all tables of a warehouse. Any of them may be materialised; whole contexts are folded."""

    @multi_asset(
        name=names.of(OP),
        specs=[
            AssetSpec(
                names.table(context, table),
                deps=[names.log],
                description=meaning,
                group_name=context,
                kinds={"replayhouse", "table"},
            )
            for context, tables in described().tables.items()
            for table, meaning in tables.items()
        ],
        can_subset=True,
        required_resource_keys={names.resource},
        pool=names.resource,
    )
    def fold(context: AssetExecutionContext, config: Fold) -> Iterator[MaterializeResult[Any]]:
        cli: ReplayhouseCli = getattr(context.resources, names.resource)
        step = context.op_execution_context
        asked = [name for name in described().tables if any(_of(names, name) & context.selected_asset_keys)]
        if config.anew:
            reason = ["--reason", config.reason] if config.reason else []
            cli.ask(step, "rebuild", *asked, *reason)
        else:
            cli.ask(step, "project", *asked)
        for key, shown in shown_by(names, cli, step, asked).items():
            if key in context.selected_asset_keys:
                yield MaterializeResult(asset_key=key, metadata=shown, data_version=DataVersion(shown["digest"]))

    return fold


def shown_by(names: Names, cli: ReplayhouseCli, step: Step, contexts: list[str]) -> Mapping[AssetKey, dict[str, Any]]:
    """Rows, digest, position and revision of each table that is an asset, as `digest` tells them."""
    told = cli.ask(step, "digest", *contexts).document["contexts"]
    known = described().tables
    return {
        names.table(context, table): {
            "rows": found["rows"],
            "digest": found["digest"],
            "position": model["position"],
            "revision": model["revision"],
        }
        for context, model in told.items()
        for table, found in model["tables"].items()
        if table in known.get(context, {})
    }


def _of(names: Names, context: str) -> set[AssetKey]:
    return {names.table(context, table) for table in described().tables[context]}
