"""What the engine of Spark does by itself: errors travel as letters, and the program as a file."""

import errno
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from replayhouse.infra.event_store.known_keys import LostKeys
from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.replaying.folding import Folded, FoldedTable
from replayhouse.infra.replaying.keys import KeysOfDatabase
from replayhouse.infra.replaying.parts import Part
from replayhouse.infra.replaying.row_files import RowsFile
from replayhouse.infra.replaying.shipped_code import code_as_zip
from replayhouse.infra.replaying.spark import apart, marked, refuse_missing, unmarked
from replayhouse.infra.replaying.spark_context import reason_of, spark_context
from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError
from replayhouse.projections.digest import Digest

IMPORTED = """
import sys
sys.modules["psycopg"] = None
from replayhouse.infra.replaying import folding, spark
print(folding.__file__)
"""


@pytest.mark.parametrize(
    "error",
    [
        LostKeys("The key of “x” is lost\nand so on"),
        NewerVersion("too new"),
        ReplayhouseError("refused", then=("do this", "and that")),
        OSError(errno.ENOSPC, "No space left on device", "rows/part-1.parquet"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_a_task_is_itself_again_at_the_driver(error: ReplayhouseError | OSError) -> None:
    told = RuntimeError(f"Traceback (most recent call last):\n  RuntimeError: {error} {marked(error)}\n\tat org.apache")

    met = unmarked(told)

    assert (type(met), met.args, str(met)) == (type(error), error.args, str(error))
    assert getattr(met, "then", ()) == getattr(error, "then", ())
    assert getattr(met, "filename", None) == getattr(error, "filename", None)


def test_an_error_of_spark_stays_what_it_is() -> None:
    error = RuntimeError("Job aborted due to stage failure")
    assert unmarked(error) is error


def test_the_code_that_is_sent_is_enough_to_fold_and_has_the_same_name_each_time(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    sent = code_as_zip(tmp_path)

    told = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(sent)!r})\n{IMPORTED}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.startswith(f"{sent}/replayhouse/")
    again = code_as_zip(tmp_path / "again")
    assert (again.name, again.read_bytes()) == (sent.name, sent.read_bytes())


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n"
            ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, "
            "most recent failure: org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
            '  File "worker.py", line 1, in main\n    import pyarrow\n'
            "ModuleNotFoundError: No module named 'pyarrow'\n"
            "\tat org.apache.spark.Task.run(Task.scala:147)\nCaused by: java.io.IOException: closed",
            "ModuleNotFoundError: No module named 'pyarrow'",
        ),
        (
            "org.apache.spark.SparkException: Job aborted due to stage failure: Task 1 in stage 0.0 failed 4 times, "
            "most recent failure: Lost task 1.3 (TID 7): ExecutorLostFailure (executor 5 exited) Reason: code 137.\n"
            "Driver stacktrace:\n\tat org.apache.spark.scheduler.DAGScheduler.abort(DAGScheduler.scala:1)",
            "Task 1 in stage 0.0 failed 4 times, most recent failure: Lost task 1.3 (TID 7): ExecutorLostFailure "
            "(executor 5 exited) Reason: code 137",
        ),
        ("", "it says nothing"),
    ],
    ids=["python", "lost", "nothing"],
)
def test_of_what_spark_says_the_reason_is_told(told: str, reason: str) -> None:
    assert reason_of(told) == reason


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(UsageError, match=r"pip install 'replayhouse\[spark\]'"), spark_context("local[1]", {}):
        pytest.fail("there is no Spark")


def test_what_executors_wrote_elsewhere_does_not_count(tmp_path: Path) -> None:
    name = "sales/fact_order/part-00000000-00001-7.parquet"
    part = Part("sales", UUID(int=0), UUID(int=1), 9, None, "0" * 8, 1)
    folded = Folded(part, 1, {"fact_order": FoldedTable(Digest(1, 1), (RowsFile(name, 1, 4, "0" * 64),))})
    with pytest.raises(ReplayhouseError, match="all executors share"):
        refuse_missing(folded, tmp_path)
    (tmp_path / name).parent.mkdir(parents=True)

    (tmp_path / name).write_bytes(b"cut")
    with pytest.raises(ReplayhouseError, match="all executors share"):
        refuse_missing(folded, tmp_path)

    (tmp_path / name).write_bytes(b"full")
    refuse_missing(folded, tmp_path)


def test_a_password_is_not_sent_with_tasks() -> None:
    keys = KeysOfDatabase("postgresql://folder:sesame@db.example/warehouse")

    sent, variables = apart(keys, here=True)

    assert isinstance(sent, KeysOfDatabase)
    assert "sesame" not in sent.url
    assert "db.example" in sent.url
    assert variables == {"PGPASSWORD": "sesame"}
    with pytest.raises(UsageError, match="PGPASSFILE") as refused:
        apart(keys, here=False)
    assert "sesame" not in str(refused.value)
    without = KeysOfDatabase("postgresql://folder@db.example/warehouse")
    assert apart(without, here=False) == (without, {})
