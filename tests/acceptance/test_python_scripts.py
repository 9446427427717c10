"""A script that uses the program from Python, at its top level: processes that share the work do not run it again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import copied

ORDERS = 1_500

SCRIPT = """
import multiprocessing
import sys
import threading

import replayhouse
from replayhouse.infra.loads import workers as of_loads
from replayhouse.infra.read_models.rebuild import workers as of_rebuilds
from replayhouse.infra.runtime.forks import WORKER
import replayhouse.ingest.synthetic.generate
of_extracts = sys.modules["replayhouse.ingest.synthetic.generate"]

of_loads.UNITS_WORTH_A_PROCESS = 1
of_rebuilds._EVENTS_WORTH_A_PROCESS = 1_000
of_extracts._ORDERS_FOR_A_PROCESS = 500
url, folder, is_beside_a_thread = sys.argv[1], sys.argv[2], sys.argv[3] == "True"
with open(f"{folder}/runs", "a") as runs:
    runs.write("run ")
told = threading.Event()
if is_beside_a_thread:
    threading.Thread(target=told.wait, daemon=True).start()
kinds = set()


def look(*_):
    for child in multiprocessing.active_children():
        kind = type(child).__name__
        if kind == "SpawnProcess" or open(f"/proc/{child.pid}/comm").read().strip() == WORKER:
            kinds.add(kind)


def assert_had_help():
    found = set(kinds)
    kinds.clear()
    assert found == {"SpawnProcess" if is_beside_a_thread or sys.platform != "linux" else "ForkProcess"}, found


replayhouse.generate(f"{folder}/extract", ORDERS, workers=2, tell=look)
with replayhouse.open(database_url=url, home=f"{folder}/home", workers=2, tell=look) as warehouse:
    loaded = warehouse.ingest(f"{folder}/extract")
    assert_had_help()
    rebuilt = warehouse.rebuild()
    assert_had_help()
    verified = warehouse.verify()
told.set()
print(loaded.status, verified.holds, rebuilt.events == verified.position, multiprocessing.active_children())
"""


@pytest.mark.parametrize("is_beside_a_thread", [False, True])
def test_large_work_is_shared_and_the_script_runs_once(
    server: EmbeddedServer, tmp_path: Path, is_beside_a_thread: bool
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("ORDERS", str(ORDERS)))
    with copied(server) as database:
        done = subprocess.run(
            [sys.executable, script, database.url, tmp_path, str(is_beside_a_thread)],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # numpy's threads keep a process from being forked
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "completed True True []\n", "")
    assert (tmp_path / "runs").read_text() == "run "
