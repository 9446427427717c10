"""Whatever is loaded, taken back, let in, erased and rebuilt, in whatever order: made as of any position from live rows
as far as they go, the warehouse is what the log makes, to the row and its position.

With REPLAYHOUSE_MOMENT_STEPS=N sequences are longer than in the suite; REPLAYHOUSE_CRASH_SEED repeats one.
"""

import os
import random
from pathlib import Path

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.snapshots import standing
from tests.oracle.lines import a_customer, an_item, an_order
from tests.support.crashes import a_seed
from tests.support.extracts import Lines, a_good_extract, a_review, write
from tests.support.in_process import Warehouse
from tests.support.moments import ALL, as_of, lending

STEPS = int(os.environ.get("REPLAYHOUSE_MOMENT_STEPS", "5"))
PEOPLE = range(1, 9)
DAYS = range(4)
KNOWN = "SELECT customer_id FROM customer.dim_customer WHERE NOT is_anonymized AND position > 0 ORDER BY 1"
READABLE = """
    SELECT row_id, text FROM quality.quarantine
    WHERE file = 'order_items' AND status = 'quarantined' AND text IS NOT NULL ORDER BY 1
"""
REASON = ("--reason", "because")


def an_extract(day: int) -> Lines:
    """Each day some have moved and ordered once more, and two records cannot be read: one item, one address."""
    lines: Lines = {
        **{file: [] for file in a_good_extract()},
        **{file: a_good_extract()[file] for file in ("products", "sellers", "categories", "geolocation")},
    }
    for person in PEOPLE:
        for past in range(day + 1):
            if (person + past) % 3:
                number = 10 * person + past
                placed = f"2017-0{past + 3}-01 10:00:00"
                lines["customers"].append(a_customer(100 + number, 900 + person, f"{person}300{past}", f"vila {past}"))
                lines["orders"].append(an_order(number, "shipped", placed=placed, approved=placed))
                lines["order_items"].append(an_item(number, 1, f"{10 + day}.00", "1.00"))
                lines["order_reviews"].append(a_review(800 + number, number, 1 + past, comment=f"dia {day}"))
    lines["order_items"].append(an_item(10 + (1 if day else 0), 9, f"3.{day}05", "1.00"))
    lines["customers"].append(a_customer(500 + day, 901, "?", "rua da ana"))
    return lines


class Course:
    """One sequence of steps on a warehouse."""

    def __init__(self, warehouse: Warehouse, folder: Path, seed: int) -> None:
        self._warehouse = warehouse
        self._choice = random.Random(seed)
        self._extracts = [write(folder / f"day {day}", an_extract(day)) for day in DAYS]

    def run(self, steps: int) -> None:
        choices = [self._ingest, self._retract, self._erase, self._release, self._rebuild]
        some = self._choice.sample(choices, len(choices)) + self._choice.choices(choices, k=steps)
        for step in [self._ingest, *some[:steps], self._ingest]:
            print(step.__name__)
            step()

    def positions(self, number: int) -> list[int]:
        """Some by chance, and the newest."""
        head = self._warehouse.json("status")["position"]
        return [*(self._choice.randint(0, head) for _ in range(number)), head]

    def _ingest(self) -> None:
        self._warehouse.json("ingest", self._choice.choice(self._extracts))

    def _retract(self) -> None:
        loads = [load["batch"] for load in self._warehouse.json("batches") if load["status"] == "completed"]
        if len(loads) > 1:
            done = self._warehouse.run("retract", loads[-1], *REASON)
            assert done.code == 0 or "decision" in done.err, done  # of a row let in, which stands on the load

    def _erase(self) -> None:
        people = self._warehouse.rows(KNOWN)
        if people:
            [person] = self._choice.choice(people)
            self._warehouse.json("customer", "erase", str(person), "--yes", *REASON)

    def _release(self) -> None:
        apart = self._warehouse.rows(READABLE)
        if apart:
            row, text = self._choice.choice(apart)
            self._warehouse.json("quality", "release", str(row), "--text", text.replace("05,", "0,"), *REASON)

    def _rebuild(self) -> None:
        self._warehouse.json("rebuild")


def test_as_of_any_position_the_warehouse_is_what_the_log_makes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MOST_TOUCHED", 1.1)
    seed = a_seed()
    print(f"REPLAYHOUSE_CRASH_SEED={seed}")
    course = Course(Warehouse(database, tmp_path / "home"), tmp_path, seed)
    course.run(STEPS)
    *some, head = course.positions(3)
    assert lending(database, head) == set(ALL)
    for position in (*some, head):
        print(position, sorted(lending(database, position)))
        assert as_of(database, position) == as_of(database, position, afresh=True)
