"""Sources: which mappings come with the program, what one makes of an extract, and a first one for a new kind."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
import pyarrow.parquet as pq

from replayhouse.infra.loads.assessment import assess
from replayhouse.infra.loads.opened_source import OpenedSource, open_source
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.files import writing
from replayhouse.infra.runtime.telling import Tell, tell_nobody
from replayhouse.infra.sources.find_mapping import find_mapping, shipped
from replayhouse.infra.sources.guess import guess_mapping
from replayhouse.infra.sources.mapping import NAME
from replayhouse.infra.sources.mapping import Mapping as SourceMapping
from replayhouse.infra.sources.shown_cells import shown_columns, shown_raw_columns
from replayhouse.infra.staging.staging import Staged
from replayhouse.ingest.records import RECORDS

ROWS_SHOWN = 3

Cells = dict[str, str | None]


class Shipped(NamedTuple):
    """A mapping that comes with the program, and where it is."""

    name: str
    folder: Path

    def document(self) -> dict[str, str]:
        """As JSON shows it."""
        return {"name": self.name, "folder": str(self.folder)}


class Shown(NamedTuple):
    """The first rows of a file, or the first records: the line of each, and its cells; None stands for nothing.

    Cells of `withheld` columns may be personal, and are left out.
    """

    rows: list[tuple[int, Cells]]
    withheld: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {"rows": [{"line": line, "cells": cells} for line, cells in self.rows], "withheld": list(self.withheld)}


class CheckedFile(NamedTuple):
    """A file of the extract: its real name, its rows and how many of them are no record, and its columns by use.

    `is_there`: of an optional file that is not, the name is the pattern that none fits.
    """

    name: str
    file: str
    rows: int
    malformed: int
    absent: tuple[str, ...]
    unused: tuple[str, ...]
    shown: Shown
    is_there: bool

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            **self._asdict(),
            "absent": list(self.absent),
            "unused": list(self.unused),
            "shown": self.shown.document(),
        }


class KeptApart(NamedTuple):
    """Records that break a rule: how many, line and fault of the first."""

    rule: str
    records: int
    line: int
    reason: str


class CheckedRecords(NamedTuple):
    """The records of one kind: from which real file, how many, how many are identical repetitions, which are bad."""

    record: str
    file: str
    records: int
    repeated: int
    kept_apart: list[KeptApart]
    shown: Shown

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        kept_apart = [one._asdict() for one in self.kept_apart]
        return {**self._asdict(), "kept_apart": kept_apart, "shown": self.shown.document()}


class Checked(NamedTuple):
    """What a mapping makes of an extract. `reasons` say why a load into an empty warehouse would be rejected.

    `left_out` are the kinds of records of which all files are optional and absent.
    """

    source: str
    files: list[CheckedFile]
    records: list[CheckedRecords]
    left_out: tuple[str, ...]
    score: float | None
    reasons: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "source": self.source,
            "files": [file.document() for file in self.files],
            "records": [record.document() for record in self.records],
            "left_out": list(self.left_out),
            "score": self.score,
            "reasons": list(self.reasons),
        }


def list_sources() -> list[Shipped]:
    """The mappings that come with the program."""
    return [Shipped(name, folder) for name, folder in shipped().items()]


def check_source(
    source: str | PathLike[str], path: str | PathLike[str], *, workers: int = 2, tell: Tell = tell_nobody
) -> Checked:
    """Makes the records of an extract by a mapping, and holds the rules against them; appends nothing.

    `source` is the folder of a mapping or the name of a shipped one, `path` a folder or zip. No warehouse is looked at:
    every record is new. Raises UsageError and InputError as a load does.
    """
    mapping = find_mapping(fspath(source))
    with TemporaryDirectory(prefix="replayhouse-check-") as scratch:
        tell("reading the files", 0, 0)
        opened = open_source(mapping, Path(path), Path(scratch), lambda: os.urandom(32))
        tell("making records", 0, 0)
        staged = opened.stage(Path(scratch) / "stage", None, datetime.now(UTC).date(), workers)
        assessed = assess(staged, ())
        is_good = not assessed.reasons
        return Checked(
            mapping.source.name,
            [_file(mapping, opened, name) for name in opened.tables],
            [_records(mapping, opened, staged, record) for record in opened.made],
            tuple(record for record in RECORDS if record in opened.left_out),
            float(assessed.score) if is_good else None,
            assessed.reasons,
        )


def _file(mapping: SourceMapping, opened: OpenedSource, name: str) -> CheckedFile:
    table = opened.tables[name]
    shown = _first_rows(table.parquet, mapping.files[name].columns, shown_raw_columns(mapping, name))
    return CheckedFile(
        name, table.file, table.rows, table.malformed_rows, table.absent, table.unused, shown, table.is_there
    )


def _records(mapping: SourceMapping, opened: OpenedSource, staged: Staged, record: str) -> CheckedRecords:
    made = opened.made[record]
    columns = [column.name for column in RECORDS[record].columns()]
    shown = _first_rows(made.read.cells, columns, shown_columns(mapping, record, made.tables))
    kept_apart = list(_kept_apart(staged, record)) if staged.counts[record].quarantined else []
    repeated = 0 if record == "geolocation" else staged.counts[record].unchanged
    return CheckedRecords(record, made.raw.file, made.read.records, repeated, kept_apart, shown)


def _first_rows(path: Path, columns: Iterable[str], may_be_shown: Collection[str]) -> Shown:
    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(ROWS_SHOWN), None)
    rows = batch.slice(0, ROWS_SHOWN).to_pylist() if batch is not None else []
    cells = [(row["line"], {name: row[name] for name in columns if name in may_be_shown}) for row in rows]
    return Shown(cells, tuple(name for name in columns if name not in may_be_shown))


def _kept_apart(staged: Staged, record: str) -> Iterator[KeptApart]:
    with closing(duckdb.connect(str(staged.database), read_only=True)) as connection:
        for row in connection.execute(_BY_RULE, [record]).fetchall():
            yield KeptApart(*row)


_BY_RULE = """
    SELECT rule, count(*), min(line), first(reason ORDER BY line, record)
    FROM quarantine WHERE file = ? GROUP BY rule ORDER BY count(*) DESC, rule
"""


def new_source(folder: str | PathLike[str], path: str | PathLike[str]) -> Path:
    """Writes a first mapping for an extract of a new kind, to be completed; returns its `source.toml`.

    Raises UsageError where the folder has a mapping already.
    """
    made = Path(folder)
    there = [*made.glob(NAME), *sorted(made.glob("*.sql"))]
    if there:
        raise UsageError(f"{there[0]} is there already, and is never overwritten: name another folder.")
    texts = guess_mapping(Path(path), _name_of(made))
    made.mkdir(parents=True, exist_ok=True)
    for name in sorted(texts, key=lambda name: name == NAME):  # the SELECTs first: with source.toml it is whole
        with writing(made / name, replaces=False) as file:
            file.write(texts[name].encode())
    return made / NAME


def _name_of(folder: Path) -> str:
    """The name of a source that a folder's suggests."""
    plain = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return plain if plain[:1].isalpha() and plain != "olist" else f"source-{plain}".rstrip("-")
