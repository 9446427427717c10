"""`rebuild --rows`: what a replay wrote becomes the live revision, or nothing changes and it is said why."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.support.cli import Program
from tests.support.in_process import refused
from tests.support.replaying import A_REVIEWER, Played, digests_of, played

REVIEW = "customer/fact_review"
HELD = "SELECT count(*) FROM customer.fact_review WHERE customer_id = '{}' AND comment IS NOT NULL"


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(prepared, tmp_path_factory.mktemp("played")) as found:
        yield found


@pytest.fixture
def rows(history: Played, tmp_path: Path) -> Path:
    """The rows of all of the log, in clear."""
    Program(tmp_path / "no home").succeed("replay", history.sealed, "--out", tmp_path / "rows", "--keys", history.keys)
    return tmp_path / "rows"


def revisions(history: Played) -> dict[str, int]:
    """The live revision of each context."""
    return {context: told["revision"] for context, told in history.program.json("digest")["contexts"].items()}


def test_rows_become_the_next_revision(history: Played, rows: Path) -> None:
    live, before = history.digests(), revisions(history)
    rebuilt = history.program.json("rebuild", "--workers", "1")

    told = history.program.json("rebuild", "--rows", rows, "--workers", "2", "--reason", "from elsewhere")

    assert digests_of(told) == history.digests() == live
    assert revisions(history) == {context: number + 2 for context, number in before.items()}
    assert {c: of["events"] for c, of in told["contexts"].items()} == {
        c: of["events"] for c, of in rebuilt["contexts"].items()
    }
    assert {c: list(of["tables"]) for c, of in told["contexts"].items()} == {
        c: list(of["tables"]) for c, of in rebuilt["contexts"].items()
    }
    listed = history.program.json("revisions", "sales")
    assert [one["reason"] for one in listed if one["status"] == "live"] == ["from elsewhere"]
    assert history.program.json("ask", "1")["rows"]


def test_rows_of_an_earlier_position_are_brought_up_to_the_head(history: Played, tmp_path: Path) -> None:
    """Before a load that was taken back, before another one, and before somebody was erased."""
    live = history.digests()
    for position in (0, history.positions[1]):
        limit = ("--to-position", str(position), "--force")
        history.program.succeed("replay", history.sealed, "--out", tmp_path / "rows", "--keys", history.keys, *limit)
        assert digests_of(history.program.json("rebuild", "--rows", tmp_path / "rows")) == live


def test_what_rows_tell_of_people_who_were_erased_since_is_taken_out(history: Played, rows: Path) -> None:
    [(person,)] = history.loaded.rows(A_REVIEWER)
    assert history.loaded.value(HELD.format(person)) > 0
    history.program.succeed("customer", "erase", "--yes", str(person), "--reason", "asked for it")
    live = history.digests()

    told = history.program.json("rebuild", "--rows", rows)

    assert digests_of(told) == history.digests() == live
    assert history.loaded.value(HELD.format(person)) == 0


def test_contexts_are_taken_alone_and_withheld_ones_not_at_all(history: Played, tmp_path: Path) -> None:
    live, before = history.digests(), revisions(history)
    history.program.succeed("replay", history.sealed, "--out", tmp_path / "rows")

    done = history.program.run("rebuild", "--rows", tmp_path / "rows", "--json")
    refused(done, 2, "withheld", "--keys")
    assert revisions(history) == before

    history.program.succeed("rebuild", "sales", "marketplace", "--rows", tmp_path / "rows")
    assert history.digests() == live
    assert revisions(history) == {**before, "sales": before["sales"] + 1, "marketplace": before["marketplace"] + 1}


def with_manifest(rows: Path, change: Callable[[Any], object]) -> None:
    """Changes what the manifest says."""
    told = json.loads((rows / "manifest.json").read_text())
    change(told)
    (rows / "manifest.json").write_text(json.dumps(told))


def a_file(rows: Path) -> Path:
    """A file with rows that streams make."""
    return max((rows / REVIEW).iterdir(), key=lambda path: path.stat().st_size)


def other_store(rows: Path) -> None:
    with_manifest(rows, lambda told: told.update(store="00000000-0000-4000-8000-000000000000"))


def other_chain(rows: Path) -> None:
    with_manifest(rows, lambda told: told.update(chain="ab" * 32))


def beyond_the_head(rows: Path) -> None:
    with_manifest(rows, lambda told: told.update(position=10**6))


def other_fold(rows: Path) -> None:
    with_manifest(rows, lambda told: told["contexts"]["sales"].update(fold_version=99))


def other_events(rows: Path) -> None:
    with_manifest(rows, lambda told: told["contexts"]["sales"].update(events=2**63 - 1))


def named_twice(rows: Path) -> None:
    def change(told: Any) -> None:
        table = told["contexts"]["customer"]["tables"]["fact_review"]
        table.update(files=table["files"] * 2, rows=table["rows"] * 2)

    with_manifest(rows, change)


def newer_format(rows: Path) -> None:
    with_manifest(rows, lambda told: told.update(format="replayhouse rows 2"))


def outside(rows: Path) -> None:
    def change(told: Any) -> None:
        told["contexts"]["customer"]["tables"]["fact_review"]["files"][0]["file"] = "../../etc/passwd"

    with_manifest(rows, change)


def cut_off(rows: Path) -> None:
    path = rows / "manifest.json"
    path.write_bytes(path.read_bytes()[:-200])


def missing_file(rows: Path) -> None:
    a_file(rows).unlink()


def changed_file(rows: Path) -> None:
    data = bytearray(a_file(rows).read_bytes())
    data[len(data) // 2] ^= 1
    a_file(rows).write_bytes(data)


def no_manifest(rows: Path) -> None:
    (rows / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (other_store, "another store"),
        (other_chain, "not of this log"),
        (beyond_the_head, "it ends at"),
        (other_fold, "another version"),
        (other_events, "not of this log"),
        (named_twice, "twice"),
        (newer_format, "newer program"),
        (outside, "was changed"),
        (cut_off, "cut off"),
        (missing_file, "which the manifest names"),
        (changed_file, "was changed"),
        (no_manifest, "no manifest.json"),
    ],
)
def test_rows_that_are_not_what_they_should_be_change_nothing(
    spoil: Callable[[Path], None], words: str, history: Played, rows: Path
) -> None:
    live, before = history.digests(), revisions(history)
    spoil(rows)

    refused(history.program.run("rebuild", "--rows", rows, "--workers", "2", "--json"), 2, words)

    assert history.digests() == live
    assert revisions(history) == before
    assert not history.loaded.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\\_r99%'")


def test_rows_of_another_digest_are_found_out_however_well_they_are_described(history: Played, rows: Path) -> None:
    """A file with another score, and a manifest that has its hash: what stands in the table tells."""
    from hashlib import sha256

    live, path = history.digests(), a_file(rows)
    found = pq.read_table(path)
    place = found.schema.get_field_index("score")
    other = pc.subtract(6, found["score"]).cast(found.schema.field(place).type)
    pq.write_table(found.set_column(place, found.schema.field(place), other), path)

    def change(told: Any) -> None:
        for file in told["contexts"]["customer"]["tables"]["fact_review"]["files"]:
            if file["file"] == str(path.relative_to(rows)):
                file.update(bytes=path.stat().st_size, sha256=sha256(path.read_bytes()).hexdigest())

    with_manifest(rows, change)
    refused(history.program.run("rebuild", "--rows", rows, "--json"), 1, "customer.fact_review", "not those")
    assert history.digests() == live


def test_live_tables_take_no_limits(history: Played, tmp_path: Path) -> None:
    out = tmp_path / "rows"
    history.program.succeed("replay", history.sealed, "sales", "--out", out, "--occurred-before", "2018-01-01")
    refused(history.program.run("rebuild", "--rows", out, "--json"), 2, "--occurred-before")
    refused(history.program.run("rebuild", "--rows", out, "--into", "p", "--json"), 2, "--into")
    middle = ("--to-position", str(history.middle))
    history.program.succeed("replay", history.sealed, "sales", "--out", out, "--force", *middle)
    refused(history.program.run("rebuild", "--rows", out, "--json"), 2, "middle of a commit")
