"""`replay --engine spark`, as a user runs it: the digests of live tables, and no word of a secret anywhere."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no type information
import psycopg
import pytest

from tests.support.cli import Program
from tests.support.homes import AS_INSTALLED
from tests.support.in_process import refused
from tests.support.replaying import Played, digests_of, files_of

SECRET = "open-sesame-of-keys"
LOCAL = ("--engine", "spark", "--master", "local[2]")
LONGEST_WAIT_S = 300.0


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program where there is no warehouse; Spark keeps a log of its events, and all that is temporary is here."""
    for folder in ("events", "conf", "temporary"):
        (tmp_path / folder).mkdir()
    (tmp_path / "conf/spark-defaults.conf").write_text(
        "spark.eventLog.enabled true\nspark.eventLog.compress false\n"
        f"spark.eventLog.dir file://{tmp_path}/events\nspark.local.dir {tmp_path}/temporary\n"
    )
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return Program(tmp_path / "no home", AS_INSTALLED)


def test_the_digests_are_the_live_ones_and_neither_keys_nor_passwords_are_left_anywhere(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    url = history.loaded.url.replace("postgres@", f"postgres:{SECRET}@")
    assert SECRET in url
    with psycopg.connect(history.loaded.url) as conn:
        keys = [key for (key,) in conn.execute("SELECT key FROM event_store.subject_key WHERE key IS NOT NULL")]

    done = nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--keys", url, *LOCAL, "--json")

    assert done.code == 0, done.err
    assert [line for line in done.err.splitlines() if not line.endswith(" ...")] == [], "Spark speaks on the terminal"
    told = done.document
    assert digests_of(told) == history.digests()
    status = history.program.json("status")
    assert (told["position"], told["chain"]) == (status["position"], status["chain"])
    events = b"".join(path.read_bytes() for path in (tmp_path / "events").rglob("*") if path.is_file())
    assert b"SparkListenerEnvironmentUpdate" in events, "there is no log of events to look into"
    written = events + b"".join(path.read_bytes() for path in (tmp_path / "rows").rglob("*") if path.is_file())
    assert SECRET.encode() not in written
    assert keys
    assert not [key for key in keys if key in written or key.hex().encode() in written]
    assert files_of(tmp_path / "temporary") == set()
    assert _that_know(tmp_path / "conf") == [], "what was started goes on"


def test_limits_contexts_and_what_stands_in_the_folder_are_those_of_every_replay(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    rows, limits = tmp_path / "rows", ("--to-position", str(history.positions[1]), "--occurred-before", "2018-02-01")
    nowhere.succeed("replay", history.sealed, "marketplace", "--out", rows)
    before = files_of(rows)

    told = nowhere.json("replay", history.sealed, "sales", "customer", "--out", rows, "--force", *limits, *LOCAL)

    expected, found = history.digests(*limits), digests_of(told)
    assert found["sales"] == expected["sales"]
    assert set(found) == {"sales", "customer"}
    assert "customer.fact_review" in told["withheld"]
    assert found["customer"]["customer_alias"] == expected["customer"]["customer_alias"]
    assert files_of(rows) & before == {"manifest.json"}


def test_a_killed_driver_leaves_nothing_that_counts_and_the_next_run_is_whole(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    rows = tmp_path / "rows"
    command = (*AS_INSTALLED, "replay", str(history.sealed), "--out", str(rows), "--keys", str(history.keys), *LOCAL)
    with subprocess.Popen(command, env=nowhere.environment, stderr=subprocess.DEVNULL) as process:
        started = psutil.Process(process.pid)
        _wait_for(lambda: any("-00000-" not in path.name for path in rows.rglob("part-*")), process)
        others = started.children(recursive=True)
        process.kill()
    assert [other.name() for other in others if "java" in other.name()]
    _, alive = psutil.wait_procs(others, LONGEST_WAIT_S)
    assert alive == [], "Spark goes on without its driver"
    assert not (rows / "manifest.json").exists()

    told = nowhere.json("replay", history.sealed, "--out", rows, "--keys", history.keys)

    assert digests_of(told) == history.digests()
    assert len([name for name in files_of(rows) if "/part-" in name]) == len(_named(rows))


def test_what_is_wrong_is_said_plainly(history: Played, nowhere: Program, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    lost = nowhere.run("replay", history.sealed, "--out", rows, "--keys", history.old_keys, *LOCAL, "--json")
    refused(lost, 2, "somebody was erased")
    no_master = nowhere.run(
        "replay", history.sealed, "--out", rows, "--engine", "spark", "--master", "local[", "--json"
    )
    refused(no_master, 2, "--master")
    elsewhere = nowhere.run("replay", history.sealed, "--out", rows, "--master", "local[2]", "--json")
    refused(elsewhere, 2, "--engine spark")
    assert not (rows / "manifest.json").exists()
    assert files_of(tmp_path / "temporary") == set()


def test_without_java_it_says_what_to_install(history: Played, nowhere: Program, tmp_path: Path) -> None:
    without = tmp_path / "programs"
    without.mkdir()
    for name in ("bash", "dirname", "env", "sed", "ls", "head", "uname", "cat", "ps"):
        if found := shutil.which(name):
            (without / name).symlink_to(found)
    nowhere.environment["PATH"] = str(without)
    nowhere.environment.pop("JAVA_HOME", None)
    refused(nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", *LOCAL, "--json"), 2, "Java 17")


def _named(rows: Path) -> set[str]:
    """The files that the manifest names."""
    manifest = json.loads((rows / "manifest.json").read_text())
    tables = [table for of_context in manifest["contexts"].values() for table in of_context["tables"].values()]
    return {file["file"] for table in tables for file in table["files"]}


def _wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not condition():
        assert process.poll() is None, "the command has ended before"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _that_know(conf: Path) -> list[str]:
    """The processes whose Spark is configured by a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SPARK_CONF_DIR") == str(conf):
                found.append(process.name())
        except psutil.Error:
            continue
    return found
