"""`log seal` and `log verify`: what is sealed stays, whatever happens to the command; and two of them never meet."""

import base64
import fcntl
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.infra.sealed_log.reader import open_sealed_log
from replayhouse.infra.sealed_log.sealing import seal
from tests.support.cli import Loaded, Program
from tests.support.crashes import SEED, a_seed, is_plain
from tests.support.homes import Home, a_copy
from tests.support.in_process import refused
from tests.support.scenes import Scenes
from tests.support.sealed_logs import CHECKPOINT, copied, manifest_of
from tests.support.small_files import with_small_files
from tests.support.small_steps import KILL_AFTER

NO, WRONG_USAGE, CONFLICT = 1, 2, 4

TARGETS = "replayhouse.infra.sealed_log.targets"
SEALING = "replayhouse.infra.sealed_log.sealing"
MOMENTS = (
    f"{SEALING}:rendered:1",
    f"{TARGETS}:_LocalTarget.put_manifest:1",
    f"{TARGETS}:_LocalTarget.begin:2",
    f"{TARGETS}:_LocalTarget.file:3",
    f"{SEALING}:write_events:4",
    f"{SEALING}:write_commits:2",
    f"{TARGETS}:keep_name:9",
    f"{TARGETS}:_LocalTarget.finish:1",  # the folder has its name, and the manifest does not know it
    f"{TARGETS}:_LocalTarget.finish:2",
    "replayhouse.infra.runtime.files:_put_in_place:2",
    f"{TARGETS}:_LocalTarget.put_manifest:3",
)


@pytest.fixture
def home(scenes: Scenes) -> Iterator[Home]:
    """A warehouse whose log makes several segments, in small steps."""
    with a_copy(scenes["rebuild"].home) as copy:
        yield copy


def tree(folder: Path) -> dict[str, bytes]:
    """All files in it, but for the one that is locked."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def must_hold(home: Home, folder: Path) -> None:
    """What the manifest names is whole, whenever it is looked at."""
    if (folder / "manifest.json").exists():
        home.succeed("log", "verify", folder)


def test_killed_at_any_moment_and_run_again_the_segments_are_the_same(home: Home, tmp_path: Path) -> None:
    home.succeed("log", "seal", tmp_path / "undisturbed")
    assert len(manifest_of(tmp_path / "undisturbed")["segments"]) > 3

    folder = tmp_path / "disturbed"
    for moment in MOMENTS:
        done = home.run("log", "seal", folder, **{KILL_AFTER: moment})
        assert done.code == -signal.SIGKILL, f"{moment}: {done}"
        must_hold(home, folder)
    home.succeed("log", "seal", folder)

    assert tree(folder) == tree(tmp_path / "undisturbed")


def test_killed_by_chance_and_run_again_the_segments_are_the_same(home: Home, tmp_path: Path) -> None:
    chance = random.Random(seed := a_seed())
    print(f"To repeat, set {SEED}={seed}")
    started = time.monotonic()
    home.succeed("log", "seal", tmp_path / "undisturbed")
    takes = time.monotonic() - started

    folder = tmp_path / "disturbed"
    for _ in range(6):
        command = home.start("log", "seal", folder)
        time.sleep(chance.uniform(0, takes))
        command.kill()
        done = command.result()
        assert done.code in (-signal.SIGKILL, 0), done
        must_hold(home, folder)
    home.succeed("log", "seal", folder)

    assert tree(folder) == tree(tmp_path / "undisturbed"), seed


def test_a_disk_without_room_is_told_and_sealing_goes_on_later(loaded: Loaded, tmp_path: Path) -> None:
    folder = tmp_path / "sealed"
    cramped = Program(loaded.program.home, with_small_files(20_000, installed()))
    done = cramped.run("log", "seal", folder, "--json")
    refused(done, WRONG_USAGE, "cannot be written", "make room, and run the same command again")
    assert is_plain(done)
    assert [name for name in os.listdir(folder) if name.startswith("0")] == [
        segment["folder"] for segment in manifest_of(folder)["segments"]
    ]

    told = loaded.program.json("log", "seal", folder)
    assert told["position"] == loaded.told["position"]
    assert loaded.program.json("log", "verify", folder)["valid"]


def installed() -> list[str]:
    return [str(Path(sys.executable).with_name("replayhouse"))]


def test_two_never_seal_into_one_folder(loaded: Loaded, tmp_path: Path) -> None:
    loaded.program.succeed("log", "seal", tmp_path / "sealed")
    with (tmp_path / "sealed/.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = loaded.program.run("log", "seal", tmp_path / "sealed", "--json")
    refused(done, CONFLICT, "Another command is sealing into")


def test_what_is_told(loaded: Loaded, tmp_path: Path) -> None:
    folder = tmp_path / "sealed"
    told = loaded.program.json("log", "seal", folder)
    again = loaded.program.json("log", "seal", folder)
    verified = loaded.program.json("log", "verify", folder)
    audited = loaded.program.json("audit", "verify")

    position, chain = loaded.told["position"], loaded.told["chain"]
    assert told == {
        "position": position,
        "chain": chain,
        "segments": 1,
        "sealed": position,
        "folder": str(folder),
        "seconds": told["seconds"],
    }
    assert again == told | {"sealed": 0, "seconds": again["seconds"]}
    assert verified == audited | {"seconds": verified["seconds"]}
    assert loaded.program.succeed("log", "seal", folder).out.startswith(f"{folder} holds the whole log already")


def test_a_sealed_log_is_verified_without_a_warehouse(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    sealed = copied(tmp_path / "sealed")

    done = program.run("log", "verify", sealed, "--checkpoint", CHECKPOINT, "--json")
    assert (done.code, done.document["valid"], done.document["trusted"]) == (NO, True, False), "nobody vouches"
    assert program.run("log", "verify", sealed, "--checkpoint", CHECKPOINT, "--untrusted").code == 0

    (sealed / manifest_of(sealed)["segments"][2]["folder"] / "sales.parquet").unlink()
    done = program.run("log", "verify", sealed, "--json")
    assert (done.code, done.document["valid"], done.document["position"]) == (NO, False, 1299)
    assert not (tmp_path / "home").exists()


def test_a_checkpoint_of_another_store_says_nothing(loaded: Loaded, tmp_path: Path) -> None:
    loaded.program.succeed("log", "seal", tmp_path / "sealed")
    done = loaded.program.run("log", "verify", tmp_path / "sealed", "--checkpoint", CHECKPOINT, "--json")
    assert (done.code, "another store" in done.document["reason"]) == (NO, True)


def test_folders_that_are_not_of_this_log_are_refused_and_left_alone(loaded: Loaded, tmp_path: Path) -> None:
    (others := tmp_path / "others").mkdir()
    (others / "notes.txt").write_text("mine")
    (newer := tmp_path / "newer").mkdir()
    (newer / "manifest.json").write_text('{"format": "replayhouse sealed log 2"}')
    (file := tmp_path / "file").write_text("mine")
    golden, headless = copied(tmp_path / "golden"), copied(tmp_path / "headless")
    (headless / "manifest.json").unlink()
    with psycopg.connect(loaded.url, autocommit=True) as conn:
        store = conn.execute("SELECT store_id FROM event_store.store").fetchone()
    assert store is not None
    foreign = copied(tmp_path / "foreign")
    text = (foreign / "manifest.json").read_text()
    (foreign / "manifest.json").write_text(text.replace(manifest_of(foreign)["store"], str(store[0])))

    for folder, words in {
        others: "has no manifest.json, and holds other files (notes.txt)",
        headless: "has no manifest.json, and holds other files (000000000001-000000000655)",
        newer: "it was sealed by a newer program",
        file: "is a file: name the folder",
        tmp_path / "no/where": "does not exist: make it",
        golden: "is the sealed log of another store",
        foreign: f"is sealed up to position 1,913, and the log ends at {loaded.told['position']:,}",
    }.items():
        before = tree(folder) if folder.is_dir() else {}
        refused(loaded.program.run("log", "seal", folder, "--json"), WRONG_USAGE, words)
        assert (tree(folder) if folder.is_dir() else {}) == before
    assert file.read_text() == "mine"
    for folder in (others, headless, newer):
        assert not (folder / ".lock").exists()


def test_a_log_with_another_chain_is_refused(loaded: Loaded, empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "sealed"
    empty.succeed("log", "seal", folder)
    assert manifest_of(folder)["segments"] == []
    empty.succeed("generate", tmp_path / "extract", "--orders", "5", "--seed", "1")
    empty.succeed("ingest", tmp_path / "extract")
    sealed = empty.json("log", "seal", folder)
    position = sealed["position"]

    with psycopg.connect(empty.environment["REPLAYHOUSE_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("ALTER TABLE event_store.commit DISABLE TRIGGER append_only")
        conn.execute("UPDATE event_store.commit SET chain = root WHERE last_position = %s", [position])
    refused(empty.run("log", "seal", folder, "--json"), WRONG_USAGE, "with another chain than the log has there")


def test_a_log_that_does_not_hold_is_not_sealed(empty: Program, tmp_path: Path) -> None:
    empty.succeed("generate", tmp_path / "extract", "--orders", "5", "--seed", "1")
    empty.succeed("ingest", tmp_path / "extract")
    with psycopg.connect(empty.environment["REPLAYHOUSE_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
        conn.execute("UPDATE event_store.sales_events SET source = 'orders:1'")
    refused(empty.run("log", "seal", tmp_path / "sealed", "--json"), NO, "The log does not hold from position")
    assert manifest_of(tmp_path / "sealed")["segments"] == []


def test_neither_keys_nor_personal_fields_in_clear_stand_in_a_sealed_log(loaded: Loaded, tmp_path: Path) -> None:
    loaded.program.succeed("log", "seal", tmp_path / "sealed")
    log = open_sealed_log(tmp_path / "sealed")
    values = {
        context: b"\n".join(
            (value if isinstance(value, bytes) else str(value).encode()).lower()
            for batch in log.rows(context)
            for column in batch.columns
            for value in column.to_pylist()
        )
        for context in CONTEXTS
    }
    with psycopg.connect(loaded.url, autocommit=True) as conn:
        keys = [bytes(key) for (key,) in conn.execute("SELECT key FROM event_store.subject_key").fetchall()]
        shown = conn.execute("SELECT DISTINCT city FROM customer.dim_customer WHERE length(city) > 6").fetchall()
    assert keys
    assert shown
    for key in keys:
        for text in (key, key.hex().encode(), base64.b64encode(key)):
            assert text.lower() not in b"\n".join(values.values())
    assert [city for (city,) in shown if city.encode() in values["customer"]] == []


# --- storage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_storage_that_fsspec_knows_holds_a_sealed_log(scheme: str, loaded: Loaded, tmp_path: Path) -> None:
    url = f"{scheme}://{tmp_path}/sealed"
    with psycopg.connect(loaded.url, autocommit=True) as conn:
        assert seal(conn, url).events == loaded.told["position"]
        assert seal(conn, url).events == 0
        seal(conn, str(tmp_path / "local"))

    log, local = open_sealed_log(url), open_sealed_log(tmp_path / "local")
    assert (log.position, log.chain) == (local.position, local.chain)
    for context in CONTEXTS:
        assert list(log.rows(context)) == list(local.rows(context))


def test_another_who_has_sealed_meanwhile_is_no_longer_overwritten(loaded: Loaded, tmp_path: Path) -> None:
    url = f"memory://{tmp_path}/sealed"
    with psycopg.connect(loaded.url, autocommit=True) as conn:
        other: list[None] = []

        def meanwhile(_done: int, _of: int) -> None:
            if not other:
                other.append(None)
                seal(conn_of_other, url)

        with psycopg.connect(loaded.url, autocommit=True) as conn_of_other, pytest.raises(Conflicting) as raised:
            seal(conn, url, meanwhile)
    assert "Another command has sealed into" in str(raised.value)
    assert open_sealed_log(url).position == loaded.told["position"]


def test_storage_without_its_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"pip install 'replayhouse\[storage\]'"):
        open_sealed_log(f"memory://{tmp_path}/sealed")


def test_storage_that_nobody_knows_is_told(tmp_path: Path) -> None:
    done = Program(tmp_path / "home").run("log", "verify", "nowhere://bucket/log", "--json")
    refused(done, WRONG_USAGE, "Nothing here reaches nowhere://bucket/log")
