"""A warehouse that an earlier version has made opens: it verifies, loads and rebuilds as if this one had made it."""

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.pg_tools import program, running
from replayhouse.ingest.synthetic import generate
from replayhouse.projections.questions import questions
from tests.support.databases import a_database, copied
from tests.support.in_process import READ_MODELS, Warehouse

KEPT = Path(__file__).parents[1] / "support" / "earlier" / "warehouse.sql.xz"
PERSON = "0b9a0c4b-b8cd-bbab-54ea-33bd002a47c3"
POSITION = 1107
CHAIN = "0ffd5de890a8f027ad1ea2531b30653f2522b45911680744502a85d486f94cf6"
BECAUSE = ("--reason", "to see")


@pytest.fixture
def earlier(server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    dump = tmp_path / "warehouse.sql"
    dump.write_bytes(lzma.decompress(KEPT.read_bytes()))
    with a_database(server) as database:
        arguments = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}"]
        with running(program("psql", 18), arguments, database.url) as psql:
            psql.finish()
        yield Warehouse(database, tmp_path / "home")


def test_its_log_holds_and_is_the_one_it_was(earlier: Warehouse) -> None:
    told = earlier.json("audit", "verify")
    assert (told["valid"], told["position"], told["chain"]) == (True, POSITION, CHAIN)
    assert [(load["name"], load["status"]) for load in earlier.json("batches")] == [
        ("early", "completed"),
        ("late", "retracted"),
        ("late-again", "completed"),
    ]


def test_it_answers_every_question(earlier: Warehouse) -> None:
    answered = earlier.json("ask", "all")
    assert [one["question"] for one in answered] == [one.number for one in questions()]
    assert len(answered[0]["rows"]) > 0


def test_it_loads_and_rebuilds_as_one_of_this_version_does(
    earlier: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    generate(tmp_path / "further", 30, 12)
    early, late = tmp_path / "early", tmp_path / "late"
    generate(late, 40, 11)
    with copied(server) as database:
        fresh = Warehouse(database, tmp_path / "fresh")
        _begin_as_earlier(fresh, early, late)
        for warehouse in (earlier, fresh):
            warehouse.ingest(tmp_path / "further")
        assert earlier.digests() == fresh.digests()
    live = earlier.digests((*READ_MODELS, "quality"))
    assert earlier.rebuilt_digests() == live
    assert earlier.json("audit", "verify")["valid"]


def _begin_as_earlier(warehouse: Warehouse, early: Path, late: Path) -> Any:
    """What was done to the earlier warehouse, by this version (see tests/support/earlier/README.md)."""
    warehouse.json("generate", early, "--orders", "40", "--seed", "11", "--until", "2018-03-31")
    warehouse.json("ingest", early, "--name", "early")
    taken = warehouse.json("ingest", late, "--name", "late")["batch"]
    warehouse.json("retract", taken, *BECAUSE)
    warehouse.json("ingest", late, "--name", "late-again")
    return warehouse.json("customer", "erase", PERSON, "--reason", "asked", "--yes")
