"""Lists of objects within the cells of a column, such as the items of orders in JSON: each looked at as a file."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from replayhouse.infra.sources.guess_cells import MOST
from replayhouse.infra.sources.guess_records import Cells, guess_column
from replayhouse.infra.sources.queries import literal, quoted
from replayhouse.infra.sources.typed_cells import cell_of

ORDER = "order id"
"""What the key of the order is called among the columns of a list that stands in the order's row."""


class Listed(NamedTuple):
    """The objects of a column's lists: the file and the column that hold them, the order's key there, their cells."""

    file: str
    column: str
    order: str | None
    cells: Cells

    @property
    def key(self) -> str:
        """What it is called among the files."""
        return f"{self.file}.{self.column}"

    def reference(self, name: str) -> str:
        """How SQL names one of its columns, where `l` is the row and `entry` an object."""
        if name == ORDER and self.order is not None:
            return f"l.{quoted(self.order)}"
        return f"(entry.value->>{literal(name)})"


def lists_in(file: str, cells: Cells) -> list[Listed]:
    """The columns of a file that hold lists of objects in JSON, as most of their cells are."""
    found: list[Listed] = []
    for column, written in cells.items():
        lists = [entries for cell in written if (entries := _objects(cell))]
        if lists and len(lists) >= MOST * len(written):
            order = guess_column("orders", "order_id", cells) or guess_column("order_items", "order_id", cells)
            inner = _by_name(entry for entries in lists for entry in entries)
            keys = {ORDER: list(cells[order])} if order is not None else {}
            found.append(Listed(file, column, order, {**keys, **inner}))
    return found


def _objects(cell: str) -> list[dict[str, Any]]:
    """The objects of a list in JSON; none where it is something else."""
    if not cell.startswith("["):
        return []
    try:
        told = json.loads(cell)
    except (ValueError, RecursionError):
        return []
    return told if isinstance(told, list) and all(isinstance(one, dict) for one in told) else []


def _by_name(entries: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The filled cells by key; keys that `->>` would take for a path are left out."""
    cells: dict[str, list[str]] = {}
    for entry in entries:
        for name, value in entry.items():
            if not name.startswith(("$", "/")) and "\0" not in name:
                cell = cell_of(value, 0)
                cells.setdefault(name, []).extend([] if cell is None else [cell])
    return cells
