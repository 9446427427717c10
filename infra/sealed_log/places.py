"""Where a sealed log may stand: a folder of this machine, or storage that fsspec knows by a URL.

Reading is all alike. Writing is not: a folder is renamed to its place, and storage has no names to give.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from replayhouse.infra.runtime.errors import InputError, ReplayhouseError, Unreachable, UsageError
from replayhouse.infra.runtime.files import reading


class Place(Protocol):
    """A folder with files in it, whose names are relative to it. Can be sent to other processes."""

    @property
    def name(self) -> str:
        """As the user called it."""

    def read(self, name: str) -> bytes:
        """The bytes of a small file. Raises FileNotFoundError and OSError."""

    def size(self, name: str) -> int:
        """How many bytes a file has. Raises FileNotFoundError and OSError."""

    def open(self, name: str) -> Any:
        """A file to be read by Arrow, or in parts. Raises FileNotFoundError and OSError."""


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path.absolute()}  # whoever it is sent to may work in another folder

    @property
    def name(self) -> str:
        """As the user called it."""
        return str(self.path)

    def read(self, name: str) -> bytes:
        """The bytes of a small file."""
        with reading(self.path / name) as file:
            return file.read()

    def size(self, name: str) -> int:
        """How many bytes a file has."""
        return (self.path / name).stat().st_size

    def open(self, name: str) -> Any:
        """A file to be read by Arrow, or in parts."""
        return pa.OSFile(os.fspath(self.path / name), "rb")


class Storage:
    """A folder that fsspec reaches by a URL, such as `s3://bucket/log`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._reached: tuple[Any, str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url, "_reached": None}

    @property
    def name(self) -> str:
        """The URL."""
        return self.url

    @property
    def files(self) -> Any:
        """The file system, as fsspec has it."""
        return self._reach()[0]

    def path(self, name: str) -> str:
        """What a file is called there."""
        return f"{self._reach()[1].rstrip('/')}/{name}"

    def read(self, name: str) -> bytes:
        """The bytes of a small file."""
        with self.answered():
            return bytes(self.files.cat_file(self.path(name)))

    def size(self, name: str) -> int:
        """How many bytes a file has."""
        with self.answered():
            return int(self.files.size(self.path(name)))

    def open(self, name: str) -> Any:
        """A file to be read by Arrow, or in parts."""
        with self.answered():
            return pa.PythonFile(self.files.open(self.path(name), "rb"), mode="r")

    def _reach(self) -> tuple[Any, str]:
        if self._reached is None:
            self._reached = _reached(self.url)
        return self._reached

    @contextmanager
    def answered(self) -> Iterator[None]:
        """What the storage refuses in the block is Unreachable; that a file is not there is the caller's."""
        try:
            yield
        except (FileNotFoundError, ReplayhouseError):
            raise
        except Exception as error:  # each storage has errors of its own
            raise Unreachable(f"The storage {self.url} does not do what it is asked to: {gist(error)}.") from error


def _reached(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"{url} is reached with fsspec, which is not installed: pip install 'replayhouse[storage]'."
        ) from None
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(f"Nothing here reaches {url}: {gist(error)}.") from error
    return files, str(path)


def place_of(given: str | os.PathLike[str]) -> LocalFolder | Storage:
    """The place that a user has named: what has a scheme is a URL, all else a folder of this machine."""
    text = os.fspath(given)
    scheme, mark, _ = text.partition("://")
    return Storage(text) if mark and scheme.isalnum() else LocalFolder(Path(text))


@contextmanager
def opened(place: Place, name: str, metadata: pq.FileMetaData | None = None) -> Iterator[pq.ParquetFile]:
    """A Parquet file there, whose pages are held against their checksums.

    Raises InputError where it is not there or none any more, also for what is read of it in the block.
    """
    try:
        with place.open(name) as source:
            yield pq.ParquetFile(source, metadata=metadata, page_checksum_verification=True)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise unreadable(place, name, error) from error


def unreadable(place: Place, name: str, error: Exception) -> InputError:
    """What is told of a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{place.name}/{name} is missing, and the manifest names it: take it from a copy.")
    return InputError(
        f"{place.name}/{name} was changed, or cannot be read: {gist(error)}. replayhouse log verify says what holds; "
        "take the file from a copy."
    )


def gist(error: Exception) -> str:
    """The first line of what an error of others says, without a full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
