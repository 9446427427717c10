"""A consumer that is killed at any moment, and started again: each event has had its effect once."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import applied
from tests.support.consuming import Log, Publisher
from tests.support.crashes import SEED, a_seed

ROOT = Path(__file__).parents[2]
EVENTS = 1_000
KILLS = {"file": 3, "postgres": 2}
LONGEST_S = 120.0

Rows = Callable[[str], list[Any]]


@pytest.fixture(params=["file", "postgres"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Rows]:
    """Where the inbox is, and how to look into it."""
    if request.param == "file":
        path = tmp_path / "inbox.db"

        def of_file(query: str) -> list[Any]:
            with closing(sqlite3.connect(path)) as db:
                return db.execute(query).fetchall()

        return str(path), of_file
    database: Database = request.getfixturevalue("database")

    def of_postgres(query: str) -> list[Any]:
        with psycopg.connect(database.url, autocommit=True) as db:
            return db.execute(query.encode()).fetchall()

    return database.url, of_postgres


def start(kafka: KafkaSettings, inbox: str, *dies_at: int) -> "subprocess.Popen[str]":
    program = [sys.executable, "-m", "tests.support.consumer_process", kafka.bootstrap or "", kafka.prefix, inbox]
    return subprocess.Popen([*program, *map(str, dies_at)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_killed_again_and_again_between_handling_and_commit_or_anywhere(
    kafka: KafkaSettings, inbox: tuple[str, Rows], request: pytest.FixtureRequest
) -> None:
    kills = KILLS[request.node.callspec.params["inbox"]]
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    where, rows = inbox
    applied(kafka, "sales")
    log, publisher = Log(), Publisher(kafka)
    for _ in range(10):
        publisher.publish([log.paid(chance.randrange(100), "1.00") for _ in range(EVENTS // 10)])

    for _ in range(kills):
        with start(kafka, where, chance.randint(1, EVENTS // (kills + 2))) as victim:
            assert victim.wait(LONGEST_S) == -signal.SIGKILL
    with start(kafka, where, EVENTS * 2) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "works\n"
        time.sleep(chance.uniform(0, 0.3))
        victim.kill()
    with start(kafka, where) as last:
        assert last.wait(LONGEST_S) == 0

    assert rows("SELECT n FROM counter") == [(EVENTS,)]
    assert sorted(event for (event,) in rows("SELECT event FROM seen")) == sorted(
        f"{event.stream}.{event.version}" for event in log.events
    )


def test_sigterm_ends_it_cleanly(kafka: KafkaSettings, tmp_path: Path) -> None:
    applied(kafka, "sales")
    log = Log()
    Publisher(kafka).publish([log.paid(1, "1.00")])
    with start(kafka, str(tmp_path / "inbox.db"), EVENTS) as consumer:
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == "works\n"
        os.kill(consumer.pid, signal.SIGTERM)
        assert consumer.wait(LONGEST_S) == 0
