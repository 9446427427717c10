"""Lines of JSON, an object on each. A point in a column's name leads into an object; an array is its JSON."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from replayhouse.infra.sources.document import RawFile
from replayhouse.infra.sources.names import plain_name
from replayhouse.infra.sources.typed_cells import cell_of
from replayhouse.infra.staging.reader import BYTE_ORDER_MARK, LONGEST_RECORD, RefusedError

MOST_NAMES = 2_000
ROWS_FOR_NAMES = 2_000
Place = tuple[str, ...]


class JsonLines:
    """The rows of such a file. `names` grow as rows are read: what no row has, the file lacks."""

    def __init__(self, file: RawFile, path: Path) -> None:
        self._path = path
        self._places = {_place(name): name for name in file.columns}
        self._outer = {place[:length] for place in self._places for length in range(1, len(place) + 1)}
        self._found: dict[str, None] = {}

    @property
    def names(self) -> Sequence[str]:
        """Names of columns that were found so far, and of other keys."""
        return list(self._found)

    def all_names(self) -> Sequence[str]:
        """Names of the keys of the first rows, and of those of objects within them."""
        names: dict[str, None] = {}
        with self._path.open("rb") as stream:
            lines = iter(lambda: stream.readline(LONGEST_RECORD + 1), b"")
            for line, data in enumerate(islice(lines, ROWS_FOR_NAMES), 1):
                record = _object(data.removeprefix(BYTE_ORDER_MARK), line) if data.strip() else {}
                for name, value in record.items():
                    inner = value if isinstance(value, dict) else {}
                    names |= dict.fromkeys(f"{name}.{one}" for one in inner) if inner else {name: None}
        return list(names)[:MOST_NAMES]

    def rows(self) -> Iterator[tuple[int, list[str | None]]]:
        """Each row with its line; empty lines are none. Raises RefusedError where a line is no object."""
        line = 0
        with self._path.open("rb") as stream:
            while data := stream.readline(LONGEST_RECORD + 1):
                line += 1
                data = data.removeprefix(BYTE_ORDER_MARK) if line == 1 else data
                if data.strip():
                    yield line, self._cells(_object(data, line), line)
        if not line:
            raise RefusedError("files_complete", "the file is empty")

    def _cells(self, record: dict[str, Any], line: int) -> list[str | None]:
        plain = _plain(record)
        found = {place: list(_values(plain, place)) for place in self._places}
        self._note(name for name in record if _place(name) not in self._outer)
        self._note(self._places[place] for place, values in found.items() if values)
        return [cell_of(values[0], line) if values else None for values in found.values()]

    def _note(self, names: Iterator[str]) -> None:
        for name in names:
            if name in self._found or len(self._found) < MOST_NAMES:
                self._found[name] = None


def _place(name: str) -> Place:
    return tuple(plain_name(part) for part in name.split("."))


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {plain_name(name): value for name, value in record.items()}


def _values(plain: dict[str, Any], place: Place) -> Iterator[Any]:
    """What stands at a place: a whole name with points comes before one that leads into objects."""
    for length in range(len(place), 0, -1):
        if (name := ".".join(place[:length])) not in plain:
            continue
        value, within = plain[name], place[length:]
        if not within:
            yield value
        elif isinstance(value, dict):
            yield from _values(_plain(value), within)


def _object(data: bytes, line: int) -> dict[str, Any]:
    if len(data) > LONGEST_RECORD:
        raise RefusedError("files_complete", f"line {line} is longer than {LONGEST_RECORD:,} bytes", line)
    try:
        record = json.loads(data.decode(), object_pairs_hook=_without_doubles)
    except UnicodeDecodeError as error:
        raise RefusedError("files_in_utf8", f"line {line} has a byte that is not UTF-8", line) from error
    except (ValueError, RecursionError) as error:  # whose words would quote the line
        reason = f"line {line} is no JSON, is cut off, or has a key twice"
        raise RefusedError("files_complete", reason, line) from error
    if not isinstance(record, dict):
        raise RefusedError("files_complete", f"line {line} is no object of JSON", line)
    return record


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len({plain_name(name) for name in record}) < len(pairs):
        raise ValueError("a key stands twice")
    return record
