"""Whatever is loaded, taken back, rebuilt, restored and erased, in whatever order: nothing that an erased person told
is found again, and all that the others told is.

Each person tells words that nobody else does. With REPLAYHOUSE_ERASURE_STEPS=N sequences are longer than in the suite;
REPLAYHOUSE_CRASH_SEED repeats one.
"""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import a_customer, an_id, an_item, an_order
from tests.support.crashes import a_seed
from tests.support.databases import a_database, copied
from tests.support.extracts import Lines, a_good_extract, a_review, write
from tests.support.in_process import Warehouse

STEPS = int(os.environ.get("REPLAYHOUSE_ERASURE_STEPS", "6"))
PEOPLE = range(1, 7)
DAYS = range(3)
REASON = ("--reason", "because")
BY_HAND = """
    CREATE MATERIALIZED VIEW mart.said AS SELECT to_jsonb(r) AS said FROM customer.fact_review AS r;
    CREATE MATERIALIZED VIEW mart.lives AS SELECT upper(city) AS city FROM customer.dim_customer
"""
TABLES = """
    SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_toast|^information_schema$' AND c.oid::regclass::text NOT IN
        ('pg_authid', 'pg_largeobject', 'pg_user_mapping', 'pg_subscription')
"""
LIVING = "SELECT city FROM customer.dim_customer WHERE NOT is_anonymized AND customer_id <> %s ORDER BY 1"


def city_of(person: int, day: int) -> str:
    """Nobody else has lived there, nor they on another day."""
    return f"vila {'abcdefg'[person]}{'xyz'[day]}vila"


def words_of(person: int) -> set[str]:
    """What a person tells in all extracts, each as it may be found somewhere."""
    cities = {city_of(person, day) for day in DAYS}
    return {*cities, *map(str.upper, cities), f"palavra{person}p", f"titulo{person}t", f"rua{person}r"}


def an_extract(day: int) -> Lines:
    """On each day everybody has moved and ordered once more; some of what they send cannot be read."""
    lines: Lines = {
        **{file: [] for file in a_good_extract()},
        **{file: a_good_extract()[file] for file in ("products", "sellers", "categories")},
    }
    for person in PEOPLE:
        for past in range(day + 1):
            number = 10 * person + past
            placed = f"2017-0{past + 3}-01 10:00:00"
            lines["customers"].append(
                a_customer(100 + number, 900 + person, f"{person}300{past}", city_of(person, past))
            )
            lines["orders"].append(an_order(number, "shipped", placed=placed, approved=placed))
            lines["order_items"].append(an_item(number, 1, "10.00", "1.00"))
        title, comment = f"titulo{person}t", f"palavra{person}p"
        lines["order_reviews"].append(a_review(800 + number, number, 5, title=title, comment=comment))
        lines["customers"].append(a_customer(500 + person, 900 + person, "?", f"rua{person}r"))
    return lines


class Course:
    """One sequence of steps on a warehouse, which a restore replaces by another one."""

    def __init__(self, server: EmbeddedServer, stack: ExitStack, folder: Path, seed: int) -> None:
        self._server = server
        self._stack = stack
        self._folder = folder
        self._choice = random.Random(seed)
        self._extracts = [write(folder / f"day {day}", an_extract(day)) for day in DAYS]
        self._warehouse = Warehouse(stack.enter_context(copied(server)), folder / "home")
        self._erased: set[int] = set()
        self._backups = 0
        self._ingest()
        with self._warehouse.database.connect(autocommit=True) as conn:
            conn.execute(BY_HAND.encode())

    def run(self, steps: int) -> None:
        choices = [self._ingest, self._retract, self._erase, self._rebuild, self._look_back, self._restore]
        some = self._choice.sample(choices, len(choices)) + self._choice.choices(choices, k=steps)
        for step in [self._erase, *some[:steps], self._erase]:
            print(step.__name__)
            step()
            self._check()
        live = self._warehouse.digests(("sales", "fulfillment", "customer", "quality"))
        rebuilt = self._warehouse.rebuilt_digests()
        assert {context: rebuilt[context] for context in live} == live
        assert self._warehouse.json("audit", "verify")["valid"]

    def _ingest(self) -> None:
        self._warehouse.json("ingest", self._choice.choice(self._extracts))

    def _retract(self) -> None:
        loads = [load["batch"] for load in self._warehouse.json("batches") if load["status"] == "completed"]
        if len(loads) > 1:
            self._warehouse.json("retract", loads[-1], *REASON)

    def _erase(self) -> None:
        if left := [person for person in PEOPLE if person not in self._erased]:
            person = self._choice.choice(left)
            told = self._warehouse.json("customer", "erase", an_id(900 + person), "--yes", *REASON)
            assert told["stale_views"] == []
            self._erased.add(person)

    def _rebuild(self) -> None:
        self._warehouse.json("rebuild")

    def _look_back(self) -> None:
        head = self._warehouse.json("status")["position"]
        self._warehouse.json("rebuild", "--to-position", str(self._choice.randint(0, head)), "--into", "then")

    def _restore(self) -> None:
        """From a backup that was made before the newest erasure."""
        self._backups += 1
        backup = self._folder / f"backup {self._backups}"
        self._warehouse.json("db", "backup", backup)
        self._erase()
        elsewhere = Warehouse(self._stack.enter_context(a_database(self._server)), self._folder / "home")
        elsewhere.json("db", "restore", backup)
        self._warehouse = elsewhere

    def _check(self) -> None:
        with self._warehouse.database.connect(autocommit=True) as conn:
            conn.execute("ANALYZE")
            tables = [table for (table,) in conn.execute(TABLES.encode())]
            rows = [
                str(row) for table in tables for (row,) in conn.execute(f"SELECT t::text FROM {table} AS t".encode())
            ]
            text = "\n".join(rows)
            assert {word for person in self._erased for word in words_of(person) if word in text} == set()
            shown = {city for (city,) in conn.execute(LIVING, [UUID(int=0)])}
            left = [person for person in PEOPLE if person not in self._erased]
            assert len(shown) == len(left)
            assert shown <= {city_of(person, day) for person in left for day in DAYS}
            assert all(f"palavra{person}p" in text for person in left)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as databases:
        yield databases


def test_nothing_of_the_erased_comes_back_and_nothing_of_the_others_goes(
    server: EmbeddedServer, stack: ExitStack, tmp_path: Path
) -> None:
    seed = a_seed()
    print(f"REPLAYHOUSE_CRASH_SEED={seed}")
    Course(server, stack, tmp_path, seed).run(STEPS)
