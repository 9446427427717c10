"""What things are called in Dagster, and what there is in a warehouse: its tables and rules, of this version.

`warehouse.json` is made from the program's declarations by `make contracts` there, so that definitions load without a
program and without a database.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from dagster import AssetKey


class Rule(NamedTuple):
    """A rule of quality."""

    name: str
    sentence: str
    dimension: str
    severity: str

    @property
    def is_critical(self) -> bool:
        """Whether an extract that breaks it is rejected."""
        return self.severity == "CRITICAL"


class Described(NamedTuple):
    """What a warehouse has."""

    tables: Mapping[str, Mapping[str, str]]
    """By context, the tables that are folded, with what a row of each is."""
    rules: Sequence[Rule]


@cache
def described() -> Described:
    """The tables and rules of the program's version that this adapter was released with."""
    found = json.loads((files(__package__) / "warehouse.json").read_text(encoding="utf-8"))
    return Described(found["tables"], [Rule(**rule) for rule in found["rules"]])


@dataclass(frozen=True)
class Names:
    """The names of one warehouse. Several on one Dagster are told apart by theirs; a single one needs none."""

    warehouse: str | None = None

    @property
    def resource(self) -> str:
        """The key of its command line among the resources; its pool is called so, too."""
        return self.warehouse or "replayhouse"

    @property
    def log(self) -> AssetKey:
        """The asset of its log."""
        return self._key("log")

    def table(self, context: str, table: str) -> AssetKey:
        """The asset of a table of a read model."""
        return self._key(context, table)

    def of(self, thing: str) -> str:
        """The name of a job, a sensor, a schedule, an op or a set of partitions."""
        return f"{self.warehouse}_{thing}" if self.warehouse else thing

    def _key(self, *parts: str) -> AssetKey:
        return AssetKey([self.warehouse, *parts] if self.warehouse else list(parts))
