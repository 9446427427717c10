"""A rebuild and a first load on columns, killed at any moment: started again, they come to the same end.

A moment is a step of the command, not a time, so a seed repeats it, and none is missed on a busy machine. With
REPLAYHOUSE_KILLS=20 there are as many kills of each.
"""

import os
import random
import re
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import a_customer, a_payment, an_item, an_order
from tests.support.cli import Done, Program
from tests.support.crashes import a_seed, is_plain
from tests.support.databases import COPY, running_server
from tests.support.extracts import a_good_extract, a_review, write
from tests.support.homes import wait_until
from tests.support.in_process import Warehouse
from tests.support.killed_at import FORKED_AND_KILLED, KILLED_AT, STEPS, VICTIM, VICTIMS, steps_for
from tests.support.recorded_loads import recorded

KILLS = int(os.environ.get("REPLAYHOUSE_KILLS", "4"))
LEAST_LEFT = 0.2
ORDERS = range(1, 61)
REVISIONS = """
    SELECT count(*) FROM pg_namespace AS found WHERE nspname ~ '_r[0-9]+$' AND NOT EXISTS (
        SELECT FROM read_model.revision
        WHERE format('%%s_r%%s', context, revision) = nspname AND live_at IS NOT NULL AND dropped_at IS NULL
    )
"""
"""Schemas of revisions that nobody will ask for."""


class Place(NamedTuple):
    """A server to be harmed, a folder, and an extract of persons who are alike, and of a few others."""

    server: EmbeddedServer
    folder: Path
    extract: Path
    numbers: Iterator[int]

    def database(self, template: str = "replayhouse") -> Database:
        """A new database, copied from one that nobody is connected to; it goes with the server."""
        name = f"killed_{next(self.numbers)}"
        with psycopg.connect(self.administered, autocommit=True) as conn:
            conn.execute(COPY.format(sql.Identifier(name), sql.Identifier(template)))
        return Database(self.server.url().replace("/replayhouse?", f"/{name}?"))

    @property
    def administered(self) -> str:
        return self.server.url().replace("/replayhouse?", "/postgres?")

    def recovers(self) -> None:
        """Waits until the server, of which a process was killed, takes connections again."""

        def is_there() -> bool:
            return psycopg.pq.PGconn.ping(self.administered.encode()) == psycopg.pq.Ping.OK

        wait_until(is_there)


@pytest.fixture(scope="module")
def place(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("killed")
    lines = {
        "customers": [a_customer(100 + number, 900 + number) for number in ORDERS],
        "orders": [an_order(number, delivered="2017-03-09 10:00:00") for number in ORDERS],
        "order_items": [an_item(number) for number in ORDERS],
        "order_payments": [a_payment(number, 1, "10.00") for number in ORDERS],
        "order_reviews": [a_review(800 + number, number, comment=f"bom {number}") for number in ORDERS],
    }
    extract = write(folder / "extract", a_good_extract() | lines)
    with running_server(prepared) as server:
        yield Place(server, folder, extract, count())


class Killing:
    """A command on a database of its own, killed at steps that a seed chooses."""

    def __init__(self, place: Place, arguments: tuple[str, ...], chance: random.Random) -> None:
        self._place, self._arguments, self._chance = place, arguments, chance
        self._steps = b""

    def undisturbed(self, template: str, on_columns: str) -> Warehouse:
        """Runs the command to its end, which all others are to come to, by two processes, nearly all on columns."""
        database = self._place.database(template)
        done, self._steps = self._run(database, "itself", 0, "--debug")
        assert done.code == 0, done.err
        streams = re.search(f"^On columns: {on_columns} ([0-9]+) in ", done.err, re.M)
        assert streams is not None, done.err
        assert int(streams[1]) > len(ORDERS) // 2, done.err
        return Warehouse(database, self._place.folder)

    def kill(self, database: Database, number: int, left: float = 1.0) -> float:
        """Kills it for the n-th time, in what is `left` of it, a share of its steps; after which share that was.

        0 where it was done before that.
        """
        victim = VICTIMS[number % len(VICTIMS)]
        steps = steps_for(victim, self._steps)
        at = self._chance.randint(1, max(1, int(left * steps)))
        done, _ = self._run(database, victim, at)
        print(f"  {number}. {victim} at step {at} of {steps}: exit code {done.code}")
        if done.code == 0:
            return 0.0
        if victim in ("parent", "itself"):
            assert done.code == -signal.SIGKILL or is_plain(done), done.err
        else:
            assert is_plain(done), done.err
        self._place.recovers()
        return at / steps

    def finish(self, database: Database) -> Warehouse:
        """Runs it to its end."""
        done, _ = self._run(database, "itself", 0)
        assert done.code == 0, done.err
        return Warehouse(database, self._place.folder)

    def _run(self, database: Database, victim: str, at: int, *more: str) -> tuple[Done, bytes]:
        steps = self._place.folder / "steps"
        for left in (steps, steps.with_suffix(".killed")):
            left.unlink(missing_ok=True)
        program = Program(
            self._place.folder / "home",
            FORKED_AND_KILLED,
            **{VICTIM: victim, KILLED_AT: str(at), STEPS: str(steps)},
            REPLAYHOUSE_DATABASE_URL=database.url,
            REPLAYHOUSE_WORKERS="2",
        )
        return program.run(*self._arguments, *more), steps.read_bytes()


def a_chance(what: str) -> random.Random:
    seed = a_seed()
    print(f"{what}. To repeat, set REPLAYHOUSE_CRASH_SEED={seed}")
    return random.Random(f"{seed}: {what}")


def test_a_first_load_that_is_killed_leaves_the_log_of_one_that_is_not(place: Place) -> None:
    loading = Killing(place, ("ingest", str(place.extract), "--no-project"), a_chance("first load"))
    expected = log_of(loading.undisturbed("replayhouse", "persons"))
    killed = 0
    while killed < KILLS:
        database, left = place.database(), 1.0
        while killed < KILLS and left > LEAST_LEFT and (done := loading.kill(database, killed, left)):
            killed, left = killed + 1, left - done
        assert log_of(loading.finish(database)) == expected


def test_a_rebuild_that_is_killed_leaves_the_tables_of_one_that_is_not(place: Place) -> None:
    before = place.database()
    loaded = Killing(place, ("ingest", str(place.extract)), a_chance("load")).finish(before)
    expected = loaded.digests()
    rebuilding = Killing(place, ("rebuild",), a_chance("rebuild"))
    template = before.url.partition("?")[0].rpartition("/")[2]
    rebuilding.undisturbed(template, "sales")
    database, killed = place.database(template), 0
    while killed < KILLS:
        killed += rebuilding.kill(database, killed) > 0
    assert Warehouse(database, place.folder).digests() == expected
    rebuilt = rebuilding.finish(database)
    assert rebuilt.digests() == expected
    assert rebuilt.rows(REVISIONS) == [(0,)]


def log_of(warehouse: Warehouse) -> list[object]:
    """Event by event, in clear: what each stream has, whichever process was quicker; and that the chain holds."""
    assert warehouse.json("audit", "verify")["valid"]
    return sorted((event[1:5] + event[6:] for event in recorded(warehouse)), key=repr)  # type: ignore[index]
