"""A run that is terminated asks its command to end, and is over when that is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from running import a_program
from waiting import LONGEST_S, wait_until

from replayhouse_dagster.child import Child

ENDS_SLOWLY = """
trap 'sleep 0.3; echo ended > "$HERE/ended"; exit 143' TERM
echo started > "$HERE/started"
echo started >&2
while :; do sleep 0.05; done
"""
DEFINITIONS = """
from replayhouse_dagster import ReplayhouseCli, definitions
defs = definitions(ReplayhouseCli(executable={program!r}), {extracts!r})
"""


def interrupt(line: str) -> None:
    """Whom to tell, to be interrupted."""
    raise KeyboardInterrupt(line)


def run_of(script: str, folder: Path, grace_s: float) -> Child:
    return Child([a_program(folder, script).executable], dict(os.environ), grace_s)


def test_who_is_interrupted_passes_that_on_and_waits(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_of(ENDS_SLOWLY, tmp_path, 60.0).run(interrupt)
    assert (tmp_path / "ended").exists()


def test_what_does_not_end_is_killed_after_the_grace_with_what_it_has_started(tmp_path: Path) -> None:
    script = """trap '' TERM; sleep 600 & echo $! > "$HERE/pid"; echo here >&2; while :; do sleep 0.05; done"""
    with pytest.raises(KeyboardInterrupt):
        run_of(script, tmp_path, 0.2).run(interrupt)
    left = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}")
    wait_until(lambda: not left.exists() or "\nState:\tZ" in (left / "status").read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_terminated_run_ends_its_command_in_order(
    instance: DagsterInstance, tmp_path: Path, number: signal.Signals
) -> None:
    """Steps are processes of their own, as by default."""
    cli = a_program(tmp_path, ENDS_SLOWLY)
    source = DEFINITIONS.format(program=cli.executable, extracts=str(tmp_path))
    (tmp_path / "definitions.py").write_text(source, encoding="utf-8")
    command = ("job", "execute", "-f", "definitions.py", "-j", "verify")
    with subprocess.Popen(
        [sys.executable, "-m", "dagster", *command],
        cwd=tmp_path,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path / "dagster")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until((tmp_path / "started").exists, process)
        process.send_signal(number)
        process.wait(LONGEST_S)
    assert (tmp_path / "ended").exists()
    (one,) = instance.get_runs()
    assert one.status in (DagsterRunStatus.CANCELED, DagsterRunStatus.FAILURE)
