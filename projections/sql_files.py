"""SQL files with a head: what a file says of itself, and its statements by name.

The first lines are comments that hold TOML. Statements follow, each under a line `-- name:` of its own, up to the next.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

_NAME = re.compile(r"-- (\w+):")


class Statement(NamedTuple):
    """One statement: its text, and the line of the file on which that begins, the first being 1."""

    text: str
    line: int


class SqlFile(NamedTuple):
    """A file as it was read: `head` as TOML gives it, its statements by name, and the whole text."""

    path: Path
    head: Mapping[str, Any]
    statements: Mapping[str, Statement]
    text: str


def read_sql_file(path: Path) -> SqlFile:
    """Reads a file. Raises ValueError, with file and line, where it has no head, or a name twice."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    head: list[str] = []
    while len(head) < len(lines) and lines[len(head)].startswith("--") and not _NAME.fullmatch(lines[len(head)]):
        head.append(lines[len(head)][2:].removeprefix(" "))
    try:
        told = tomllib.loads("\n".join(head), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} has no head in TOML: {error}.") from error
    return SqlFile(path, told, _statements(path, lines, len(head)), text)


def _statements(path: Path, lines: list[str], begin: int) -> dict[str, Statement]:
    starts = [(at, named[1]) for at in range(begin, len(lines)) if (named := _NAME.fullmatch(lines[at]))]
    found: dict[str, Statement] = {}
    for (at, name), end in zip(starts, [*(at for at, _ in starts[1:]), len(lines)], strict=True):
        if name in found:
            raise ValueError(f"{path.name}, line {at + 1}: a second statement '{name}'.")
        found[name] = Statement("\n".join(lines[at + 1 : end]).rstrip().removesuffix(";"), at + 2)
    return found
