"""`generate`, `ingest` and `batches`, as a user calls them."""

import shutil
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from tests.support.cli import CONTEXTS, FILES, Loaded, Program
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse

KINDS = ("new", "changed", "unchanged", "quarantined")
BATCH = {
    "batch",
    "name",
    "status",
    "opened_at",
    "completed_at",
    "events",
    "score",
    "by",
    "machine",
    "program",
    "source",
}


def assert_shape(told: dict[str, Any], *more: str) -> None:
    assert set(told) == {"batch", "name", "status", "files", "events", "position", "chain", "score", "seconds", *more}
    assert set(told["files"]) == set(FILES)
    for counts in told["files"].values():
        assert set(counts) == {"rows", *KINDS}
        assert counts["rows"] == sum(counts[kind] for kind in KINDS)
    assert tuple(told["events"]) == CONTEXTS
    assert len(told["chain"]) == 64


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def test_a_load_tells_what_became_of_every_record(loaded: Loaded) -> None:
    told = loaded.told
    assert_shape(told)
    assert (told["name"], told["status"]) == ("first", "completed")
    assert told["files"]["orders"] == {"rows": 80, "new": 80, "changed": 0, "unchanged": 0, "quarantined": 0}
    assert sum(told["events"].values()) == told["position"]
    assert 0 < told["score"] <= 100
    assert told["seconds"] > 0
    for file, counts in told["files"].items():
        name = "product_category_name_translation.csv" if file == "categories" else f"olist_{file}_dataset.csv"
        assert counts["rows"] > 0, name
        assert (loaded.extract / name).exists()


def test_the_same_files_again_append_nothing(loaded: Loaded) -> None:
    again = loaded.program.json("ingest", loaded.extract)
    assert_shape(again)
    assert again["status"] == "unchanged"
    assert again["batch"] == loaded.told["batch"]
    assert set(again["events"].values()) == {0}
    assert (again["position"], again["chain"]) == (loaded.told["position"], loaded.told["chain"])
    assert again["files"]["orders"] == {"rows": 80, "new": 0, "changed": 0, "unchanged": 80, "quarantined": 0}
    plain = loaded.program.succeed("ingest", loaded.extract).out
    assert "no event was appended" in plain
    assert loaded.told["chain"] in plain


def test_progress_goes_to_standard_error_and_nothing_is_coloured_in_a_pipe(loaded: Loaded) -> None:
    done = loaded.program.succeed("ingest", loaded.extract, "--dry-run")
    assert "opening the extract ..." in done.err.splitlines()
    assert "\x1b" not in done.out + done.err


def test_a_dry_run_says_what_the_load_then_does(empty: Program, tmp_path: Path) -> None:
    for until in ("2018-01-31", "2018-06-30"):
        empty.succeed("generate", tmp_path / until, "--orders", "60", "--until", until)
    first = empty.json("ingest", tmp_path / "2018-01-31", "--name", "january")
    planned = empty.json("ingest", tmp_path / "2018-06-30", "--dry-run")
    assert_shape(planned)
    assert (planned["status"], planned["name"]) == ("planned", "2018-06-30")
    assert (planned["position"], planned["chain"]) == (first["position"], first["chain"])
    assert [batch["name"] for batch in empty.json("batches")] == ["january"]
    done = empty.json("ingest", tmp_path / "2018-06-30")
    moving = ("status", "position", "chain", "seconds")
    assert without(done, *moving) == without(planned, *moving)
    assert done["position"] == first["position"] + sum(done["events"].values())
    assert done["files"]["orders"]["unchanged"] > 0


def test_an_extract_without_a_required_file_is_rejected(empty: Program, loaded: Loaded, tmp_path: Path) -> None:
    harmed = tmp_path / "harmed"
    shutil.copytree(loaded.extract, harmed)
    (harmed / "olist_orders_dataset.csv").unlink()
    planned = empty.run("ingest", harmed, "--dry-run", "--json")
    assert (planned.code, planned.document["status"]) == (1, "planned")
    assert empty.json("batches") == []
    done = empty.run("ingest", harmed, "--json")
    assert done.code == 1
    assert_shape(done.document, "reasons")
    assert done.document["status"] == "rejected"
    assert "orders" in " ".join(done.document["reasons"])
    assert [done.document["events"][context] for context in CONTEXTS[:-1]] == [0, 0, 0, 0]
    plain = empty.run("ingest", harmed)
    assert plain.code == 1
    assert "rejected" in plain.out
    assert done.document["reasons"][0] in plain.out
    assert {batch["status"] for batch in empty.json("batches")} == {"rejected"}


def test_a_later_extract_may_lack_files_and_the_command_says_which(
    empty: Program, loaded: Loaded, tmp_path: Path
) -> None:
    empty.succeed("ingest", loaded.extract, "--no-project")
    part = tmp_path / "part"
    shutil.copytree(loaded.extract, part)
    (part / "olist_geolocation_dataset.csv").unlink()
    plain = empty.succeed("ingest", part, "--no-project").out
    assert "holds no geolocation" in plain
    assert "Nothing in it is new" in plain


def test_a_load_leaves_the_read_models_where_it_is_told_to(empty: Program, loaded: Loaded) -> None:
    plain = empty.succeed("ingest", loaded.extract, "--no-project").out
    assert "replayhouse project" in plain
    behind = empty.json("status")["contexts"]["sales"]
    assert (behind["projected"], behind["lag"]) == (0, behind["events"])
    projected = empty.json("project", "sales")
    assert projected["contexts"].keys() == {"sales"}
    assert projected["contexts"]["sales"]["events"] == behind["events"]
    now = empty.json("status")["contexts"]
    assert (now["sales"]["lag"], now["customer"]["lag"]) == (0, now["customer"]["events"])
    empty.succeed("ingest", loaded.extract)
    assert {context["lag"] for context in empty.json("status")["contexts"].values()} == {0}


@pytest.mark.parametrize("content", [None, {}, {"notes.txt": "no extract"}])
def test_a_path_without_an_extract_is_wrong_input(
    content: dict[str, str] | None, loaded: Loaded, tmp_path: Path
) -> None:
    path = tmp_path / "extract"
    if content is not None:
        path.mkdir()
        for name, text in content.items():
            (path / name).write_text(text)
    done = loaded.program.run("ingest", path, "--json")
    assert done.code == 2
    assert set(done.document) == {"error"}
    assert str(path) in done.document["error"]
    assert str(path) in done.err
    assert loaded.program.run("ingest", path).out == ""


def test_two_loads_at_once_are_a_conflict(empty: Program, loaded: Loaded) -> None:
    empty.succeed("batches")
    with (
        psycopg.connect(empty.environment["REPLAYHOUSE_DATABASE_URL"], autocommit=True) as connection,
        exclusive(connection, "ingest"),
    ):
        done = empty.run("ingest", loaded.extract, "--json")
    assert done.code == 4
    assert "Another command is at work" in done.document["error"]


def test_batches_are_listed_the_oldest_first(loaded: Loaded) -> None:
    (batch,) = loaded.program.json("batches")
    assert set(batch) == BATCH
    assert (batch["batch"], batch["name"], batch["status"]) == (loaded.told["batch"], "first", "completed")
    assert batch["events"] == sum(loaded.told["events"][context] for context in CONTEXTS[:-1])
    assert batch["score"] == loaded.told["score"]
    assert batch["opened_at"].endswith("+00:00")
    assert (batch["machine"], batch["program"]) == (socket.gethostname(), version("replayhouse"))
    assert f"{batch['by']} on {batch['machine']}, {batch['program']}" in loaded.program.succeed("batches").out
    assert loaded.told["batch"] in loaded.program.succeed("batches").out


def test_who_runs_a_load_or_takes_it_back_is_recorded(database: Database, tmp_path: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    path = write(tmp_path / "given", a_good_extract())
    begun = warehouse.rows("SELECT clock_timestamp()")[0][0]
    warehouse.run("ingest", path, REPLAYHOUSE_ACTOR="ana")
    [batch] = warehouse.json("batches")
    assert batch["by"] == "ana"
    warehouse.run("retract", batch["batch"], "--reason", "a test", REPLAYHOUSE_ACTOR="bert")
    query = "SELECT kind, run_by, run_on, opened_at BETWEEN %s AND clock_timestamp() FROM event_store.batch ORDER BY 1"
    told = warehouse.rows(query, begun)
    assert told == [("load", "ana", socket.gethostname(), True), ("retraction", "bert", socket.gethostname(), True)]


def test_without_loads_the_list_is_empty_and_says_so(empty: Program) -> None:
    assert empty.json("batches") == []
    assert "no load yet" in empty.succeed("batches").out


def test_the_same_seed_generates_the_same_bytes(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    told = program.json("generate", tmp_path / "a", "--orders", "30", "--seed", "5")
    assert set(told) == {"directory", "seed", "until", "records", "seconds"}
    assert set(told["records"]) == set(FILES)
    program.succeed("generate", tmp_path / "b", "--orders", "30", "--seed", "5")
    program.succeed("generate", tmp_path / "c", "--orders", "30", "--seed", "6")
    contents = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc"]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]
    assert len(contents[0]) == 9
    assert not (tmp_path / "home").exists()


def test_an_extract_of_an_earlier_day_holds_fewer_orders(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    earlier = program.json("generate", tmp_path / "a", "--orders", "60", "--until", "2017-12-31")
    assert earlier["until"].startswith("2017-12-31T23:59:59")
    written = earlier["records"]["orders"]
    assert 0 < written < 60
    told = program.succeed("generate", tmp_path / "b", "--orders", "60", "--until", "2017-12-31")
    assert f"{written} of 60 orders, " in told.out
    assert "60 orders" not in told.err
    assert "\n60 orders, " in program.succeed("generate", tmp_path / "c", "--orders", "60").out


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    done = Program(tmp_path / "home").run("generate", tmp_path / "taken" / "extract", "--json")
    assert done.code == 2
    assert str(tmp_path / "taken") in done.document["error"]


def test_an_extract_of_headers_alone_is_loaded_with_a_word(database: Database, tmp_path: Path) -> None:
    headers: dict[str, list[str]] = {file: [] for file in a_good_extract()}
    warehouse = Warehouse(database, tmp_path / "home")
    done = warehouse.run("ingest", write(tmp_path / "empty", headers), "--json")
    assert (done.code, done.document["status"]) == (0, "completed"), done
    assert "empty holds no record: its files are headers alone. " in done.err
    later = warehouse.run("ingest", write(tmp_path / "full", a_good_extract()))
    assert (later.code, "holds no record" in later.err) == (0, False), later
