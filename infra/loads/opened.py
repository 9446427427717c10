"""An extract that is open to be loaded: the nine files themselves, or others (opened_source.py)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psycopg

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.staging.extract import Extract, Limits, open_extract
from replayhouse.infra.staging.staging import Staged, stage

MEMORY = "400MB"


class Complete(NamedTuple):
    """A source that says that its extracts hold everything: its name, and which share of a kind may be gone, 0 to 1.

    `in_part` are the kinds of records of which this extract does not, since an optional file is absent. `is_told`: what
    an extract lacks is a finding, and said.
    """

    source: str
    may_shrink: Fraction
    in_part: tuple[str, ...] = ()
    is_told: bool = True


class Opened(Protocol):
    """What a load needs of an extract."""

    @property
    def currency(self) -> str:
        """That of all amounts, a code of ISO 4217."""

    @property
    def files(self) -> Mapping[str, str]:
        """By short name the hash of each file, by which a load is known."""

    @property
    def source_name(self) -> str | None:
        """The name of the source whose mapping makes its records; None of the nine files."""

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Files that stand beside those that are read."""

    @property
    def absent(self) -> tuple[str, ...]:
        """The patterns of optional files that none fits."""

    @property
    def complete(self) -> Complete | None:
        """Of a source whose extracts hold everything; None of any other."""

    def stage(self, directory: Path, known: Path | None, opened_on: date, threads: int) -> Staged:
        """Stages the records, and compares them with what is `known`."""

    def source(self) -> dict[str, Any] | None:
        """What stands with the load of the mapping, once it is staged; None where there is none."""

    @property
    def mapping_texts(self) -> Mapping[str, str] | None:
        """The files of the mapping, by name; None where there is none."""


Opener = Callable[[psycopg.Connection, Path], Opened]
"""Opens an extract with what a connection gives, into a scratch folder."""


@dataclass(frozen=True)
class OpenedFiles:
    """The nine files, or some of them."""

    extract: Extract
    complete: Complete | None = None
    currency: str = BRL
    source_name: None = None
    absent: tuple[str, ...] = ()
    mapping_texts: None = None

    @property
    def files(self) -> Mapping[str, str]:
        """Their own SHA-256."""
        return {file: found.sha256 for file, found in self.extract.files.items()}

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Files that stand beside them."""
        return self.extract.passed_over

    def stage(self, directory: Path, known: Path | None, opened_on: date, threads: int) -> Staged:
        """Stages them. Raises InputError where one has changed meanwhile."""
        staged = stage(self.extract, directory, known, opened_on=opened_on, memory_limit=MEMORY, threads=threads)
        self.extract.refuse_if_changed()
        return staged

    def source(self) -> None:
        """None."""


def open_files(path: Path, scratch: Path, limits: Limits) -> OpenedFiles:
    """Opens an extract of the nine files."""
    return OpenedFiles(open_extract(path, scratch / "extract", limits))
