"""A replay that is killed, or meets what it cannot read or write: nothing counts, it is said plainly, and done again.

The seed of the kills is printed; REPLAYHOUSE_CRASH_SEED repeats it.
"""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from replayhouse.infra.replaying.parts import EVENTS_A_PART
from tests.support.cli import PROGRAM, Program
from tests.support.crashes import SEED, a_seed, is_plain
from tests.support.homes import Home
from tests.support.in_process import refused
from tests.support.replaying import Played, digests_of, files_of, played
from tests.support.small_files import with_small_files

KILLS = 6
LEFT = "SELECT context FROM read_model.revision WHERE live_at IS NULL"


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(prepared, tmp_path_factory.mktemp("played")) as found:
        yield found


@pytest.fixture
def nowhere(tmp_path: Path) -> Program:
    return Program(tmp_path / "no home")


@pytest.fixture
def sealed(history: Played, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(history.sealed, tmp_path / "sealed")
    return tmp_path / "sealed"


def chance() -> random.Random:
    seed = a_seed()
    print(f"{SEED}={seed}")
    return random.Random(seed)


def test_killed_at_any_moment_what_counted_counts_on_and_the_next_one_clears_up(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    rows, home, drawn = tmp_path / "rows", Home(tmp_path / "no home"), chance()
    nowhere.succeed("replay", history.sealed, "--out", rows, "--to-position", str(history.positions[0]))
    before = digests_of_manifest(rows)
    shared = ("replay", history.sealed, "--force", "--keys", history.keys, "--workers", "2", "--out")
    arguments = (*shared, rows)
    expected = history.digests()
    undisturbed = home.succeed(*shared, tmp_path / "undisturbed")
    length = time.monotonic() - undisturbed.started
    for _ in range(KILLS):
        command = home.start(*arguments)
        time.sleep(drawn.uniform(0, length))  # the moment is drawn, and nothing is waited for
        killed = command.kill()
        code = command.result().code
        assert command.left_behind() == []
        assert code == (-signal.SIGKILL if killed and code else code)
        assert_whole(rows)
        assert digests_of_manifest(rows) in (before, expected)

    nowhere.succeed(*arguments)
    assert digests_of_manifest(rows) == expected
    assert files_of(rows) == {"manifest.json", *files_named(rows)}


def test_killed_while_rows_are_taken_in_the_live_tables_stay_until_they_are_exchanged(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    rows, home, drawn = tmp_path / "rows", Home(history.program.home), chance()
    nowhere.succeed("replay", history.sealed, "--out", rows, "--keys", history.keys)
    arguments = ("rebuild", "--rows", rows, "--workers", "2")
    expected = history.digests()
    undisturbed = home.succeed(*arguments)
    length = time.monotonic() - undisturbed.started
    for _ in range(KILLS):
        command = home.start(*arguments)
        time.sleep(drawn.uniform(0, length))
        command.kill()
        command.result()
        assert command.left_behind() == []
        assert history.digests() == expected

    home.succeed(*arguments)
    assert history.digests() == expected
    assert not history.loaded.rows(LEFT)


def test_where_a_process_is_killed_it_is_said_and_nothing_counts(history: Played, tmp_path: Path) -> None:
    home, drawn = Home(tmp_path / "no home"), chance()
    rows = tmp_path / "rows"
    while True:
        command = home.start("replay", history.sealed, "--out", rows, "--workers", "2", "--force")
        if command.has_workers():
            for worker in drawn.sample(command.workers(), 1):
                os.kill(worker, signal.SIGKILL)
        done = command.result()
        if done.code:
            break  # else it had ended before
    assert done.code == 1
    assert "ended unexpectedly" in done.err
    assert is_plain(done), done.err
    assert command.left_behind() == []
    assert_whole(rows)


def test_a_log_that_is_not_whole_is_refused_and_the_file_is_named(
    history: Played, nowhere: Program, sealed: Path, tmp_path: Path
) -> None:
    segment = sorted(path for path in sealed.iterdir() if path.is_dir())[0]
    file = segment / "sales.parquet"
    data = file.read_bytes()
    changed = bytearray(data)
    changed[len(data) // 3] ^= 0xFF
    for spoiled in (bytes(changed), data[:-10], None):
        file.unlink() if spoiled is None else file.write_bytes(spoiled)
        done = nowhere.run("replay", sealed, "--out", tmp_path / "rows", "--json")
        refused(done, 2, "sales.parquet")
        assert files_of(tmp_path / "rows") == set()


def test_a_log_of_a_newer_program_or_none_is_refused(
    history: Played, nowhere: Program, sealed: Path, tmp_path: Path
) -> None:
    manifest = sealed / "manifest.json"
    manifest.write_text(manifest.read_text().replace("sealed log 1", "sealed log 2"))
    refused(nowhere.run("replay", sealed, "--out", tmp_path / "rows", "--json"), 2, "newer program")
    refused(nowhere.run("replay", tmp_path / "none", "--out", tmp_path / "rows", "--json"), 2, "no sealed log")
    refused(nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--to-position", "99999", "--json"), 2)
    assert not (tmp_path / "rows").exists()


def test_events_of_a_newer_program_end_it(nowhere: Program, sealed: Path, tmp_path: Path) -> None:
    """Their files are as large as before, so that only what they hold tells."""
    told = json.loads((sealed / "manifest.json").read_text())
    for segment in told["segments"]:
        path = sealed / segment["folder"] / "sales.parquet"
        found = pq.read_table(path)
        place = found.schema.get_field_index("topic")
        topics = [topic.replace(".v1", ".v9") for topic in found["topic"].to_pylist()]
        newer = pa.array(topics, pa.string()).dictionary_encode().cast(found.schema.field(place).type)
        pq.write_table(found.set_column(place, found.schema.field(place), newer), path)
        segment["files"]["sales.parquet"]["bytes"] = path.stat().st_size
    (sealed / "manifest.json").write_text(json.dumps(told))

    done = nowhere.run("replay", sealed, "--out", tmp_path / "rows", "--json")
    refused(done, 2, "older than the log")
    assert files_of(tmp_path / "rows") == set()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_without_room_nothing_counts(workers: str, history: Played, nowhere: Program, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    nowhere.succeed("replay", history.sealed, "sales", "--out", rows, "--to-position", str(history.positions[0]))
    before = files_of(rows)
    small = Program(tmp_path / "no home", with_small_files(4_000, [str(PROGRAM)]))
    done = small.run("replay", history.sealed, "--out", rows, "--force", "--workers", workers, "--json")
    refused(done, 2, "no room")
    assert files_of(rows) == before
    assert_whole(rows)


def test_two_at_once_do_not_mix(history: Played, nowhere: Program, tmp_path: Path) -> None:
    home, rows = Home(tmp_path / "no home"), tmp_path / "rows"
    command = home.start("replay", history.sealed, "--out", rows, "--workers", "2")
    while command.is_running() and not (rows / "manifest.json.unfinished").exists():
        time.sleep(0.005)
    if not command.kill(signal.SIGSTOP):
        pytest.fail("it ended before it was looked at")
    try:
        refused(nowhere.run("replay", history.sealed, "--out", rows, "--force", "--json"), 4, "Another command")
    finally:
        command.kill(signal.SIGCONT)
    assert command.result().code == 0
    assert_whole(rows)


def test_parts_are_small_beside_memory_and_large_beside_a_file() -> None:
    assert 10_000 <= EVENTS_A_PART <= 200_000


def files_named(rows: Path) -> set[str]:
    told = json.loads((rows / "manifest.json").read_text())
    return {
        file["file"]
        for of_context in told["contexts"].values()
        for table in of_context["tables"].values()
        for file in table["files"]
    }


def digests_of_manifest(rows: Path) -> object:
    found = digests_of(json.loads((rows / "manifest.json").read_text()))
    return {
        context: {name: {"rows": table["rows"], "digest": table["digest"]} for name, table in of_context.items()}
        for context, of_context in found.items()
    }


def assert_whole(rows: Path) -> None:
    """What the manifest names is there, if there is one."""
    if (rows / "manifest.json").exists():
        assert files_named(rows) <= files_of(rows)
