"""On which line of a TOML file a key stands: the standard library's reader does not say.

A statement ends where what was read since its beginning is TOML by itself, so that no second grammar is needed.
"""

import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

Path = tuple[str, ...]
_MAY_END = ("]", "}", '"""', "'''")
"""One of these stands on the last line of every statement that has several."""


def lines_of_keys(text: str) -> dict[Path, int]:
    """The line of each table and key of a valid file, by its path; counted from 1."""
    lines: dict[Path, int] = {}
    table: Path = ()
    for number, statement in _statements(text):
        if statement.lstrip().startswith("["):
            table = next(_paths(tomllib.loads(statement)))
            paths = [table]
        else:
            paths = [(*table, *path) for path in _paths(tomllib.loads(statement))]
        for path in paths:
            for length in range(1, len(path) + 1):
                lines.setdefault(path[:length], number)
    return lines


def line_of(lines: dict[Path, int], path: Sequence[object]) -> int:
    """The line of a key; where it stands nowhere, that of the nearest table around it."""
    named = tuple(str(part) for part in path)
    return next((lines[named[:length]] for length in range(len(named), 0, -1) if named[:length] in lines), 1)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    begun, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first = first if begun else number
        is_first, begun = not begun, f"{begun}{line}\n"
        if (is_first or any(mark in line for mark in _MAY_END)) and _is_whole(begun):
            yield first, begun
            begun = ""


def _is_whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The innermost keys of a statement, those within inline tables, too; of the header of a table, the table."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        value = value[-1]
    if not isinstance(value, dict) or not value:
        yield path
        return
    for key, inner in value.items():
        yield from _paths(inner, (*path, key))
