"""What comes from outside reaches no terminal raw, whichever way a command says it; and streams that fail."""

import errno
import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.cli import streams
from replayhouse.infra.cli.main import run
from replayhouse.infra.cli.output import print_json, print_json_list, progress, say, table, warn
from replayhouse.infra.cli.streams import legible
from replayhouse.infra.runtime.errors import Rejected
from tests.support.hostile import HOSTILE, raw

OF_RICH = re.compile(r"\x1b\[[\d;]*m")
"""Colours that rich sets itself."""

PROGRAM = Path(sys.executable).with_name("replayhouse")


class Terminal(io.StringIO):
    """A stream on which somebody looks, in an encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._name = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # of a StringIO it is None
        return self._name

    def isatty(self) -> bool:
        return True


@given(st.text())
def test_a_text_is_made_legible_without_losing_what_is_printable(text: str) -> None:
    told = legible(text)
    assert told.isprintable()
    assert legible(told) == told
    if text.isprintable():
        assert told == text


def test_lines_tables_documents_and_progress_are_free_of_what_is_not_printable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(f"the load {HOSTILE}")
    warn(f"the file {HOSTILE}")
    table((HOSTILE, "n"), [(HOSTILE, 1)], title=HOSTILE)
    with progress() as tell:
        tell(HOSTILE, 0, 0)
    print_json({HOSTILE: HOSTILE})
    print_json_list([HOSTILE, HOSTILE])
    shown = capsys.readouterr()
    assert raw(shown.out + shown.err) == []
    assert shown.out.count("\n") == 7  # the list stands on two lines
    assert shown.err.count("\n") == 2
    assert json.loads(shown.out.splitlines()[4]) == {HOSTILE: HOSTILE}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_on_a_terminal_too_and_what_looks_like_markup_is_text(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(encoding), Terminal(encoding)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "400")
    marked = f"[red]{HOSTILE}[/blink][/]"
    table((marked,), [(marked,)], title=marked)
    print_json([marked])
    with progress() as tell:
        tell(marked, 1, 3)
    told = OF_RICH.sub("", out.getvalue())
    assert raw(told) == []
    assert told.count("[red]") == 4
    assert told.count(f"{legible(HOSTILE)}[/blink][/]") == 3
    assert json.loads(told.splitlines()[-2].strip()) == marked
    assert {"\x07", "\u202e", "\x9b"}.isdisjoint(err.getvalue())


def test_errors_and_what_libraries_log_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        logging.getLogger("of.a.library").warning("the broker said %s", HOSTILE)
        raise Rejected(f"The load {HOSTILE} is no load.", then=[f"GRANT {HOSTILE};", "And so on."])

    monkeypatch.setattr("replayhouse.infra.application.site.open_database", refuse)
    monkeypatch.setattr("logging.lastResort", streams._OfLibraries(logging.WARNING))
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    for arguments in (["status"], ["--debug", "status"], [HOSTILE], ["status", HOSTILE], ["rebuild", HOSTILE]):
        assert run(arguments) in (1, 2)
        shown = capsys.readouterr()
        assert raw(shown.err) == []
        assert shown.out == ""
        if arguments == ["status"]:
            assert [line.partition(" ")[0] for line in shown.err.splitlines()] == ["the", "The", "GRANT", "And"]


def test_of_an_error_that_a_library_logs_there_is_one_line_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise StopIteration
    except StopIteration:
        error = sys.exc_info()
    record = logging.LogRecord("of.a.library", logging.ERROR, __file__, 1, "Failed to load %s\nmore", ("it",), error)
    streams._OfLibraries(logging.WARNING).handle(record)
    assert capsys.readouterr().err == "Failed to load it (StopIteration)\n"


@pytest.mark.parametrize(
    ("streams", "code", "told"),
    [
        (">/dev/full", 2, "No space left on device"),
        (">&-", 2, "Bad file descriptor"),
        ("2>/dev/full", 0, ""),
        ("2>&-", 0, ""),
        ("<&- >&- 2>&-", 2, ""),
        ("| true", 0, ""),
    ],
)
def test_streams_that_cannot_be_written_are_told_plainly(streams: str, code: int, told: str) -> None:
    done = subprocess.run(["sh", "-c", f"{PROGRAM} --version {streams}"], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == (1 if told else 0)


def test_a_reader_that_leaves_early_ends_the_command_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    class Left(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", Left())
        assert run(["--version"]) == streams.READER_IS_GONE
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
    ],
    ids=str,
)
def test_letters_that_an_encoding_lacks_are_escaped(settings: dict[str, str]) -> None:
    done = subprocess.run(
        [PROGRAM, "audit", "history", "order", "São Paulo → 北京"],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONCOERCECLOCALE": "0", **settings},
        check=False,
    )
    assert done.returncode == 2
    assert b"is not an id" in done.stderr
    assert b"Traceback" not in done.stderr
