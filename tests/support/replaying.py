"""A log with rewound events and an erased person, sealed, for what replays it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cli import Loaded, Program, loaded_warehouse

A_REVIEWER = "SELECT customer_id::text FROM customer.fact_review WHERE comment IS NOT NULL ORDER BY 1 LIMIT 1"

LARGEST = """
    SELECT (first_position + last_position) / 2 FROM event_store.commit
    ORDER BY last_position - first_position DESC LIMIT 1
"""

Digests = dict[str, dict[str, Any]]
"""By context and table, rows and digest."""


@dataclass(frozen=True)
class Played:
    """A warehouse whose log is `sealed`; `positions` are those after each step, `keys` the file of a backup's."""

    loaded: Loaded
    folder: Path
    positions: list[int]

    @property
    def sealed(self) -> Path:
        """The sealed log."""
        return self.folder / "sealed"

    @property
    def keys(self) -> Path:
        """The file of keys, written after the erasure."""
        return self.folder / "log.backup.keys"

    @property
    def old_keys(self) -> Path:
        """One that was written before it."""
        return self.folder / "early.backup.keys"

    @property
    def middle(self) -> int:
        """A position in the middle of the largest commit."""
        found = self.loaded.value(LARGEST)
        assert isinstance(found, int)
        return found

    @property
    def program(self) -> Program:
        """The program on the warehouse."""
        return self.loaded.program

    def digests(self, *limits: str) -> Digests:
        """The digests of live tables, or as far as limits go, folded by PostgreSQL."""
        if not limits:
            return digests_of(self.program.json("digest"))
        return digests_of(self.program.json("rebuild", "--into", "expected", *limits))


@contextmanager
def played(prepared: Path, folder: Path, extract: Path | None = None) -> Iterator[Played]:
    """Loads, the first of this extract, one of them taken back, an erasure, and all of that sealed in two goes."""
    with loaded_warehouse(prepared, folder, extract) as loaded:
        program = loaded.program
        positions = [loaded.told["position"]]
        found = Played(loaded, folder, positions)
        for seed in ("8", "9"):
            program.succeed("generate", folder / seed, "--orders", "40", "--seed", seed)
            positions.append(program.json("ingest", folder / seed)["position"])
            if seed == "8":
                program.succeed("log", "seal", found.sealed)
                program.succeed("retract", "8", "--reason", "a trial")
                positions.append(program.json("status")["position"])
        program.succeed("db", "backup", folder / "early.backup")
        person = str(loaded.value(A_REVIEWER))
        program.succeed("customer", "erase", "--yes", person, "--reason", "asked for it")
        positions.append(program.json("status")["position"])
        program.succeed("db", "backup", folder / "log.backup")
        program.succeed("log", "seal", found.sealed)
        yield found


def digests_of(document: Any) -> Digests:
    """Rows and digests of a document, by context and table."""
    return {context: of_context["tables"] for context, of_context in document["contexts"].items()}


def files_of(folder: Path) -> set[str]:
    """The files below a folder."""
    return {os.fspath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def holds(folder: Path, text: str) -> bool:
    """Whether a text stands in a file of the folder as it is."""
    return subprocess.run(["grep", "-rqF", text, folder], check=False).returncode == 0
