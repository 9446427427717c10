"""The sensor that loads what arrives in a folder: one extract after the other, in the order of their names.

An extract is ready when it is a zip that is whole, or a folder with a file `_SUCCESS`. The order matters, since the
newest word on an order counts: so the next one waits until the load before it has ended, and what arrives too late is
passed over with a word.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    DynamicPartitionsDefinition,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from replayhouse_dagster.log import EXIT_CODE
from replayhouse_dagster.names import Names

MARK = "_SUCCESS"
EXTRACT = "replayhouse/extract"
"""The tag of a run that loads what has arrived; runs that repeat it have it, too."""

_NOT_IN_NAMES = ("...", *"\a\b\f\n\r\t\v\0")
"""What Dagster takes in no name of a partition."""


class Arrived(NamedTuple):
    """An extract that is ready."""

    name: str
    marked_at: int
    """Nanoseconds since 1970: when the zip, or the mark in the folder, was written."""


def arrivals(names: Names, extracts: Path, job: str, seconds: int, *, is_on: bool) -> SensorDefinition:
    """The sensor on a folder: looks every so many seconds, and runs the job of that name."""

    @sensor(
        name=names.of("arrivals"),
        job_name=job,
        description="Loads the zips, and the folders with a file _SUCCESS, that arrive in the folder of the extracts.",
        minimum_interval_seconds=seconds,
        default_status=DefaultSensorStatus.RUNNING if is_on else DefaultSensorStatus.STOPPED,
    )
    def arrive(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        if not extracts.is_dir():
            return SkipReason(f"There is no folder {extracts}.")
        words: list[str] = []
        try:
            found = list(ready(extracts))
        except OSError as error:
            return SkipReason(f"{error.filename} cannot be read: {error.strerror}.")
        wanted = _next(context.instance, names, found, words)
        for word in words:
            context.log.info(word)
        if wanted is None:
            return SkipReason(" ".join(words) or f"Nothing new in {extracts}.")
        request = RunRequest(
            run_key=f"{wanted.name} {wanted.marked_at}",
            partition_key=wanted.name,
            tags={EXTRACT: _tag(names, wanted.name)},
        )
        partitions = DynamicPartitionsDefinition(name=names.of("extracts"))
        return SensorResult([request], dynamic_partitions_requests=[partitions.build_add_request([wanted.name])])

    return arrive


def ready(extracts: Path) -> Iterator[Arrived]:
    """The extracts of a folder that are there as a whole, in the order of their names."""
    for path in sorted(extracts.iterdir()):
        if path.name.startswith((".", "_")) or any(part in path.name for part in _NOT_IN_NAMES):
            continue
        mark = path / MARK if path.is_dir() else path
        try:
            if path.is_dir() or (path.suffix.lower() == ".zip" and zipfile.is_zipfile(path)):
                yield Arrived(path.name, mark.stat().st_mtime_ns)
        except FileNotFoundError:  # not marked yet, or gone meanwhile
            continue


def _next(instance: DagsterInstance, names: Names, found: list[Arrived], words: list[str]) -> Arrived | None:
    """The extract to be loaded now, if there is one; `words` tells why others are not."""
    known = set(instance.get_dynamic_partitions(names.of("extracts")))
    loaded = instance.get_materialized_partitions(names.log) & known
    newest = max(loaded, default="")
    for one in found:
        if one.name in loaded:
            continue
        status, is_settled = _last_run(instance, names, one.name)
        if status is None and one.name > newest:
            return one
        if status is None:
            words.append(f"{one.name} is older than {newest}, which is loaded: passed over.")
        elif status is DagsterRunStatus.SUCCESS or is_settled:
            words.append(f"{one.name} was not taken: its run says why.")
        elif status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED):
            words.append(f"The load of {one.name} has not come to its end: run it again; later ones wait for it.")
            return None
        else:
            words.append(f"{one.name} is being loaded; later ones wait for it.")
            return None
    return None


def _last_run(instance: DagsterInstance, names: Names, extract: str) -> tuple[DagsterRunStatus | None, bool]:
    """How the newest run that was to load an extract fares, and whether it has failed for good."""
    runs = instance.get_runs(RunsFilter(tags={EXTRACT: _tag(names, extract)}), limit=1)
    return (runs[0].status, EXIT_CODE in runs[0].tags) if runs else (None, False)


def _tag(names: Names, extract: str) -> str:
    return f"{names.resource}/{extract}"
