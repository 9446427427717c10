"""The files of a backup: a zip that anybody can look into, with a manifest that tells what it is and what it must hold.

Two of them belong together: the log, and apart from it the keys of the personal fields. Either is written beside its
place and moved there when it is whole and on disk, so that under its name there is never a half of one.
"""

import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import msgspec

from replayhouse.infra.backup.encryption import is_encrypted
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.files import open_regular, refuse_place, writing

FORMAT = 1
"""Of the files; a program reads those up to its own."""

LOG, KEYS = "log", "keys"

DUMP = "event_store.dump"
"""What pg_dump wrote: the schemas of the log, without the keys."""
SUBJECTS = "subjects.copy"
"""Who has a row of keys, in PostgreSQL's binary COPY format, without the keys."""
SUBJECT_KEYS = "subject_key.copy"
"""The keys, in that format."""

_MANIFEST = "manifest.json"
_HOLDS = {LOG: {DUMP, SUBJECTS}, KEYS: {SUBJECT_KEYS}}
_LARGEST_MANIFEST = 2**20
_CHUNK = 2**20
_ZIP_BEGINS = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<26xHH")
_DAMAGE = (
    BadZipFile,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
    msgspec.MsgspecError,
)
"""What the library raises for a zip that is none, depending on where it was harmed."""

Tell = Callable[[str, int, int], None]
"""Takes what is being done, and how many of how many parts of it are done; 0 where nobody knows the latter."""


TellBytes = Callable[[int, int], None]


def in_megabytes(tell: Tell, doing: str) -> TellBytes:
    """Tells of bytes in larger parts."""
    return lambda done, of: tell(doing, done // 2**20, of // 2**20)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the read model of a context showed: the digest of each table, and what of the program made them."""

    made_by: str
    tables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file of a backup holds.

    `store` is the chain of the log's first commit: it tells logs apart, and a restored one has it too. `position`,
    `chain` and `recorded_at` are those of the head at the moment of the backup, `taken_at`. So many `subjects` have a
    row of keys. `sha256` is of the file's other members, by name; `keys_sha256` of the keys taken together with a log.
    `shown` has the contexts whose read models were up with that position.
    """

    kind: str
    format: int
    program: str
    server: int
    schema_version: int
    store: str
    position: int
    chain: str
    recorded_at: datetime
    taken_at: datetime
    subjects: int
    sha256: dict[str, str]
    keys_sha256: str
    shown: dict[str, Shown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Outline:
    """What is looked at before the rest of a manifest, which a newer program may have given other fields."""

    kind: str
    format: int


# --- writing ----------------------------------------------------------------------------------------------------


class Writer:
    """Writes the members of a file, hashing them on the way, and then the manifest; in a `with` block."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = ZipFile(file, "w", ZIP_STORED)
        self.sha256: dict[str, str] = {}

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._zip.fp = None  # the file is thrown away: nothing is added to it when this object goes

    def add(self, name: str, chunks: Iterable[bytes | bytearray | memoryview], tell: TellBytes) -> str:
        """A member, chunk by chunk; its SHA-256."""
        found, done = sha256(), 0
        with self._zip.open(_info(name), "w", force_zip64=True) as member:
            for chunk in chunks:
                member.write(chunk)
                found.update(chunk)
                done += memoryview(chunk).nbytes
                tell(done, 0)
        self.sha256[name] = found.hexdigest()
        return self.sha256[name]

    def finish(self, manifest: Manifest) -> None:
        """The manifest, and the zip's directory."""
        self._zip.writestr(_info(_MANIFEST), msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        self._zip.close()


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.external_attr = (stat.S_IFREG | 0o600) << 16
    return info


@contextmanager
def writing_backup(path: Path, kind: str, *, replaces: bool) -> Iterator[BinaryIO]:
    """A new file that takes its place under `path` when the block ends well, as `writing` does it.

    What it may replace is an earlier backup of its kind: any other file is refused (UsageError). Of an encrypted one
    nobody here can tell whether it is one.
    """
    refuse_place(path, replaces=True)
    if path.exists() and not is_encrypted(path):
        try:
            read_manifest(BackupFile(path), kind)
        except InputError as error:
            raise UsageError(
                f"{path} exists and is no such backup: it is left as it is. Choose another name."
            ) from error
    with writing(path, replaces=replaces) as file:
        yield file


# --- reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file of a backup, to be read: as it stands at its path, or what was decrypted of that, which has no name."""

    path: Path
    decrypted: IO[bytes] | None = None

    def opened(self) -> BinaryIO:
        """Its content, as a file of its own. What was decrypted is read by one at a time. Raises OSError."""
        if self.decrypted is None:
            return os.fdopen(open_regular(self.path, os.O_RDONLY), "rb")
        return os.fdopen(os.dup(self.decrypted.fileno()), "rb")

    @property
    def size(self) -> int:
        """In bytes."""
        with self.opened() as file:
            return os.fstat(file.fileno()).st_size


def read_manifest(backup: BackupFile, kind: str) -> Manifest:
    """What the file says it holds. Raises InputError if it is no whole file of that kind, or of a newer format."""
    path = backup.path
    with _reading(backup):
        with backup.opened() as file, ZipFile(file) as archive:
            info = archive.getinfo(_MANIFEST)
            if info.file_size > _LARGEST_MANIFEST:
                raise BadZipFile("a manifest of that size is none")
            told = archive.read(info)
        outline = msgspec.json.decode(told, type=_Outline)
        if outline.format <= FORMAT and outline.kind == kind:
            return msgspec.json.decode(told, type=Manifest)
    if outline.format > FORMAT:
        raise InputError(f"{path} was written by a newer replayhouse (format {outline.format}): use that one.")
    raise InputError(f"{path} holds the {outline.kind} of a backup, where its {kind} must be.")


def check(backup: BackupFile, kind: str, tell: TellBytes) -> Manifest:
    """Reads the whole file and compares it with its manifest, which is returned. Raises InputError."""
    manifest = read_manifest(backup, kind)
    of, done = backup.size, 0
    if manifest.sha256.keys() != _HOLDS[kind]:
        raise InputError(_damaged(backup))
    for name, expected in manifest.sha256.items():
        found = sha256()
        with _reading(backup):
            for chunk in chunks_of(backup, name):
                found.update(chunk)
                done += len(chunk)
                tell(done, of)
        if found.hexdigest() != expected:
            raise InputError(_damaged(backup))
    return manifest


@contextmanager
def opened(backup: BackupFile, name: str) -> Iterator[BinaryIO]:
    """The file, its descriptor positioned where a member begins, which lies in it as it is; the rest follows."""
    with backup.opened() as file:
        with _reading(backup), ZipFile(file) as archive:
            begins = archive.getinfo(name).header_offset
            file.seek(begins)
            after = sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size)))  # the lengths of its name and its extras
        os.lseek(file.fileno(), begins + _LOCAL_HEADER.size + after, os.SEEK_SET)
        yield file


def chunks_of(backup: BackupFile, name: str) -> Iterator[bytes]:
    """A member of a file, piece by piece."""
    with backup.opened() as file, ZipFile(file) as archive, archive.open(name) as member:
        while chunk := member.read(_CHUNK):
            yield chunk


@contextmanager
def _reading(backup: BackupFile) -> Iterator[None]:
    path = backup.path
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except _DAMAGE as error:
        raise InputError(_damaged(backup)) from error


def _damaged(backup: BackupFile) -> str:
    path = backup.path
    if backup.decrypted is None and is_encrypted(path):
        return (
            f"{path} is encrypted, and this command reads it in clear: age --decrypt --identity KEYFILE --output PLAIN "
            f"{path} writes that."
        )
    with backup.opened() as file:
        file.seek(0)
        if file.read(len(_ZIP_BEGINS)) != _ZIP_BEGINS:
            return f"{path} is no backup of replayhouse."
    return f"{path} is not whole: it was cut off, or changed since it was written. Take another copy of it."
