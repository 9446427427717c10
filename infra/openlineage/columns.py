"""From which fields of events, and so from which columns of extracts, each column of the star schema follows.

That is the contract in the file beside this module, to which `contracts/lineage/columns.json` leads.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

STREAM, POSITION_OF_STREAM = "stream_id", "position"
"""What a row has of its stream beside events: its id, and the position of the newest event."""

COPIED = "copied"
"""Said of a field whose value stands in the column; of any other that it is a `part` of what it is made of."""


def event_name(context: str, event: str) -> str:
    """An event of the log: that it happened."""
    return f"{context}.{event}"


def field_name(context: str, event: str, path: str) -> str:
    """A field of an event: `sales.OrderLineAdded.line.price`."""
    return f"{context}.{event}.{path}"


@cache
def _contract() -> Mapping[str, Any]:
    contract: Mapping[str, Any] = json.loads(Path(__file__).with_name("columns.json").read_text(encoding="utf-8"))
    return contract


def fields_behind(table: str) -> Mapping[str, Mapping[str, bool]]:
    """By column of a folded table, the fields and events of the log that it follows from; True where it is a copy."""
    return {
        column: {
            **{one: how == COPIED for one, how in told.get("fields", {}).items()},
            **dict.fromkeys(told.get("events", ()), False),
        }
        for column, told in _contract()["tables"][table].items()
    }


def cells_behind() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """By field of the log, the files and columns of an extract that its value comes from."""
    return {
        field: tuple((file, column) for file, _, column in (cell.partition(".") for cell in cells))
        for field, cells in _contract()["events"].items()
    }
