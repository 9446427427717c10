"""The log as an asset: an extract is a partition of it, and the rules of quality are its checks.

Materialising a partition loads its extract. An extract that is rejected materialises nothing, and shows which rule it
has broken; what the loads before it brought stands.
"""

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    BackfillPolicy,
    BetaWarning,
    DataVersion,
    DynamicPartitionsDefinition,
    Failure,
    MaterializeResult,
    asset,
    asset_check,
)

from replayhouse_dagster.command import NO, ReplayhouseCli
from replayhouse_dagster.names import Names, Rule, described

DATA_VERSION = "dagster/data_version"
EXIT_CODE = "replayhouse/exit_code"
"""The tag of a run that has failed for good, with the program's exit code."""

CHAIN_CHECK = "hash_chain_holds"


class Loaded(NamedTuple):
    """A load, as `ingest` and `quality report` tell of it."""

    document: Any
    checks: list[AssetCheckResult]
    is_rejected: bool


def log_asset(names: Names, extracts: Path) -> AssetsDefinition:
    """The asset of the log of a warehouse; `extracts` is the folder in which a partition is a folder or a zip."""

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)  # of the policy: runs of their own would load in any order
        as_asset = asset(
            key=names.log,
            description="All that the extracts have said, as events; its version is the head of their hash chain.",
            group_name=names.resource,
            kinds={"replayhouse"},
            partitions_def=DynamicPartitionsDefinition(name=names.of("extracts")),
            backfill_policy=BackfillPolicy.single_run(),
            output_required=False,
            check_specs=_specs(names),
            required_resource_keys={names.resource},
            pool=names.resource,
        )

    @as_asset
    def log(context: AssetExecutionContext) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        cli: ReplayhouseCli = getattr(context.resources, names.resource)
        done: dict[str, Loaded] = {}
        for extract in sorted(context.partition_keys):
            loaded = _load(context, cli, _path_of(extracts, extract), extract)
            if loaded.is_rejected:
                yield from loaded.checks
                _log_apart(context, names, done)
                raise _rejected(context, extract, loaded)
            context.add_asset_metadata(_metadata(loaded.document), asset_key=names.log, partition_key=extract)
            done[extract] = loaded
        newest = list(done.values())[-1]
        yield MaterializeResult(
            asset_key=names.log, data_version=DataVersion(newest.document["chain"]), check_results=newest.checks
        )

    return log


def chain_check(names: Names) -> AssetChecksDefinition:
    """The check that recomputes the hash chain of the whole log."""

    @asset_check(
        name=CHAIN_CHECK,
        asset=names.log,
        description="The hash chain, recomputed from the events, is the one recorded: nobody has changed the log.",
        required_resource_keys={names.resource},
        pool=names.resource,
    )
    def hash_chain_holds(context: AssetCheckExecutionContext) -> AssetCheckResult:
        cli: ReplayhouseCli = getattr(context.resources, names.resource)
        answer = cli.ask(context.op_execution_context, "audit", "verify", may_be_no=True)
        told = {name: answer.document[name] for name in ("position", "chain", "events") if name in answer.document}
        return AssetCheckResult(passed=answer.is_yes, metadata=told, description=answer.document.get("reason"))

    return hash_chain_holds


def _specs(names: Names) -> list[AssetCheckSpec]:
    return [
        AssetCheckSpec(rule.name, asset=names.log, description=rule.sentence, blocking=rule.is_critical)
        for rule in described().rules
    ]


def _path_of(extracts: Path, extract: str) -> Path:
    """Where the extract of a partition is; a name that leads elsewhere, as anybody may add one, is none."""
    path = extracts / extract
    if extract in {"", ".", ".."} or Path(extract).name != extract or "\\" in extract:
        raise Failure(f"{extract!r} is not the name of a folder or a zip in {extracts}.", allow_retries=False)
    return path


def _load(context: AssetExecutionContext, cli: ReplayhouseCli, path: Path, name: str) -> Loaded:
    step = context.op_execution_context
    told = cli.ask(step, "ingest", os.fspath(path), "--name", name, "--no-project", may_be_no=True)
    report = cli.ask(step, "quality", "report", told.document["batch"])
    found = {one["rule"]: one for one in report.document["checks"]}
    checks = [_check(rule, found.get(rule.name)) for rule in described().rules]
    return Loaded(told.document, checks, is_rejected=not told.is_yes)


def _check(rule: Rule, found: Mapping[str, Any] | None) -> AssetCheckResult:
    """A rule below CRITICAL warns: the load stands, with its score."""
    if found is None:
        return AssetCheckResult(
            check_name=rule.name,
            passed=False,
            severity=AssetCheckSeverity.WARN,
            description="The program does not know this rule: it is of another version than the adapter.",
        )
    return AssetCheckResult(
        check_name=rule.name,
        passed=found["passed"],
        severity=AssetCheckSeverity.ERROR if rule.is_critical else AssetCheckSeverity.WARN,
        metadata={name: found[name] for name in ("checked", "failed", "dimension", "severity")},
    )


def _rejected(context: AssetExecutionContext, extract: str, loaded: Loaded) -> Failure:
    """What ends the step. Of the reasons only the rules are told: those may quote what stood in a cell."""
    context.instance.add_run_tags(context.run_id, {EXIT_CODE: str(NO)})
    broken = [str(check.check_name) for check in loaded.checks if _is_broken(check)]
    batch = loaded.document["batch"]
    return Failure(
        f"The extract {extract} was rejected: it breaks {', '.join(broken)}. "
        f"What it says in full: replayhouse quality report {batch}",
        metadata={"exit_code": NO, "batch": batch},
        allow_retries=False,
    )


def _is_broken(check: AssetCheckResult) -> bool:
    return not check.passed and check.severity is AssetCheckSeverity.ERROR


def _log_apart(context: AssetExecutionContext, names: Names, done: Mapping[str, Loaded]) -> None:
    """What was loaded before the one that failed is materialised all the same."""
    for extract, loaded in done.items():
        context.log_event(
            AssetMaterialization(
                names.log,
                partition=extract,
                metadata=_metadata(loaded.document),
                tags={DATA_VERSION: loaded.document["chain"]},
            )
        )


def _metadata(document: Mapping[str, Any]) -> dict[str, Any]:
    """Counts and fingerprints of a load, nothing that stood in a cell."""
    files = document["files"].values()
    return {
        **{f"events/{context}": count for context, count in document["events"].items()},
        **{
            f"rows/{what}": sum(file[what] for file in files) for what in ("new", "changed", "unchanged", "quarantined")
        },
        "events": sum(document["events"].values()),
        "rows": sum(file["rows"] for file in files),
        **{name: document[name] for name in ("status", "batch", "position", "chain", "score", "seconds")},
    }
