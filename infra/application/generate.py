"""Extracts that nobody had to hand out: nine files, shaped and as dirty as the Olist dataset."""

from collections.abc import Mapping
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_local_time
from replayhouse.infra.runtime.settings import load_settings
from replayhouse.infra.runtime.subprocesses import prepared, workers_without_data
from replayhouse.infra.runtime.telling import Tell, tell_nobody
from replayhouse.infra.staging.files import SHORT_NAMES
from replayhouse.ingest.synthetic import generate as write
from replayhouse.ingest.synthetic.generate import processes_worth


class Generated(NamedTuple):
    """What was written: the records of each of the nine files, from a seed, as they would have looked at `until`."""

    directory: Path
    seed: int
    until: datetime | None
    records: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {**self._asdict(), "directory": str(self.directory)}


def generate(
    directory: str | PathLike[str],
    orders: int = 2_000,
    seed: int = 1,
    until: str | date | None = None,
    *,
    force: bool = False,
    workers: int | None = None,
    tell: Tell = tell_nobody,
) -> Generated:
    """Writes an extract of nine CSV files into a folder, which is made where it is missing.

    The same seed gives the same bytes. `until`: as the extract would have looked at the end of that day, or at that
    local time; `orders` are those of the whole one. With the same seed and number of orders, extracts of different
    dates belong together. `force`: replaces the files of an extract that stands there. `workers`: so many processes,
    by default those of the settings. Raises UsageError for a folder that holds an extract, a date that is none, and
    no orders.
    """
    folder = Path(directory)
    _refuse_extract(folder, replaces=force)
    moment = read_local_time(until if isinstance(until, str) else until.isoformat()) if until is not None else None
    if orders < 1:
        raise UsageError(f"An extract needs at least 1 order, not {orders}.")
    if workers is not None and workers < 1:
        raise UsageError(f"An extract needs at least 1 worker, not {workers}.")
    workers = workers or load_settings().workers
    with prepared(processes_worth(orders, workers)):
        tell(f"writing to {folder}", 0, 0)
        records = write(folder, orders, seed, moment, workers, workers_without_data)
    return Generated(folder, seed, moment, records)


def _refuse_extract(directory: Path, *, replaces: bool) -> None:
    """Raises UsageError where there is no folder, or one with files that a load would take for those of an extract."""
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file: name a folder, which is made where there is none.")
    found = sorted(path.name for path in directory.glob("*") if path.name.lower() in SHORT_NAMES)
    if found and not replaces:
        named = f"{found[0]} and {len(found) - 1} more" if len(found) > 1 else found[0]
        raise UsageError(
            f"The folder {directory} holds an extract already ({named}), and these may be somebody's data: name "
            "another folder, or say --force to replace them."
        )
