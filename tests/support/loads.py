"""A warehouse that is fed small extracts one after another, and watched."""

from pathlib import Path
from typing import Any

from tests.oracle.expected import DEPENDS_ON_EARLIER_LOADS, expected
from tests.support.extracts import Lines, write
from tests.support.in_process import READ_MODELS, Warehouse

NO_EVENTS = dict.fromkeys(READ_MODELS, 0)


class Loads:
    """A warehouse that is fed small extracts, and watched."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self._number = 0

    def load(self, lines: Lines) -> Any:
        """Loads an extract with these files; the document that tells of it."""
        self._number += 1
        return self.warehouse.ingest(write(self.folder / str(self._number), lines))

    def begin(self, lines: Lines) -> Any:
        """The same, as the first that is done: see `Warehouse.begin`."""
        self._number += 1
        return self.warehouse.begin(write(self.folder / str(self._number), lines))

    def load_whole(self, lines: Lines) -> Any:
        """The same; the read models must be those of this extract alone but for what depends on earlier loads."""
        told = self.load(lines)
        oracle = expected(self.folder / str(self._number))
        assert self.warehouse.differs_from(oracle, *DEPENDS_ON_EARLIER_LOADS) == ""
        return told

    def check(self) -> None:
        """Fails where the live read models are not those that a rebuild makes."""
        live = self.warehouse.digests((*READ_MODELS, "quality"))
        assert self.warehouse.rebuilt_digests() == live

    def shown(self, query: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(query)

    def kept_apart(self) -> list[tuple[Any, ...]]:
        return self.shown("SELECT file, line, rule, status FROM quality.quarantine ORDER BY file, line")


def events_of(told: Any) -> dict[str, int]:
    """How many events a load brought, without those about the load itself."""
    return {context: told["events"][context] for context in READ_MODELS}


def of_file(told: Any, file: str) -> tuple[int, int, int, int]:
    """How many records of a file were new, changed, unchanged and quarantined."""
    counts = told["files"][file]
    return counts["new"], counts["changed"], counts["unchanged"], counts["quarantined"]
