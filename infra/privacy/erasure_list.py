"""The list of erased people, kept outside of the database: a backup made before an erasure does not know of it.

Restored, such a backup would bring the person's key back. So the list is what a restore applies again. It is a CSV file
with a header, only ever added to, one line for each erasure: the person, when (UTC), and the position of the event.
A restore adds to the list of its home whom it has found erased, so that the next one knows of them too.
"""

import csv
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID

from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.files import open_regular, reading

NAME = "erased_subjects.csv"
HEADER = b"subject_id,erased_at,position\n"


class Erasure(NamedTuple):
    """Who was erased, when, and the position in the log that tells it."""

    subject: UUID
    erased_at: datetime
    position: int


class ErasedSubjects:
    """The list in the folder of a warehouse (REPLAYHOUSE_HOME)."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME

    @classmethod
    def at(cls, path: Path) -> "ErasedSubjects":
        """The list in some other file: one that was kept elsewhere."""
        listed = cls(path.parent)
        listed.path = path
        return listed

    def add(self, subject: UUID, erased_at: datetime, position: int) -> None:
        """Adds a line, which is on the disk when this returns. A line that a killed process left unfinished goes.

        Call it before the erasure is committed: a line too many costs nothing, one too few may bring a person back.
        Raises InputError where that cannot be written.
        """
        self._write([Erasure(subject, erased_at, position)])

    def add_missing(self, erasures: Iterable[Erasure]) -> None:
        """Adds a line for everybody who is not on the list yet; all of them are on the disk when this returns."""
        known = set(self.subjects())
        self._write([erasure for erasure in erasures if erasure.subject not in known])

    def _write(self, erasures: list[Erasure]) -> None:
        if not erasures:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _held(self.path) as file:
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
            file.seek(whole)
            lines = b"".join(f"{who},{at.astimezone(UTC).isoformat()},{of}\n".encode() for who, at, of in erasures)
            file.write(lines if whole else HEADER + lines)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the file's name, too
        finally:
            os.close(folder)

    def subjects(self) -> list[UUID]:
        """Everybody on the list, each once, in the order of their erasure; nobody if there is no list.

        Raises InputError where it cannot be read, or a line names nobody.
        """
        try:
            with reading(self.path) as file:
                lines = file.read().split(b"\n")[:-1]  # without what a killed process left unfinished
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(f"The list of erased people {self.path} cannot be read: {error.strerror}.") from error
        found: dict[UUID, None] = {}
        for number, cells in enumerate(csv.reader(line.decode() for line in lines[1:]), start=2):
            try:
                found[UUID(cells[0])] = None
            except (IndexError, ValueError) as error:
                raise InputError(f"{self.path}, line {number}, does not begin with the id of a person.") from error
        return list(found)


@contextmanager
def _held(path: Path) -> Iterator[BinaryIO]:
    """The file, made where it is missing, for this process alone; only its owner may read it."""
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise InputError(f"The list of erased people {path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
