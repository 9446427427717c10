"""The folder that a replay writes to: what stands there counts by its manifest, which is put in place last.

Files of two replays have different names, so those of the one that counts stay as they are until the next one does.
Whoever reads goes by the manifest: it names the old files, or the new ones.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.replaying.manifest import RowsManifest, read_manifest
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.files import keep_name, no_folder_for, writing
from replayhouse.infra.runtime.manifests import MANIFEST, rendered

_FILE = re.compile(r"part-[0-9a-f]{8}-\d{5,}-\d+\.parquet")
_OF_OURS = {MANIFEST, f"{MANIFEST}.unfinished"}
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class Output:
    """A folder that is being written. `run` is in the name of each file; `before` is what counted until now.

    It `had_leftovers` where a killed replay had written something there.
    """

    def __init__(self, folder: Path, before: RowsManifest | None, *, had_leftovers: bool) -> None:
        self.folder = folder
        self.before = before
        self.had_leftovers = had_leftovers
        self.run = secrets.token_hex(4)
        self.manifest: RowsManifest | None = None

    def finish(self, manifest: RowsManifest) -> None:
        """From the end of the block on, this is what counts."""
        self.manifest = manifest


@contextmanager
def writing_rows(folder: Path, *, replaces: bool) -> Iterator[Output]:
    """A folder to write rows to: what was there counts until the block ends well, and then what it has finished.

    What a killed replay left there is removed. Raises UsageError where there are rows already and `replaces` is not
    said, where there is something that no replay has written, or no room; Conflicting while another one writes there.
    """
    _make(folder)
    if not replaces and (folder / MANIFEST).exists():
        raise UsageError(f"{folder} holds rows already: name another folder, or say --force to replace them.")
    with writing(folder / MANIFEST, replaces=replaces) as file, _told_of_room(folder):
        before = _before(folder)
        output = Output(folder, before, had_leftovers=_remove(folder, _files_of(before)))
        try:
            yield output
            assert output.manifest is not None, "the block has finished it"
            _remove(folder, _files_of(output.before) | _files_of(output.manifest))  # a part may have been begun twice
            _keep_names(folder)
            file.write(rendered(output.manifest))
            file.flush()
        except BaseException:
            _remove(folder, _files_of(output.before))
            raise
    for name in _files_of(output.before):
        (folder / name).unlink(missing_ok=True)
    _remove_empty(folder)


def _make(folder: Path) -> None:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except FileNotFoundError:
            raise no_folder_for(folder) from None
        except OSError as error:
            raise UsageError(f"{folder} cannot be made: {error.strerror}.") from error
        return
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{folder} is not a folder, and no link is followed: name the folder to write to.")
    for name in _paths(folder):
        if name not in _OF_OURS and not _is_ours(name):
            raise UsageError(
                f"{folder} holds {name}, which no replay has written: it is left as it is. Name a folder of its own."
            )


def _before(folder: Path) -> RowsManifest | None:
    if not (folder / MANIFEST).exists():
        return None
    try:
        return read_manifest(folder)
    except InputError as error:
        raise UsageError(f"{error} It is left as it is: name another folder, or remove this one.") from error


def _files_of(manifest: RowsManifest | None) -> set[str]:
    return set() if manifest is None else {file.file for file in manifest.files}


def _remove(folder: Path, but: Iterable[str]) -> bool:
    """Removes the files of replays, but for some, and folders without any; whether there were such files."""
    kept, found = set(but), False
    for name in _paths(folder):
        if name not in kept and name not in _OF_OURS and _is_ours(name):
            (folder / name).unlink(missing_ok=True)
            found = True
    _remove_empty(folder)
    return found


def _remove_empty(folder: Path) -> None:
    for context in CONTEXTS:
        for table in _entries(folder / context):
            with suppress(OSError):  # it holds something
                table.rmdir()
        with suppress(OSError):
            (folder / context).rmdir()


def _keep_names(folder: Path) -> None:
    """All names in the folder are on disk before the manifest says that they are."""
    for context in CONTEXTS:
        for table in _entries(folder / context):
            keep_name(table)
        with suppress(FileNotFoundError):
            keep_name(folder / context)
    keep_name(folder)


def _paths(folder: Path) -> Iterator[str]:
    """What is in the folder and is no folder, or one where none belongs; by its name below it."""
    for above, folders, files in os.walk(folder):
        here = Path(above).relative_to(folder)
        for name in files:
            yield (here / name).as_posix()
        depth = len(here.parts)
        for name in folders:
            if depth >= 2 or (depth == 0 and name not in CONTEXTS) or (Path(above) / name).is_symlink():
                yield (here / name).as_posix()


def _is_ours(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 3 and parts[0] in CONTEXTS and _FILE.fullmatch(parts[2]) is not None


def _entries(folder: Path) -> list[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())
    return []


@contextmanager
def _told_of_room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise UsageError(
            f"There is no room to write the rows to {folder}: {error.strerror}. Nothing that was written counts: make "
            "room, and run the same command again."
        ) from error
