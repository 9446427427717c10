"""`replay`: a sealed log folded into Parquet without a database, with the digests of live tables at that position."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.cli import Program
from tests.support.in_process import refused
from tests.support.replaying import Played, digests_of, files_of, played

COMMENTS = "SELECT comment FROM customer.fact_review WHERE comment IS NOT NULL"


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(prepared, tmp_path_factory.mktemp("played")) as found:
        yield found


@pytest.fixture
def nowhere(tmp_path: Path) -> Program:
    """The program where there is no warehouse at all."""
    return Program(tmp_path / "no home")


def test_a_sealed_log_gives_the_digests_of_the_live_tables(history: Played, nowhere: Program, tmp_path: Path) -> None:
    told = nowhere.json("replay", history.sealed, "--out", tmp_path / "rows", "--keys", history.keys)

    assert digests_of(told) == history.digests()
    status = history.program.json("status")
    assert (told["position"], told["chain"]) == (status["position"], status["chain"])
    assert told["withheld"] == []
    assert not nowhere.home.exists()


def test_what_the_files_hold_is_what_the_manifest_says(history: Played, nowhere: Program, tmp_path: Path) -> None:
    nowhere.succeed("replay", history.sealed, "--out", tmp_path / "rows", "--keys", history.keys, "--workers", "2")

    manifest = json.loads((tmp_path / "rows" / "manifest.json").read_text())
    named = set()
    for context, of_context in manifest["contexts"].items():
        for table in PROJECTIONS[context].tables:
            files = of_context["tables"][table.name]["files"]
            named |= {file["file"] for file in files}
            for file in files:
                found = pq.read_table(tmp_path / "rows" / file["file"])
                assert found.schema.equals(arrow_schema(table)), table.name
                assert found.num_rows == file["rows"] > 0
                assert (tmp_path / "rows" / file["file"]).stat().st_mode & 0o777 == 0o600
    assert files_of(tmp_path / "rows") == named | {"manifest.json"}
    assert digests_of(nowhere.json("digest", "--in", tmp_path / "rows")) == history.digests()  # by DuckDB


def test_without_keys_personal_fields_are_withheld_and_the_rest_is_the_same(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    told = nowhere.json("replay", history.sealed, "--out", tmp_path / "rows")

    live, found = history.digests(), digests_of(told)
    withheld = set(told["withheld"])
    assert {"customer.dim_customer", "customer.fact_review", "quality.quarantine"} <= withheld
    for context, of_context in live.items():
        for table, digest in of_context.items():
            assert found[context][table]["rows"] == digest["rows"] or f"{context}.{table}" in withheld
            assert found[context][table] == digest or f"{context}.{table}" in withheld
    clear = {text for (text,) in history.loaded.rows(COMMENTS)}
    shown = {text for file in _files(tmp_path / "rows", "customer", "fact_review") for text in _comments(file)}
    assert clear
    assert not clear & shown


@pytest.mark.parametrize("step", range(4))
def test_up_to_a_position_the_digests_are_those_of_a_rebuild_up_to_it(
    step: int, history: Played, nowhere: Program, tmp_path: Path
) -> None:
    assert_equal_up_to(history.positions[step], history, nowhere, tmp_path)


def test_so_they_are_in_the_middle_of_a_commit_where_no_chain_is_told(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    assert assert_equal_up_to(history.middle, history, nowhere, tmp_path)["chain"] is None


def assert_equal_up_to(position: int, history: Played, nowhere: Program, tmp_path: Path) -> Any:
    """The document of a replay up to there."""
    limit = ("--to-position", str(position))
    told = nowhere.json("replay", history.sealed, "--out", tmp_path / "rows", "--keys", history.keys, *limit)
    assert digests_of(told) == history.digests(*limit)
    assert told["position"] == position
    return told


def test_as_of_a_recorded_time_and_before_a_business_time(history: Played, nowhere: Program, tmp_path: Path) -> None:
    at = history.loaded.value(
        "SELECT recorded_at::text FROM event_store.commit WHERE last_position >= %s ORDER BY last_position LIMIT 1",
        history.positions[1],
    )
    as_of = ("--as-of", str(at).replace(" ", "T"))
    for limits in (as_of, ("--occurred-before", "2017-11-30"), (*as_of, "--occurred-before", "2018-02-01T12:00")):
        told = nowhere.json(
            "replay", history.sealed, "--out", tmp_path / "rows", "--force", "--keys", history.keys, *limits
        )
        assert digests_of(told) == history.digests(*limits)


def test_some_contexts_are_folded_alone(history: Played, nowhere: Program, tmp_path: Path) -> None:
    told = nowhere.json("replay", history.sealed, "sales", "--contexts", "marketplace", "--out", tmp_path / "rows")

    live = history.digests()
    assert digests_of(told) == {context: live[context] for context in ("sales", "marketplace")}
    assert told["withheld"] == []


def test_rows_that_stand_there_are_replaced_as_a_whole_and_only_where_that_is_said(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    rows = tmp_path / "rows"
    nowhere.succeed("replay", history.sealed, "--out", rows, "--to-position", str(history.positions[0]))
    before = files_of(rows)

    refused(nowhere.run("replay", history.sealed, "--out", rows, "--json"), 2, "--force")
    assert files_of(rows) == before

    nowhere.succeed("replay", history.sealed, "sales", "--out", rows, "--force")
    assert files_of(rows) & before == {"manifest.json"}
    assert {name.split("/")[0] for name in files_of(rows)} == {"sales", "manifest.json"}
    assert not (rows / "customer").exists()


def test_what_no_replay_has_written_is_left_as_it_is(history: Played, nowhere: Program, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "notes.txt").write_text("mine")
    refused(nowhere.run("replay", history.sealed, "--out", rows, "--force", "--json"), 2, "notes.txt")
    (rows / "notes.txt").rename(rows / "manifest.json")
    refused(nowhere.run("replay", history.sealed, "--out", rows, "--force", "--json"), 2, "manifest")
    assert (rows / "manifest.json").read_text() == "mine"
    refused(nowhere.run("replay", history.sealed, "--out", tmp_path / "no" / "rows", "--json"), 2, "make it")
    (tmp_path / "link").symlink_to(rows)
    refused(nowhere.run("replay", history.sealed, "--out", tmp_path / "link", "--json"), 2, "link")


def _files(rows: Path, context: str, table: str) -> list[Path]:
    manifest = json.loads((rows / "manifest.json").read_text())
    return [rows / file["file"] for file in manifest["contexts"][context]["tables"][table]["files"]]


def _comments(file: Path) -> set[str | None]:
    return set(pq.read_table(file, columns=["comment"])["comment"].to_pylist())
