"""The folder of an export: one generation of files at a time, seen through links, all exchanged by one renaming.

What readers name (`manifest.json`, `warehouse.duckdb`, `sales/fact_order.parquet`) are links through `.current` to the
generation that is whole. The next one is made beside it; then `.current` is replaced, and from that moment on every
name leads to the new files. So it does not matter where a command is killed: names lead to the old files or to the new.
Whoever has old files open reads them to their end; their names are gone.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from replayhouse.infra.exporting import manifest
from replayhouse.infra.exporting.manifest import Manifest
from replayhouse.infra.runtime.errors import Conflicting, InputError, UsageError
from replayhouse.infra.runtime.files import keep_name, no_folder_for
from replayhouse.infra.runtime.manifests import MANIFEST, rendered

WAREHOUSE = "warehouse.duckdb"

_CURRENT, _COMING, _LOCK = ".current", ".coming", ".lock"
_UNFINISHED = ".unfinished"
_GENERATION = re.compile(r"\.export-(\d+)")
_ONLY_ITS_OWNER, _ONLY_ITS_OWNER_S_FOLDER = 0o600, 0o700
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
"""How a file system says that it has no links of a kind."""


class ExportFolder:
    """A folder that is an export of ours, or is to become one; made by `held`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.former: Manifest | None = None

    @property
    def _generation(self) -> Path | None:
        """The files that the names lead to."""
        try:
            name = os.readlink(self.path / _CURRENT)
        except OSError:  # there is none, or it is no link
            return None
        return self.path / name if _GENERATION.fullmatch(name) and (self.path / name).is_dir() else None

    def former_file(self, file: str) -> Path | None:
        """A file of the generation that stands, by its path below the folder."""
        stands = self._generation
        return None if stands is None or not (stands / file).is_file() else stands / file

    def is_whole(self) -> bool:
        """Whether every file that the manifest names is there, in its size."""
        if self.former is None:
            return False
        for one in self.former.files():
            file = self.former_file(one.file)
            if file is None or file.stat().st_size != one.bytes:
                return False
        return True

    def begin(self) -> Path:
        """A new folder for the files of the next generation."""
        self._link([MANIFEST])  # so that whoever looks for copies of personal fields sees that there is one
        unfinished = self.path / _UNFINISHED
        unfinished.mkdir(_ONLY_ITS_OWNER_S_FOLDER)
        return unfinished

    def switch(self, unfinished: Path, told: Manifest) -> None:
        """The next generation, with its manifest, takes the place of the one that stands, which is removed.

        Before that everything of it is on disk.
        """
        write_new(unfinished / MANIFEST, rendered(told))
        for folder, _, files in os.walk(unfinished):
            for name in files:
                _on_disk(Path(folder, name))
            keep_name(Path(folder))
        number = max((int(found[1]) for found in map(_GENERATION.fullmatch, os.listdir(self.path)) if found), default=0)
        generation = self.path / f".export-{number + 1}"
        self._link(os.listdir(unfinished))
        unfinished.rename(generation)
        coming = self.path / _COMING
        coming.symlink_to(generation.name)
        keep_name(self.path)
        coming.replace(self.path / _CURRENT)
        keep_name(self.path)
        self.former = told
        self.tidy()

    def _link(self, names: Iterable[str]) -> None:
        """A name for each file and folder of a generation."""
        for name in names:
            leads_to = f"{_CURRENT}/{name}"
            try:
                (self.path / name).symlink_to(leads_to)
            except FileExistsError:
                if not _is_link_to(self.path / name, leads_to):
                    raise UsageError(
                        f"{self.path / name} is in the way: it is nothing that an export has written. Move it, or name "
                        "another folder."
                    ) from None

    def leave(self) -> None:
        """Removes what a command that failed has begun; what cannot be removed, the next one removes."""
        with suppress(OSError, UsageError):
            self.tidy()

    def tidy(self) -> None:
        """Removes generations that no name leads to, and names that lead nowhere: what was exchanged, or was left."""
        stands = self._generation
        for entry in self.path.iterdir():
            if entry.is_symlink():
                is_ours = entry.name == _COMING or _is_link_to(entry, f"{_CURRENT}/{entry.name}")
                if is_ours and (entry.name == _COMING or not entry.exists()):
                    entry.unlink()
            elif entry != stands and (entry.name == _UNFINISHED or _GENERATION.fullmatch(entry.name)):
                shutil.rmtree(entry)
        if stands is not None:
            self._link(os.listdir(stands))
        keep_name(self.path)

    def _refuse_strangers(self) -> None:
        """Raises UsageError where the folder holds something, and is no export."""
        strangers = [entry.name for entry in self.path.iterdir() if not self._is_ours(entry)]
        if self._generation is None and strangers:
            raise UsageError(
                f"{self.path} is not empty, and no export that could be replaced: it holds {min(strangers)}. Name "
                "another folder, or empty it."
            )

    def _is_ours(self, entry: Path) -> bool:
        if entry.is_symlink():
            return entry.name in (_CURRENT, _COMING) or _is_link_to(entry, f"{_CURRENT}/{entry.name}")
        return entry.name in (_LOCK, _UNFINISHED) or _GENERATION.fullmatch(entry.name) is not None

    def _read(self) -> None:
        if self._generation is None:
            return
        try:
            self.former = manifest.read(self.path)
        except InputError as error:
            raise UsageError(f"{self.path} cannot be written to. {error} Or name another folder.") from error


@contextmanager
def held(path: Path) -> Iterator[ExportFolder]:
    """The folder, made where there is none, for this process alone; what killed ones have left in it is removed.

    Raises UsageError where it cannot be written to, or is no export of ours, Conflicting while another writes it.
    """
    try:
        path.mkdir(_ONLY_ITS_OWNER_S_FOLDER, exist_ok=True)
    except FileNotFoundError:
        raise no_folder_for(path) from None
    except FileExistsError:
        raise UsageError(f"{path} is not a folder: name the folder to write to.") from None
    folder = ExportFolder(path.resolve())
    folder._refuse_strangers()
    handle = os.open(folder.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _ONLY_ITS_OWNER)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflicting(f"Another command is writing {folder.path}: wait until it has ended.") from None
        folder.tidy()
        folder._read()
        try:
            yield folder
        except BaseException:
            folder.leave()
            raise
    finally:
        os.close(handle)


def write_new(path: Path, data: bytes) -> None:
    """A new file with these bytes, for its owner alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _ONLY_ITS_OWNER)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def keep(former: Path, path: Path) -> None:
    """A file of the former generation in the next: the same one, under another name, where there are such links."""
    path.parent.mkdir(_ONLY_ITS_OWNER_S_FOLDER, exist_ok=True)
    try:
        os.link(former, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(former, path)
        path.chmod(_ONLY_ITS_OWNER)


def _on_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_link_to(path: Path, leads_to: str) -> bool:
    return path.is_symlink() and os.readlink(path) == leads_to
