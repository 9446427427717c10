"""What machines are told: each thing by its name, with keys of a list, and no words that may hold anything."""

import ast
import io
import json
import logging
import re
import threading
import warnings
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from replayhouse.infra.cli.main import run
from replayhouse.infra.cli.output import progress, warn_in_lines
from replayhouse.infra.telemetry import happenings, log_lines
from replayhouse.infra.telemetry.happenings import Facts, Happening, happened
from replayhouse.infra.telemetry.log_lines import ALWAYS, written
from replayhouse.infra.telemetry.spans import Work

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/telemetry.md"
LOAD = UUID(int=7)
CANARY = "Maria-José 123.456.789-00"


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def commented_keys() -> dict[str, str]:
    """Each key of Facts with the comment beside it."""
    source = Path(happenings.__file__).read_text(encoding="utf-8")
    [facts] = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Facts"]
    lines = source.splitlines()
    return {
        cast(ast.Name, node.target).id: lines[node.lineno - 1].partition("#")[2].strip()
        for node in facts.body
        if isinstance(node, ast.AnnAssign)
    }


def table_of(page: str, title: str) -> list[list[str]]:
    """The rows of the table under a title."""
    part = page.partition(f"\n### {title}\n")[2].partition("\n#")[0]
    rows = [line.strip("|").split(" | ") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def tell_often(times: int) -> None:
    for _ in range(times):
        happened(Happening.LOAD_UNCHANGED, load=LOAD)


def test_what_happens_is_one_line_of_json() -> None:
    stream = io.StringIO()
    with written(stream):
        happened(Happening.LOAD_COMPLETED, load=LOAD, events=3, score=99.98765)
    [line] = lines_of(stream)
    assert {key: line[key] for key in ("level", "event", "load", "events", "score")} == {
        "level": "info",
        "event": "load.completed",
        "load": str(LOAD),
        "events": 3,
        "score": 99.988,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["time"])
    assert set(line) <= {*ALWAYS, *Facts.__annotations__}


def test_nothing_is_written_where_nobody_listens() -> None:
    stream = io.StringIO()
    with written(stream):
        pass
    happened(Happening.LOAD_COMPLETED, load=LOAD)
    assert stream.getvalue() == ""


def test_what_is_not_in_the_list_is_left_out() -> None:
    stream = io.StringIO()
    with written(stream):
        happened(Happening.LOAD_COMPLETED, **cast(Any, {"load": LOAD, "name": CANARY}))
    assert "Maria" not in stream.getvalue()
    assert lines_of(stream)[0]["load"] == str(LOAD)


def test_lines_of_several_threads_are_whole() -> None:
    stream = io.StringIO()
    with written(stream):
        threads = [threading.Thread(target=lambda: tell_often(50)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(lines_of(stream)) == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_libraries_and_python_say_is_named_and_not_repeated() -> None:
    def fail() -> None:
        raise LookupError(CANARY)

    stream = io.StringIO()
    with written(stream):
        logging.getLogger("some.library").warning("of %s", CANARY)
        try:
            fail()
        except LookupError:
            logging.getLogger("some.library").exception("of %s", CANARY)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(CANARY, ResourceWarning, stacklevel=1)
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    found = [(line["level"], line["logger"], line.get("error")) for line in lines_of(stream)]
    assert found == [
        ("warning", "some.library", None),
        ("error", "some.library", "LookupError"),
        ("warning", "warnings", "ResourceWarning"),
        ("error", "python", "LookupError"),
    ]
    assert "Maria" not in stream.getvalue()


def test_what_people_would_be_told_is_named_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    with written(), progress() as tell:
        tell(CANARY, 0, 0)
        warn_in_lines(f"The load {CANARY}\nis open.")
    [line] = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told["event"] == "person.told"
    assert told["place"].endswith(test_what_people_would_be_told_is_named_by_its_place.__name__)


def test_a_command_is_told_from_its_beginning_to_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_LOG", "json")
    assert run(["ingest", f"/nowhere/{CANARY}", "--json"]) == 2
    shown = capsys.readouterr()
    assert CANARY in json.loads(shown.out)["error"], "people are told on standard output, as ever"
    told = [json.loads(line) for line in shown.err.splitlines()]
    assert [line["event"] for line in told] == ["command.begun", "command.ended"]
    last = told[-1]
    assert (last["level"], last["command"], last["exit_code"], last["error"]) == ("error", "ingest", 2, "InputError")
    assert "Maria" not in shown.err


def test_a_word_that_is_no_command_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_LOG", "json")
    assert run(["audit", CANARY]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.err.splitlines()[-1])["command"] == "audit"
    assert "Maria" not in shown.err


@pytest.mark.parametrize("value", ["yaml", "JSON", " json"])
def test_a_wrong_setting_is_told_plainly(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_LOG", value)
    assert run(["--version"]) == 2
    assert (
        capsys.readouterr().err == f"The setting REPLAYHOUSE_LOG makes no sense: it is text or json (got {value!r}).\n"
    )


@pytest.mark.parametrize("value", ["", "text"])
def test_people_are_told_as_ever_where_nobody_asks(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_LOG", value)
    assert run(["ingest", "/nowhere/at/all"]) == 2
    assert capsys.readouterr().err.startswith("/nowhere/at/all does not exist.")
    assert not happenings.is_anybody_listening()


def test_the_page_lists_what_happens_and_what_is_said_of_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table_of(page, "What happens") == [[f"`{one}`", one.meaning, one.level] for one in Happening]
    assert table_of(page, "What is said of it") == [[f"`{key}`", told] for key, told in commented_keys().items()]
    assert table_of(page, "What a trace shows") == [[f"`{one}`", one.meaning] for one in Work]
    assert set(commented_keys()) == set(Facts.__annotations__)


def test_nothing_is_listed_that_never_happens() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "infra").rglob("*.py"))
    assert [one.name for one in Happening if f"Happening.{one.name}" not in code] == []
    assert [one.name for one in Work if f"Work.{one.name}" not in code] == []
    assert log_lines.SETTING in PAGE.read_text(encoding="utf-8")
