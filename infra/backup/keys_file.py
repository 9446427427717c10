"""The file of keys of a backup, looked into without a database: keys in bulk, of some thousands of subjects at a time.

Its rows are sorted by subject. Memory holds the place of every sixteenth of them; the rest is read when it is needed.
"""

import mmap
import os
from bisect import bisect_right
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from uuid import UUID

from replayhouse.infra.backup.archive import SUBJECT_KEYS, BackupFile, opened
from replayhouse.infra.event_store.known_keys import NOT_GIVEN, Keys, KeysOf, refuse_lost
from replayhouse.infra.postgres.binary_copy import HEADER
from replayhouse.infra.runtime.errors import InputError

_ROWS_A_STEP = 16
_ROW = Struct(">h4x16si")  # number of fields, length and bytes of the subject, length of the key
_NO_KEY = -1
_END = b"\xff\xff"


@dataclass(frozen=True)
class KeysOfFile:
    """The keys of a file, by its path. Can be sent to other processes, which find the file at the same place.

    The file is one that `archive.check` has found whole.
    """

    path: Path

    @contextmanager
    def opened(self) -> Iterator[KeysOf]:
        """What looks them up. Raises InputError where the file cannot be read, LostKeys for a key that it lacks."""
        try:
            with opened(BackupFile(self.path), SUBJECT_KEYS) as file:
                begin = os.lseek(file.fileno(), 0, os.SEEK_CUR)
                with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
                    yield _Rows(data, begin + len(HEADER)).keys_of
        except (OSError, ValueError, StructError) as error:
            raise InputError(f"{self.path} cannot be read any more: it was changed, or is gone.") from error


class _Rows:
    """The rows of keys from a place in memory on, up to the end that COPY writes."""

    def __init__(self, data: mmap.mmap, begin: int) -> None:
        self._data = data
        self._first: list[bytes] = []
        self._places: list[int] = []
        at, number = begin, 0
        while data[at : at + len(_END)] != _END:
            _, subject, length = _ROW.unpack_from(data, at)
            if number % _ROWS_A_STEP == 0:
                self._first.append(subject)
                self._places.append(at)
            at += _ROW.size + max(length, 0)
            number += 1
        self._end = at

    def keys_of(self, subjects: Collection[UUID]) -> Keys:
        """The keys of all these subjects. Raises LostKeys."""
        keys: Keys = {}
        for subject in subjects:
            step = bisect_right(self._first, subject.bytes) - 1
            if step >= 0:
                keys.update(self._found(subject, self._places[step]))
        refuse_lost(subjects, keys, NOT_GIVEN)
        return keys

    def _found(self, subject: UUID, at: int) -> Keys:
        wanted = subject.bytes
        for _ in range(_ROWS_A_STEP):
            if at >= self._end:
                break
            _, found, length = _ROW.unpack_from(self._data, at)
            at += _ROW.size
            if found == wanted:
                return {subject: None if length == _NO_KEY else self._data[at : at + length]}
            at += max(length, 0)
        return {}
