"""Ctrl-C ends a command with 130 and one word, whatever it is about, and every process that works for it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from replayhouse.infra.application.publish import PublishReport
from replayhouse.infra.application.site import errors_in_our_words
from replayhouse.infra.cli import main
from replayhouse.infra.cli.main import run
from replayhouse.infra.runtime import interrupts
from tests.support.homes import wait_until

PROGRAM = Path(sys.executable).with_name("replayhouse")
ENDLESS = (
    "SELECT sum(range) FROM range(1000000000000)",
    "SELECT count(*) FROM range(1000000000) AS a, range(1000) AS b WHERE a.range % 7 = b.range % 5",
)

WHILE_IMPORTING = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

from replayhouse.infra.cli.main import main
sys.meta_path.insert(0, Interrupting())
sys.argv[1:] = [sys.argv[1], "--version"]
main()
"""
WITH_A_POOL = """
import os, signal, sys, time
from concurrent.futures import wait
from replayhouse.infra.runtime.subprocesses import Pool, end_with_parent

def work():
    with Pool(2, end_with_parent, ()) as pool:
        tasks = [pool.submit(time.sleep, seconds) for seconds in [float(sys.argv[1]), 600, 600, 600]]
        if float(sys.argv[1]) == 0:
            tasks[0].result()
        os.killpg(0, signal.SIGINT)
        wait(tasks)

if __name__ == "__main__":
    try:
        work()
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Signals are taken as the program takes them."""
    before = signal.signal(signal.SIGINT, main._interrupt)
    interrupts.listen()
    yield
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, before)
    main._interrupts.clear()


@pytest.mark.parametrize("module", ["replayhouse.infra.cli.streams", "typer", "replayhouse.infra.cli.loads"])
def test_while_the_program_starts(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", WHILE_IMPORTING, module], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr in ("Interrupted.\n", "")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("query", ENDLESS)
def test_in_a_query_of_duckdb(query: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """DuckDB lets the interpreter hear of it in some queries, and not in others."""

    def ask(_: object) -> None:
        connection = interrupts.interruptible(duckdb.connect())
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        connection.execute(query).fetchall()

    monkeypatch.setattr("replayhouse.infra.application.site.open_database", ask)
    assert run(["--debug", "status"]) == 130
    assert capsys.readouterr() == ("", "Interrupted.\n")


def test_what_duckdb_says_of_an_interrupt_is_one_to_a_caller_of_the_library_too() -> None:
    with pytest.raises(KeyboardInterrupt), errors_in_our_words():
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match="something else"), errors_in_our_words():
        raise RuntimeError("something else")


def test_an_error_that_an_interrupt_has_caused_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        main._interrupts.append(signal.SIGINT)
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(main, "_interrupts", [])
    monkeypatch.setattr("replayhouse.infra.application.site.open_database", fail)
    assert run(["status", "--json"]) == 130
    assert capsys.readouterr() == ("", "Interrupted.\n")


@pytest.mark.parametrize("first", ["0", "600"], ids=["at work", "starting"])
def test_processes_of_a_pool_end_without_a_word(first: str, tmp_path: Path) -> None:
    script = tmp_path / "with_a_pool.py"
    script.write_text(WITH_A_POOL)
    done = subprocess.run(
        [sys.executable, script, first],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_while_an_extract_is_generated_by_several_processes(tmp_path: Path) -> None:
    folder = tmp_path / "extract"
    command = subprocess.Popen(
        [PROGRAM, "generate", folder, "--orders", "200000"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "REPLAYHOUSE_WORKERS": "2"},
    )
    wait_until(lambda: any(folder.glob(".parts-*/0*")))
    os.killpg(command.pid, signal.SIGINT)
    out, err = command.communicate()
    assert (command.returncode, out) == (130, "")
    assert err == f"writing to {folder} ...\nInterrupted.\n"
    assert not folder.exists()


def test_a_relay_that_does_not_follow_was_not_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = threading.Event()
    told.set()
    monkeypatch.setattr("replayhouse.infra.cli.publish.told_to_end", lambda: told)
    monkeypatch.setattr("replayhouse.infra.application.publish.publish", lambda *_, **__: PublishReport({}))
    assert run(["publish"]) == 130
    assert capsys.readouterr() == ("", "Interrupted.\n")
    assert run(["publish", "--follow"]) == 0
