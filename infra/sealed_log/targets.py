"""Where segments are written: each as a whole, and the manifest after it, so that nothing counts before it is there.

A folder of this machine is held by one command at a time, and a segment is written beside its place and renamed.
Storage knows neither: folders there have a mark of their own, and the manifest is put only where nobody else has put
one since it was read.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.infra.runtime.files import keep_name, no_folder_for, writing
from replayhouse.infra.runtime.manifests import MANIFEST
from replayhouse.infra.sealed_log.manifest import folder_name, is_folder_name, new_mark
from replayhouse.infra.sealed_log.places import LocalFolder, Place, Storage
from replayhouse.infra.sealed_log.reader import read_manifest

_LOCK = ".lock"
_UNFINISHED = ".unfinished"


class Target(Protocol):
    """A place to which one command seals, from `held` on."""

    @property
    def place(self) -> Place:
        """The place."""

    def remove_left(self, named: set[str], position: int) -> None:
        """Removes what killed commands have left: folders of segments that the manifest, up to a position, has not."""

    def begin(self, first: int, last: int) -> str:
        """The folder of a new segment, in which files may be written from now on."""

    def file(self, folder: str, name: str) -> BinaryIO:
        """A new file of it, to be written and closed."""

    def finish(self, folder: str) -> None:
        """All files of the folder are there, and stay under its name."""

    def put_manifest(self, data: bytes, before: bytes | None) -> None:
        """Writes the manifest in the place of the one that was `before`. Raises Conflicting where that is another."""


@contextmanager
def held(place: LocalFolder | Storage) -> Iterator[Target]:
    """The place, for this command alone as long as the block runs, if that can be had.

    A local folder is made where there is none. Raises Conflicting where another command seals there; UsageError where
    no folder can be made, or what is there is something else, InputError where its manifest is.
    """
    if isinstance(place, Storage):
        yield _StorageTarget(place)
        return
    _make_folder(place.path)
    with local(place) as target:
        yield target


@contextmanager
def local(place: LocalFolder, *, marks: bool = False) -> Iterator[Target]:
    """A folder that is there, for this command alone as long as the block runs. Raises Conflicting and OSError.

    Where it `marks` segments, one may be sealed anew while the one before stands: their folders have other names.
    """
    handle = os.open(place.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflicting(f"Another command is sealing into {place.path}: wait until it has ended.") from error
        yield _LocalTarget(place, marks=marks)
    finally:
        os.close(handle)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not path.is_dir():
            raise UsageError(f"{path} is a file: name the folder to seal into.") from None
        others = sorted(set(os.listdir(path)) - {_LOCK, MANIFEST + _UNFINISHED})  # segments come after a manifest
        if others and MANIFEST not in others:
            raise UsageError(
                f"{path} has no {MANIFEST}, and holds other files ({others[0]}): name a folder for the log alone."
            ) from None
        if others:
            read_manifest(LocalFolder(path))  # a folder of something else is left as it is
    except FileNotFoundError:
        raise no_folder_for(path) from None
    except OSError as error:
        raise UsageError(f"The folder {path} cannot be made: {error.strerror}.") from error


class _LocalTarget:
    def __init__(self, place: LocalFolder, *, marks: bool) -> None:
        self._place = place
        self._path = place.path
        self._marks = marks

    @property
    def place(self) -> Place:
        return self._place

    def remove_left(self, named: set[str], position: int) -> None:
        for name in os.listdir(self._path):
            if name not in named and is_folder_name(name.removesuffix(_UNFINISHED)):
                shutil.rmtree(self._path / name)

    def begin(self, first: int, last: int) -> str:
        folder = folder_name(first, last, new_mark() if self._marks else "")
        self._beside(folder).mkdir(mode=0o700)
        return folder

    def file(self, folder: str, name: str) -> BinaryIO:
        handle = os.open(self._beside(folder) / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return os.fdopen(handle, "wb", buffering=0)

    def finish(self, folder: str) -> None:
        beside = self._beside(folder)
        for file in beside.iterdir():
            keep_name(file)
        keep_name(beside)
        beside.rename(self._path / folder)
        keep_name(self._path)

    def put_manifest(self, data: bytes, before: bytes | None) -> None:
        with writing(self._path / MANIFEST, replaces=True) as file:
            file.write(data)

    def _beside(self, folder: str) -> Path:
        return self._path / f"{folder}{_UNFINISHED}"


class _StorageTarget:
    def __init__(self, place: Storage) -> None:
        self._place = place

    @property
    def place(self) -> Place:
        return self._place

    def remove_left(self, named: set[str], position: int) -> None:
        # What lies beyond the position may be what another command writes just now.
        with self._place.answered():
            for path in self._folders():
                name = path.rstrip("/").rpartition("/")[2]
                if is_folder_name(name) and name not in named and int(name.split("-")[0]) <= position:
                    self._place.files.rm(path, recursive=True)

    def _folders(self) -> list[str]:
        with suppress(FileNotFoundError):
            return list(self._place.files.ls(self._place.path(""), detail=False))
        return []

    def begin(self, first: int, last: int) -> str:
        return folder_name(first, last, new_mark())

    def file(self, folder: str, name: str) -> BinaryIO:
        return _Object(self._place, f"{folder}/{name}")  # type: ignore[return-value] # of a file it has what is used

    def finish(self, folder: str) -> None:
        """Objects are there once they are closed."""

    def put_manifest(self, data: bytes, before: bytes | None) -> None:
        found = None
        with suppress(FileNotFoundError):
            found = self._place.read(MANIFEST)
        if found != before:
            raise Conflicting(f"Another command has sealed into {self._place.name} meanwhile: run this one again.")
        with self._place.answered():
            self._place.files.makedirs(self._place.path("").rstrip("/"), exist_ok=True)
            self._place.files.pipe_file(self._place.path(MANIFEST), data)


class _Object:
    """An object that is written once; it is there when it is closed."""

    def __init__(self, place: Storage, name: str) -> None:
        self._place = place
        path = place.path(name)
        with place.answered():
            place.files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._file = place.files.open(path, "wb")

    def write(self, data: memoryview) -> int:
        with self._place.answered():
            return int(self._file.write(data))

    def __enter__(self) -> "_Object":
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            with self._place.answered():
                self._file.close()
            return
        with suppress(Exception):  # what is told is the first thing that went wrong
            self._file.discard() if hasattr(self._file, "discard") else self._file.close()
