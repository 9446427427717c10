"""What was recorded is done, whatever becomes of the read models and of the space behind it: the exit code is 0."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import Conflicting
from tests.oracle.lines import a_payment, an_id
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse

HELD_UP = "Another rebuild is at work."
IN_THE_LOG = "SELECT count(*) FROM event_store.log WHERE topic LIKE %s"


def test_who_records_beside_a_rebuild_is_told_that_it_is_recorded(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    lines = changed(a_good_extract(), order_payments=adding(a_payment(1, 2, "much")))
    later = changed(lines, order_payments=adding(a_payment(3, 2, "5.00")))

    def recorded(topic: str) -> int:
        [(number,)] = warehouse.rows(IN_THE_LOG, topic)
        return int(number)

    def held_up(*_: Any, **__: Any) -> None:
        raise Conflicting(HELD_UP)

    warehouse.ingest(write(tmp_path / "first", lines))
    [row] = [row["row"] for row in warehouse.json("quality", "quarantine")]
    for topic, words in {
        "quality.BatchCompleted.%": ("ingest", str(write(tmp_path / "second", later))),
        "quality.RowDiscarded.%": ("quality", "discard", row, "--reason", "no"),
        "customer.CustomerAnonymized.%": ("customer", "erase", an_id(903), "--reason", "asked", "--yes"),
        "quality.BatchRetracted.%": ("retract", "LAST", "--reason", "wrong"),
    }.items():
        last = warehouse.json("batches")[-1]["batch"]
        before = recorded(topic)
        with monkeypatch.context() as patch:
            patch.setattr("replayhouse.infra.application.project.catch_up", held_up)
            done = warehouse.run(*(last if word == "LAST" else word for word in words), "--json")
        assert done.code == 0, done
        assert recorded(topic) > before, topic
        assert HELD_UP in done.err
        assert "What was recorded stands" in done.err
        assert "error" not in done.document
        warehouse.json("project")


def test_an_erasure_whose_space_is_not_freed_yet_is_done(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.ingest(write(tmp_path / "extract", a_good_extract()))

    def held(*_: Any) -> None:
        raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")

    monkeypatch.setattr("replayhouse.infra.application.erase.vacuum", held)
    done = warehouse.run("customer", "erase", an_id(903), "--reason", "asked", "--yes", "--json")
    assert done.code == 0, done
    assert done.document["status"] == "erased"
    assert "frees its space later" in done.err
