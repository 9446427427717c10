"""What docs/security.md says of roles, as its tables say it."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs/security.md"
FIRST_COLUMN = "relations"


class Line(NamedTuple):
    """A row of the matrix: patterns of relations, and what each role sees of them; empty for nothing."""

    patterns: list[str]
    seen: dict[str, str]

    def tells_of(self, relation: str) -> bool:
        return any(fnmatchcase(relation, pattern) for pattern in self.patterns)


def matrix() -> list[Line]:
    """The table of the page; of a relation the first line counts that tells of it."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head = next(place for place, cells in enumerate(rows) if cells[0] == FIRST_COLUMN)
    roles = [f"replayhouse_{name}" for name in rows[head][1:]]
    lines = []
    for cells in rows[head + 2 :]:
        if len(cells) != len(roles) + 1:
            break
        lines.append(Line(re.findall(r"`([^`]+)`", cells[0]), dict(zip(roles, cells[1:], strict=True))))
    return lines


def as_told(first_column: str) -> dict[str, list[str]]:
    """The table of the page whose first column is called so: by its cell there, the other cells of each line."""
    table = PAGE.read_text(encoding="utf-8").partition(f"| {first_column} ")[2].partition("\n\n")[0].splitlines()[2:]
    return {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in table)}
