"""Opening an extract: a folder or a zip with some files that are sought, each hashed as it is copied or unpacked.

What is hashed is what is read: everybody reads the copies, which nobody else writes to. A zip comes from outside:
nothing is written but the files that are sought, under names of our own, and no more than the limits allow.
"""

import hashlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.staging.files import SHORT_NAMES, SOURCE_FILES

COPY_BYTES = 1 << 20
UNSUSPICIOUS_BYTES = 1 << 20
"""So little may be packed as tightly as it likes: a file of a few equal lines is no bomb."""
NAMES_TOLD = 12
ROOT = re.compile(r"[A-Za-z]:/|/")
"""How a path begins that is not below the folder it is unpacked in; anywhere else a colon is a sign as any other."""


@dataclass(frozen=True)
class Sought:
    """Which files an extract is searched for: the key that tells a file from others by its name, or None.

    `copy_of` names the copy of the file with that key. `one`, `none` and `expected` are words of messages: what a file
    that is sought is one of, what there is none of, what an extract holds. So is `twice`: what two files are.
    """

    key_of: Callable[[str], str | None]
    copy_of: Callable[[str], str]
    twice: Callable[[str], str]
    one: str
    none: str
    expected: str


NINE_FILES = Sought(
    key_of=lambda name: SHORT_NAMES.get(name.lower()),
    copy_of=lambda short: SOURCE_FILES[short].name,
    twice=lambda _: "the same file twice",
    one="one of the nine files",
    none="none of the nine files",
    expected=f"An extract holds some of {', '.join(source.name for source in SOURCE_FILES.values())}. Files of another "
    "shape are loaded by a mapping: --source, of which replayhouse sources --help tells.",
)


class ExtractFile(NamedTuple):
    """One file, as a copy of ours: where it is, its published name, its size, its SHA-256 in lower-case hexadecimal."""

    path: Path
    name: str
    bytes: int
    sha256: str


class Seen(NamedTuple):
    """How a file looked when it was opened: its size, and when it and what is noted of it were last changed."""

    size: int
    changed_at: int
    noted_at: int


@dataclass(frozen=True)
class Extract:
    """What was found of the files that are sought, by key: of the nine files, by short name.

    `passed_over` are other files that stand beside them, `originals` those that were copied or unpacked from.
    """

    path: Path
    files: Mapping[str, ExtractFile]
    passed_over: tuple[str, ...] = ()
    originals: Mapping[Path, Seen] = field(default_factory=dict)

    def refuse_if_changed(self) -> None:
        """Raises InputError if a file of the extract was replaced, cut or written to since it was opened."""
        for path, seen in self.originals.items():
            if _seen(path, path) != seen:
                raise _changed(path)


class Limits(NamedTuple):
    """What a zip may unpack to: bytes in all, and how many times its packed size."""

    max_bytes: int = 50 << 30
    max_ratio: float = 20.0


def open_extract(path: Path, staging_dir: Path, limits: Limits | None = None, sought: Sought = NINE_FILES) -> Extract:
    """Copies the files of a folder, or unpacks those of a zip, into `staging_dir`/unpacked, and hashes them meanwhile.

    File names may be of any case; in a zip all may stand in one folder. Raises InputError where there is nothing to
    read, where two files are the same one, where one changes meanwhile, and where a zip is broken, encrypted, too
    large, or points outside itself.
    """
    unpacked = staging_dir / "unpacked"
    if path.is_dir():
        return _open_folder(path, unpacked, sought)
    with _zip_at(path, sought) as archive:
        seen = _seen(path, path)
        extract = _unpack(path, archive, unpacked, limits or Limits(), sought)
        return replace(extract, originals={path: seen})


def refuse_what_is_none(path: Path, sought: Sought = NINE_FILES) -> None:
    """Raises InputError where there is no extract at a path; looks at names only."""
    if path.is_dir():
        _files_of(path, sought)
        return
    with _zip_at(path, sought) as archive:
        _entries(path, archive, sought)


@contextmanager
def _zip_at(path: Path, sought: Sought) -> Iterator[zipfile.ZipFile]:
    if not path.exists():
        raise InputError(f"{path} does not exist. {sought.expected}")
    if path.is_file() and sought.key_of(path.name) is not None:
        raise InputError(f"{path} is {sought.one}: name the folder that it stands in, {path.parent}.")
    if not path.is_file() or not _is_zip(path):
        raise InputError(f"{path} is neither a folder nor a zip. {sought.expected}")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    # NotImplementedError: zipfile's, for an archive packed by a method that it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be unpacked: {error}.") from error


def _is_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error


def _nothing_found(path: Path, names: Iterable[str], sought: Sought) -> InputError:
    found = sorted(names)
    if not found:
        return InputError(f"{path} is empty. {sought.expected}")
    told = ", ".join(found[:NAMES_TOLD]) + (f" and {len(found) - NAMES_TOLD} more" if len(found) > NAMES_TOLD else "")
    return InputError(f"{path} holds {sought.none}, but {told}. {sought.expected}")


def _files_of(path: Path, sought: Sought) -> tuple[dict[str, Path], list[str]]:
    """The files of a folder by key, and the names of what else is there."""
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error
    found: dict[str, Path] = {}
    for entry in entries:
        key = sought.key_of(entry.name)
        if key is None:
            continue
        if key in found:
            raise InputError(f"{path} holds {sought.twice(key)}: {found[key].name} and {entry.name}.")
        if not entry.is_file():
            raise InputError(f"{entry} is not a file.")
        found[key] = entry
    if not found:
        raise _nothing_found(path, (entry.name for entry in entries), sought)
    return found, [entry.name for entry in entries if entry not in found.values()]


def _open_folder(path: Path, directory: Path, sought: Sought) -> Extract:
    found, passed_over = _files_of(path, sought)
    directory.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        copied = pool.map(_copied, found.values(), [directory / sought.copy_of(key) for key in found])
        files, originals = zip(*copied, strict=True)
    return Extract(
        path,
        dict(zip(found, files, strict=True)),
        _worth_telling(passed_over),
        dict(zip(found.values(), originals, strict=True)),
    )


def _copied(path: Path, copy: Path) -> tuple[ExtractFile, Seen]:
    """Copies a file and hashes what is copied; refuses one that changes meanwhile."""
    digest, size = hashlib.sha256(), 0
    try:
        original = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with original, copy.open("wb") as stream:
        seen = _seen(original.fileno(), path)
        while (data := _read(original, path)) and size <= seen.size:  # one that grows might never end
            digest.update(data)
            size += stream.write(data)
    if size != seen.size or _seen(path, path) != seen:
        raise _changed(path)
    return ExtractFile(copy, path.name, size, digest.hexdigest()), seen


def _read(stream: BinaryIO, path: Path) -> bytes:
    try:
        return stream.read(COPY_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from error


def _seen(file: Path | int, path: Path) -> Seen:
    try:
        found = os.stat(file)
    except FileNotFoundError as error:
        raise _changed(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    return Seen(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be read: {error.strerror}.")


def _changed(path: Path) -> InputError:
    return InputError(f"{path} changed while it was read: wait until it is written, then run the same command again.")


def _worth_telling(names: Iterable[str]) -> tuple[str, ...]:
    """Names of files that somebody may have meant to be loaded: not those that systems leave beside them."""
    return tuple(name for name in names if not name.startswith((".", "__MACOSX")))


def _unpack(path: Path, archive: zipfile.ZipFile, directory: Path, limits: Limits, sought: Sought) -> Extract:
    entries = _entries(path, archive, sought)
    size = sum(entry.file_size for entry in entries.values())
    packed = sum(entry.compress_size for entry in entries.values())
    if size > limits.max_bytes:
        raise InputError(f"{path} would unpack to {size:,} bytes; the limit is {limits.max_bytes:,}.")
    if size > max(UNSUSPICIOUS_BYTES, packed * limits.max_ratio):
        raise InputError(
            f"{path} would unpack to {size:,} bytes, more than {limits.max_ratio:g} times its {packed:,} packed bytes."
        )
    others = (entry for entry in archive.infolist() if not entry.is_dir() and entry not in entries.values())
    directory.mkdir(parents=True, exist_ok=True)
    return Extract(
        path,
        {key: _unpacked(archive, entry, directory / sought.copy_of(key)) for key, entry in entries.items()},
        _worth_telling(entry.filename for entry in others),
    )


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> ExtractFile:
    """zipfile stops at the size that the entry claims, and raises where the bytes are others than those packed."""
    digest = hashlib.sha256()
    with archive.open(entry) as packed, path.open("wb") as unpacked:
        while data := packed.read(COPY_BYTES):
            digest.update(data)
            unpacked.write(data)
        return ExtractFile(path, PurePosixPath(entry.filename).name, unpacked.tell(), digest.hexdigest())


def _entries(path: Path, archive: zipfile.ZipFile, sought: Sought) -> dict[str, zipfile.ZipInfo]:
    """The entries to unpack, by key; every entry is looked at before any is unpacked."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if ROOT.match(str(name)) or ".." in name.parts:
            raise InputError(f"{path} has an entry that leads out of it: {entry.filename!r}.")
        key = sought.key_of(name.name)
        if key is None or entry.is_dir():
            continue
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(f"{path} has an entry that is a link: {entry.filename!r}.")
        if key in found:
            raise InputError(f"{path} holds {sought.twice(key)}: {found[key].filename} and {entry.filename}.")
        if entry.flag_bits & 1:
            raise InputError(f"{path} is encrypted ({entry.filename}); unpack it first.")
        found[key] = entry
    folders = sorted({str(PurePosixPath(entry.filename).parent) for entry in found.values()})
    if len(folders) > 1:
        raise InputError(f"{path} holds files in several folders: {', '.join(folders)}. Keep them in one.")
    if not found:
        raise _nothing_found(path, (entry.filename for entry in archive.infolist() if not entry.is_dir()), sought)
    return found
