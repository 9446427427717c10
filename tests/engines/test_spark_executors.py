"""Executors in processes and folders of their own: one is killed, tasks are done twice, the rows are the same."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no type information
import pyspark
import pytest

from replayhouse.infra.backup.keys_file import KeysOfFile
from replayhouse.infra.replaying.keys import KeysFrom
from replayhouse.infra.replaying.manifest import LimitsMet, RowsManifest
from replayhouse.infra.replaying.output import writing_rows
from replayhouse.infra.replaying.replay import Job, replay
from replayhouse.infra.replaying.spark import Spark
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.sealed_log.reader import open_sealed_log
from tests.support.cli import CONTEXTS
from tests.support.replaying import Played, files_of
from tests.support.spark_keys import ROOT, AwayAtFirst, Begun, Waiting

CLUSTER = "local-cluster[2,1,1024]"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
LONGEST_WAIT_S = 300.0


@pytest.fixture(autouse=True)
def _of_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Executors find the doubles of these tests, and their folders are the test's: a Java that starts is told both."""
    assert pyspark.SparkContext._gateway is None, "a Java with another environment was left behind in this process"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    home = tmp_path / "spark"
    home.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        if part.name != "work":  # executors of somebody else's
            (home / part.name).symlink_to(part)
    monkeypatch.setenv("SPARK_HOME", str(home))


def test_a_killed_executor_and_what_it_goes_on_to_write_change_nothing(history: Played, tmp_path: Path) -> None:
    """Two executors wait in the middle of their tasks, one is killed, and both tasks' processes go on."""
    gate = tmp_path / "gate"
    gate.mkdir()
    keys = Waiting(gate, KeysOfFile(history.keys))
    begun: list[Begun] = []
    killer = threading.Thread(target=_kill_one_of_two, args=(keys, begun), daemon=True)
    killer.start()

    manifest = _replayed(history, tmp_path / "rows", CLUSTER, keys)

    killer.join()
    assert _digests(manifest) == history.digests()
    assert len({one.folder for one in begun}) == 2, "two executors have folders of their own"
    assert {Path(one.folder).parents[1] for one in begun} == {tmp_path / "spark/work"}
    assert all(".zip/replayhouse/" in one.program for one in begun), "they have the code that was sent to them"
    named = {file.file for file in manifest.files}
    assert named <= files_of(tmp_path / "rows")
    done = {file.file.rsplit("-", 2)[1] for file in manifest.files} - {"00000"}
    assert len(keys.begun()) > len(done), "no task was begun twice"


def test_a_task_that_fails_is_done_again(history: Played, tmp_path: Path) -> None:
    manifest = _replayed(history, tmp_path / "rows", "local[2,3]", AwayAtFirst(tmp_path, KeysOfFile(history.keys)))

    assert _digests(manifest) == history.digests()
    assert files_of(tmp_path / "rows") == {file.file for file in manifest.files} | {"manifest.json"}


def test_a_task_that_goes_on_failing_ends_the_replay_with_its_own_words(history: Played, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"^The keys are away\.$"):
        _replayed(history, tmp_path / "rows", "local[1]", AwayAtFirst(tmp_path, KeysOfFile(history.keys)))

    assert not (tmp_path / "rows" / "manifest.json").exists()


def _replayed(history: Played, rows: Path, master: str, keys: KeysFrom) -> RowsManifest:
    log = open_sealed_log(history.sealed)
    with writing_rows(rows, replaces=False) as output:
        return replay(Job(log, CONTEXTS, LimitsMet(), keys), output, Spark(master), lambda done, of: None)


def _digests(manifest: RowsManifest) -> dict[str, dict[str, dict[str, object]]]:
    return {
        context: {name: {"rows": table.rows, "digest": table.digest} for name, table in told.tables.items()}
        for context, told in manifest.contexts.items()
    }


def _kill_one_of_two(keys: Waiting, begun: list[Begun]) -> None:
    """Kills the executor of one of two tasks that have begun, and lets all tasks go on."""
    try:
        _wait_for(lambda: len({one.folder for one in keys.begun()}) == 2)
        begun += keys.begun()
        executor = next(parent for parent in psutil.Process(begun[0].pid).parents() if EXECUTOR in parent.cmdline())
        executor.kill()
        executor.wait(LONGEST_WAIT_S)
    finally:
        keys.open()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
