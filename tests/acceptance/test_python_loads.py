"""Loads from Python: each method does what its command does, and answers with what the command prints."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import replayhouse
from replayhouse.infra.application.release import Refused
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import an_id, an_item, line
from tests.support.databases import NO_DATABASE, copied
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse, as_printed

GOOD_ITEM = an_item(1, 3, "12.50", "1.00")
BAD_ITEM = GOOD_ITEM.replace("12.50", "12.505")
NAMES = ("april", "may")


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with two loads, the first of which has kept an item apart, to be copied."""
    folder = tmp_path_factory.mktemp("loaded")
    lines = changed(a_good_extract(), order_items=adding(BAD_ITEM))
    extracts = (lines, changed(lines, sellers=adding(line(an_id(52), 1, "x", "SP"))))
    with copied(server) as database:
        for name, some in zip(NAMES, extracts, strict=True):
            Warehouse(database, folder / "home").ingest(write(folder / name, some))
        yield database


@pytest.fixture
def program(server: EmbeddedServer, loaded: Database, tmp_path: Path) -> Iterator[Warehouse]:
    """The command line, on a copy of its own."""
    with copied(server, loaded) as database:
        yield Warehouse(database, tmp_path / "home")


@pytest.fixture
def warehouse(program: Warehouse, tmp_path: Path) -> Iterator[replayhouse.Warehouse]:
    """The same database, from Python."""
    with replayhouse.open(database_url=program.database.url, home=tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def beside(server: EmbeddedServer, loaded: Database, tmp_path: Path) -> Iterator[Warehouse]:
    """The command line on another copy, where it can do the same once more."""
    with copied(server, loaded) as database:
        yield Warehouse(database, tmp_path / "beside")


def printed(program: Warehouse, *arguments: str | Path) -> Any:
    """The document that a command prints, without its seconds."""
    document = program.run(*arguments, "--json").document
    document.pop("seconds")
    return document


def without_chain(document: Any) -> Any:
    """What two copies have in common: the times of what was appended to them stand in the chain."""
    assert len(document.pop("chain")) == 64
    return document


def test_a_load_is_taken_back(
    warehouse: replayhouse.Warehouse, program: Warehouse, beside: Warehouse, tmp_path: Path
) -> None:
    planned = warehouse.retract("may", dry_run=True)
    assert planned.asked.status == "planned"
    assert planned.tables["marketplace.dim_seller"].removed == 1
    assert as_printed(planned.document()) == printed(program, "retract", "may", "--dry-run")
    with pytest.raises(replayhouse.UsageError, match="Say why"):
        warehouse.retract("may")
    with pytest.raises(replayhouse.UsageError, match="holds a NUL"):
        warehouse.ingest(write(tmp_path / "june", a_good_extract()), "june\0")
    with pytest.raises(replayhouse.UsageError, match="no load june"):
        warehouse.retract("june", "wrong")
    with pytest.raises(replayhouse.Conflicting, match="may"):
        warehouse.retract("april", "wrong")
    assert [batch.status for batch in warehouse.batches()] == ["completed", "completed"]

    [_, may] = warehouse.batches()
    taken = warehouse.retract(may.batch_id, "wrong")
    assert (taken.asked.status, taken.events["marketplace"]) == ("retracted", 1)
    told = printed(beside, "retract", "may", "--reason", "wrong")
    assert without_chain(as_printed(taken.document())) == without_chain(told)
    assert taken.chain == program.json("status")["chain"]
    assert [batch.status for batch in warehouse.batches()] == ["completed", "retracted"]
    assert program.rows("SELECT count(*) FROM marketplace.dim_seller WHERE seller_id = %s", UUID(an_id(52))) == [(0,)]


def test_with_cascade_later_loads_are_taken_back_before(warehouse: replayhouse.Warehouse, beside: Warehouse) -> None:
    taken = warehouse.retract("april", "wrong shop", cascade=True)
    assert [load.load.name for load in taken.loads] == ["may", "april"]
    told = printed(beside, "retract", "april", "--reason", "wrong shop", "--cascade")
    assert without_chain(as_printed(taken.document())) == without_chain(told)


def test_the_quality_of_a_load_is_told(warehouse: replayhouse.Warehouse, program: Warehouse) -> None:
    newest = warehouse.quality_report()
    assert newest.batch.name == "may"
    assert as_printed(newest.document()) == program.json("quality", "report")
    april = warehouse.quality_report("april")
    assert april.quarantine == {"values_readable": 1}
    assert warehouse.quality_report(april.batch_id) == april
    assert as_printed(april.document()) == program.json("quality", "report", "april")
    broken = [check.rule for check in april.batch.checks if check.failed]
    assert sorted(finding.rule for finding in april.findings) == sorted(broken)
    with pytest.raises(replayhouse.UsageError, match="There is no load"):
        warehouse.quality_report(uuid4())


def test_what_was_kept_apart_is_listed_and_written_to_a_file(
    warehouse: replayhouse.Warehouse, program: Warehouse, tmp_path: Path
) -> None:
    found = warehouse.quarantine()
    assert [(row.file, row.text, row.status) for row in found.rows] == [("order_items", BAD_ITEM, "quarantined")]
    assert as_printed(found.document()) == program.json("quality", "quarantine")
    assert warehouse.quarantine("april", "order_items", "values_readable", "all") == found
    assert warehouse.quarantine("may").rows == []
    assert warehouse.quarantine(limit=10**30).number == 1
    limited = warehouse.quarantine(limit=0)
    assert (limited.rows, limited.number) == ([], 1)
    path = tmp_path / "rows.csv"
    assert warehouse.write_quarantine(path) == 1
    program.json("quality", "quarantine", "--csv", tmp_path / "printed.csv")
    assert path.read_bytes() == (tmp_path / "printed.csv").read_bytes()
    with pytest.raises(replayhouse.UsageError, match="--force"):
        warehouse.write_quarantine(path)
    assert warehouse.write_quarantine(path, status="released", force=True) == 0
    with pytest.raises(replayhouse.UsageError, match="There is no load"):
        warehouse.quarantine(uuid4())
    with pytest.raises(replayhouse.UsageError, match="There is no file 'orderz'"):
        warehouse.quarantine(file="orderz")
    with pytest.raises(replayhouse.UsageError, match="There is no rule 'no_such_rule'"):
        warehouse.quarantine(rule="no_such_rule")
    with pytest.raises(replayhouse.UsageError, match="one of quarantined, released, discarded, all"):
        warehouse.quarantine(status="lost")
    with pytest.raises(replayhouse.UsageError, match="-1"):
        warehouse.quarantine(limit=-1)


def test_a_row_is_let_in(warehouse: replayhouse.Warehouse, program: Warehouse, beside: Warehouse) -> None:
    [row] = warehouse.quarantine().rows
    refused = warehouse.release(row.row)
    assert isinstance(refused, Refused)
    assert as_printed(refused.document()) == program.run("quality", "release", str(row.row), "--json").document
    with pytest.raises(replayhouse.UsageError, match="--reason is empty"):
        warehouse.release(row.row, GOOD_ITEM, " ")
    with pytest.raises(replayhouse.UsageError, match="is not an id"):
        warehouse.release("april", GOOD_ITEM)

    released = warehouse.release(str(row.row)[:8], GOOD_ITEM, "a digit too many")
    assert not isinstance(released, Refused)
    assert (released.status, released.is_corrected) == ("released", True)
    told = printed(beside, "quality", "release", str(row.row), "--text", GOOD_ITEM)
    assert without_chain(as_printed(released.document())) == without_chain(told)
    assert [again.status for again in warehouse.quarantine(status="all").rows] == ["released"]
    with pytest.raises(replayhouse.UsageError, match="released already"):
        warehouse.release(row.row, GOOD_ITEM)


def test_a_row_is_given_up(warehouse: replayhouse.Warehouse, beside: Warehouse) -> None:
    [row] = warehouse.quarantine().rows
    with pytest.raises(replayhouse.UsageError, match="no quarantined row"):
        warehouse.discard(uuid4(), "a test order")
    discarded = warehouse.discard(row.row, "a test order")
    told = printed(beside, "quality", "discard", str(row.row), "--reason", "a test order")
    assert without_chain(as_printed(discarded.document())) == without_chain(told)
    assert [again.status for again in warehouse.quarantine(status="all").rows] == ["discarded"]


def test_an_extract_is_made_up(tmp_path: Path) -> None:
    told: list[str] = []
    made = replayhouse.generate(tmp_path / "ours", 30, 7, date(2018, 3, 31), tell=lambda doing, *_: told.append(doing))
    assert told == [f"writing to {tmp_path / 'ours'}"]
    program = Warehouse(NO_DATABASE, tmp_path / "home")
    arguments = ("--orders", "30", "--seed", "7", "--until", "2018-03-31")
    document = printed(program, "generate", tmp_path / "theirs", *arguments)
    assert as_printed(made.document()) == {**document, "directory": str(tmp_path / "ours")}
    files = {path.name: path.read_bytes() for path in made.directory.iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "theirs").iterdir()}
    with pytest.raises(replayhouse.UsageError, match="holds an extract already"):
        replayhouse.generate(made.directory)
    again = replayhouse.generate(made.directory, 30, 7, "2018-03-31", force=True, workers=1)
    assert again == made
    assert files == {path.name: path.read_bytes() for path in made.directory.iterdir()}
    with pytest.raises(replayhouse.UsageError, match="at least 1 order"):
        replayhouse.generate(tmp_path / "none", 0)
    with pytest.raises(replayhouse.UsageError, match="at least 1 worker"):
        replayhouse.generate(tmp_path / "none", workers=0)
    with pytest.raises(replayhouse.UsageError, match="is not a date"):
        replayhouse.generate(tmp_path / "none", until="tomorrow")
    assert not (tmp_path / "none").exists()


def test_the_demo_has_a_warehouse_of_its_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told: list[str] = []
    try:
        with replayhouse.open(home=home, tell=lambda doing, *_: told.append(doing)) as warehouse:
            report = warehouse.demo(40, seed=3)
            assert told[0] == "making 40 orders up and starting a database"
            assert told[-1] == "asking questions"
            with pytest.raises(replayhouse.NoWarehouse):
                warehouse.batches()
        assert report.home == home / "demo"
        with replayhouse.open(home=report.home) as made:
            assert [batch.name for batch in made.batches()] == ["demo"]
        ours = as_printed(report.document())
        theirs = printed(Warehouse(NO_DATABASE, home), "demo", "--orders", "40", "--seed", "3")
        assert theirs["ingest"].pop("seconds") > 0
        of_its_time = ("batch", "chain")
        for document in (ours, theirs):
            assert all(document["ingest"].pop(name) for name in of_its_time)
        assert ours == theirs
    finally:
        EmbeddedServer(home / "demo").stop()
    with pytest.raises(replayhouse.UsageError, match="at least 1 order"):
        replayhouse.open(home=home).demo(0)
