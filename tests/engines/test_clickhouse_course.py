"""Whatever is loaded, taken back, decided and erased, and wherever catching up dies: ClickHouse shows what is live.

With REPLAYHOUSE_CLICKHOUSE_STEPS=N sequences are longer than in the suite; REPLAYHOUSE_CRASH_SEED repeats one.
"""

import os
import random
from pathlib import Path
from unittest.mock import patch

from replayhouse.infra.clickhouse import projector
from replayhouse.infra.postgres.connection import Database
from tests.support.clickhouse import Died, Kept, dying_before, keeping
from tests.support.crashes import a_seed
from tests.support.extracts import write
from tests.support.messy_extracts import messy_extract

STEPS = int(os.environ.get("REPLAYHOUSE_CLICKHOUSE_STEPS", "6"))
PERSONS = "SELECT customer_id::text FROM customer.dim_customer WHERE NOT is_anonymized AND position > 0 ORDER BY 1"
QUARANTINED = "SELECT row_id::text FROM quality.quarantine WHERE status = 'quarantined' ORDER BY 1"
WHY = ("--reason", "a test")
MOST_STATEMENTS = 40
MOST_DEATHS = 3
WINDOWS = (5, 40, 20_000)
"""So many events may be one window; streams, and what belongs together, are in several of the small ones."""

ENDS_WELL = 0.4
"""So often ClickHouse comes to be up with the log before the next step."""


class Course:
    """A sequence of steps on one warehouse."""

    def __init__(self, kept: Kept, folder: Path, seed: int) -> None:
        self._kept = kept
        self._chance = random.Random(seed)
        self._extracts = [
            write(folder / f"extract {number}", messy_extract(seed + number % 2, orders, 2 + number))
            for number, orders in enumerate((12, 15, 25))
        ]
        self.deaths = 0

    def run(self, steps: int) -> None:
        choices = [self._ingest, self._retract, self._erase, self._discard, self._rebuild]
        some = [self._ingest, *self._chance.sample(choices, len(choices)), *self._chance.choices(choices, k=steps)]
        for step in some[:steps]:
            print(step.__name__)
            step()
            for _ in range(self._chance.randint(0, MOST_DEATHS)):
                self._dying("project")
            if self._chance.random() < ENDS_WELL:
                self._compare()
        self._compare()

    def _ingest(self) -> None:
        self._kept.run("ingest", self._chance.choice(self._extracts))  # some are rejected

    def _retract(self) -> None:
        loads = [load["batch"] for load in self._kept.json("batches") if load["status"] == "completed"]
        if loads:
            self._kept.run("retract", self._chance.choice(loads), "--cascade", *WHY)  # not what somebody decided on

    def _erase(self) -> None:
        if persons := self._kept.warehouse.rows(PERSONS):
            self._kept.json("customer", "erase", self._chance.choice(persons)[0], "--yes", *WHY)

    def _discard(self) -> None:
        if rows := self._kept.warehouse.rows(QUARANTINED):
            self._kept.json("quality", "discard", self._chance.choice(rows)[0], *WHY)

    def _rebuild(self) -> None:
        self._dying("rebuild")

    def _compare(self) -> None:
        self._kept.project()
        assert self._kept.digests() == self._kept.live_digests()
        assert "stale_copies" not in self._kept.json("status")

    def _dying(self, command: str) -> None:
        """Does it, and dies before some statement, unless it is done by then."""
        events = self._chance.choice(WINDOWS)
        with dying_before(self._chance.randrange(MOST_STATEMENTS)), patch.object(projector, "EVENTS_A_WINDOW", events):
            try:
                self._kept.json(command, "--to", "clickhouse")
            except Died:
                self.deaths += 1


def test_clickhouse_shows_what_is_live_whatever_happens_and_wherever_it_dies(
    database: Database, tmp_path: Path
) -> None:
    seed = a_seed()
    print(f"REPLAYHOUSE_CRASH_SEED={seed}")
    with keeping(database, tmp_path) as kept:
        Course(kept, tmp_path, seed).run(STEPS)
