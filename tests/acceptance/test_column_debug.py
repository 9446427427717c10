"""`--debug` tells on standard error what ran on columns, of each context and of a load, and why the others did not."""

import json
import re
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application import large_loads
from replayhouse.infra.loads import on_columns
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime import column_folds
from replayhouse.projections.projection import Rows, Stream
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.cli import Done, Loaded
from tests.support.databases import copied
from tests.support.in_process import Warehouse

PAGE = Path(__file__).parents[2] / "docs/columns.md"
LINE = re.compile(r"^On columns: (\w+) ([\d,]+) in runs ([\d,]+); one by one ([\d,]+) \((.*)\)$", re.M)
ORDERS = 60


def told(done: Done) -> dict[str, dict[str, int]]:
    """What the lines say, as `rebuild --json` has it; and the numbers of each line fit to each other."""
    assert done.code == 0, done.err
    found = {}
    for what, streams, runs, alone, why in LINE.findall(done.err):
        counts = {"streams": number(streams), "runs": number(runs)}
        counts |= {reason: number(count) for reason, count in map(str.split, why.split(", "))}
        assert number(alone) == counts["few"] + counts["odd"] + counts["beyond"]
        found[what] = counts
    return found


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_a_load_a_rebuild_and_a_replay_tell_what_ran_on_columns(server: EmbeddedServer, tmp_path: Path) -> None:
    with (
        copied(server) as database,
        patch.object(large_loads, "LARGE_FROM_BYTES", 0),
        patch.object(on_columns, "FEW", 2),
    ):
        warehouse = Warehouse(database, tmp_path / "home")
        assert warehouse.run("generate", tmp_path / "extract", "--orders", str(ORDERS), "--seed", "1").code == 0
        loaded = told(warehouse.run("ingest", tmp_path / "extract", "--no-project", "--debug"))
        rebuilt = warehouse.run("rebuild", "--debug", "--json")
        assert warehouse.run("log", "seal", tmp_path / "sealed").code == 0
        replayed = told(warehouse.run("replay", tmp_path / "sealed", "--out", tmp_path / "rows", "--debug"))
        quiet = warehouse.run("rebuild", "sales")
        off = told(warehouse.run("rebuild", "sales", "--debug", REPLAYHOUSE_COLUMNS="off"))

    persons = loaded.pop("persons")
    assert loaded == {}
    assert persons["streams"] > 0
    assert persons["beyond"] == 0
    document = json.loads(rebuilt.out)["contexts"]
    assert told(rebuilt) == {context: document[context]["columns"] for context in CONTEXTS}
    assert {what: sum(counts.values()) - counts["runs"] for what, counts in replayed.items()} == {
        what: sum(counts.values()) - counts["runs"] for what, counts in told(rebuilt).items()
    }
    assert (told(quiet), off) == ({}, {})


def test_in_the_installed_program_nothing_is_beyond_columns(loaded: Loaded) -> None:
    """There numpy and Arrow are imported in the order of a command, which no test's own process shows."""
    counted = {context: told["columns"] for context, told in loaded.program.json("rebuild")["contexts"].items()}
    assert {context: counts["beyond"] for context, counts in counted.items()} == dict.fromkeys(CONTEXTS, 0)
    assert all(counts["runs"] for context, counts in counted.items() if context != "quality"), counted


def test_the_first_error_of_what_is_beyond_columns_is_told(server: EmbeddedServer, tmp_path: Path) -> None:
    """Where a fold asks what columns cannot answer, its author finds out; the rows are right all the same."""
    sales = PROJECTIONS["sales"]

    def asking_more(stream: Stream) -> Rows:
        return sales.fold(stream) if str(stream.stream_id) else {}

    with copied(server) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        assert warehouse.run("generate", tmp_path / "extract", "--orders", str(ORDERS), "--seed", "1").code == 0
        assert warehouse.run("ingest", tmp_path / "extract").code == 0
        before = warehouse.digests(["sales"])
        with patch.dict(PROJECTIONS, sales=replace(sales, fold=asking_more)):
            done = warehouse.run("rebuild", "sales", "--debug")
        assert warehouse.digests(["sales"]) == before

    assert told(done)["sales"]["streams"] == 0
    assert told(done)["sales"]["beyond"] > 0
    assert (
        "\n  the first beyond: TypeError: Uuids are many values, and have no text and no type of their own\n"
        in done.err
    )


def test_the_page_shows_the_line_that_is_told() -> None:
    shown = LINE.findall(PAGE.read_text())
    assert [what for what, *_ in shown] == ["sales"]


def test_what_was_noted_is_handed_over_once() -> None:
    column_folds.taken()
    for error in ("", "first", "second"):
        column_folds.note("sales", column_folds.Counts(1, 2, beyond=3, error=error))
    assert column_folds.taken() == {"sales": column_folds.Counts(3, 6, beyond=9, error="first")}
    assert column_folds.taken() == {}


def test_an_error_is_described_whatever_it_says() -> None:
    class Mute:
        def __str__(self) -> str:
            raise TypeError

    assert column_folds.described(ValueError("why")) == "ValueError: why"
    assert column_folds.described(ValueError(Mute())) == "ValueError"
