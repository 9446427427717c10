"""What becomes of each exit code of the program, and of programs that say something else."""

import json
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckSeverity, DagsterEventType, DagsterInstance, Failure, RetryRequested
from running import a_program, run
from warehouses import Warehouse

from replayhouse_dagster import ReplayhouseCli
from replayhouse_dagster.child import LARGEST_OUTPUT, MOST_LINES

WORDS = "Another command is at work: replayhouse rebuild, of process 17."
AT_WORK = f"""echo '{{"error": "{WORDS}"}}'; exit 4"""


@dataclass
class Step:
    """The step of a run, as far as a command needs it."""

    log: logging.Logger
    retry_number: int = 0


def asked(cli: ReplayhouseCli, *arguments: str, **how: Any) -> Any:
    return cli.ask(Step(logging.getLogger("quiet")), *(arguments or ("ingest", "2018-03")), **how)


def refused(cli: ReplayhouseCli, **how: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        asked(cli, **how)
    return caught.value


def test_done_gives_the_document(tmp_path: Path) -> None:
    assert asked(a_program(tmp_path, """echo '{"position": 7}'""")) == (True, {"position": 7})


def test_no_is_an_answer_for_whom_asked_what_may_be_denied_and_else_a_failure(tmp_path: Path) -> None:
    cli = a_program(tmp_path, """echo '{"error": "It is not."}'; exit 1""")
    assert asked(cli, may_be_no=True) == (False, {"error": "It is not."})
    failure = refused(cli)
    assert (failure.description, failure.allow_retries) == ("It is not.", False)


@pytest.mark.parametrize(("code", "is_tried_again"), [(2, False), (3, True)])
def test_what_cannot_be_done_is_a_failure_with_the_sentence_of_the_program(
    tmp_path: Path, code: int, is_tried_again: bool
) -> None:
    """A service may be reached later, by a retry policy; what is wrong stays wrong."""
    failure = refused(a_program(tmp_path, f"""echo '{{"error": "At db.example:5432."}}'; exit {code}"""))
    assert (failure.description, failure.allow_retries) == ("At db.example:5432.", is_tried_again)
    assert failure.metadata["exit_code"].value == code


def test_while_another_command_is_at_work_the_step_is_to_be_tried_again_after_a_while(tmp_path: Path) -> None:
    with pytest.raises(RetryRequested) as caught:
        asked(a_program(tmp_path, AT_WORK, tries=7, seconds_between_tries=12.5))
    assert (caught.value.max_retries, caught.value.seconds_to_wait) == (7, 12.5)


def test_another_command_that_is_at_work_for_too_long_is_a_failure_with_the_sentence(tmp_path: Path) -> None:
    failure = refused(a_program(tmp_path, AT_WORK), tries=0)
    assert (failure.description, failure.allow_retries) == (WORDS, False)


def test_a_load_waits_for_another_command_and_is_then_made(
    warehouse: Warehouse, instance: DagsterInstance, extracts: Path, tmp_path: Path
) -> None:
    name = warehouse.receive_zip(extracts / "2017-12")
    script = f"""
        echo x >> "$HERE/tried"
        if [ "$(wc -l < "$HERE/tried")" -le 2 ]; then {AT_WORK}; fi
        exec '{warehouse.program.path}' "$@"
    """
    cli = a_program(tmp_path, script, home=str(warehouse.home))
    done = run(warehouse, instance, "load", name, cli=cli)
    retries = [event for event in done.all_events if event.event_type is DagsterEventType.STEP_UP_FOR_RETRY]
    assert (done.success, len(retries)) == (True, 2)
    assert [load["name"] for load in warehouse.json("batches")] == [name]


def test_a_program_of_another_version_loads_and_rules_that_it_does_not_know_warn(
    nowhere: Warehouse, instance: DagsterInstance, tmp_path: Path
) -> None:
    load = {
        "files": {"orders": dict.fromkeys(("rows", "new", "changed", "unchanged", "quarantined"), 7)},
        "events": {"sales": 9},
        **dict.fromkeys(("status", "batch", "chain"), "a text"),
        **dict.fromkeys(("position", "score", "seconds"), 3),
    }
    found = {"passed": True, "checked": 1, "failed": 0, "dimension": "validity", "severity": "LOW"}
    report = {"checks": [{"rule": name, **found} for name in ("columns_present", "a_rule_to_come")]}
    answers = f"ingest) echo '{json.dumps(load)}';; quality) echo '{json.dumps(report)}';;"
    cli = a_program(tmp_path, f'case "$1" in {answers} esac')
    done = run(nowhere, instance, "load", "2018-03", cli=cli)
    checks = done.get_asset_check_evaluations()
    assert [check.check_name for check in checks if check.passed] == ["columns_present"]
    assert {check.severity for check in checks if not check.passed} == {AssetCheckSeverity.WARN}
    (log,) = done.asset_materializations_for_node("log")
    assert (log.metadata["events"].value, log.metadata["rows"].value) == (9, 7)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo something else", "ingest printed no JSON: is `executable` replayhouse, and of this version?"),
        ("echo first >&2; echo no space left >&2; exit 70", "ingest ended with exit code 70. no space left"),
        ("exit 70", "ingest ended with exit code 70. It said nothing."),
        ("kill -KILL $$", "ingest was ended by signal 9. What it had begun goes on when it is run again."),
        (f"yes | head -c {LARGEST_OUTPUT + 1}", "ingest prints without end, and was ended."),
        ("yes", "ingest prints without end, and was ended."),
    ],
)
def test_a_program_that_does_something_else_is_told_plainly(tmp_path: Path, script: str, said: str) -> None:
    assert refused(a_program(tmp_path, script)).description == said


def test_a_program_that_is_not_there_or_is_none_is_told_plainly(tmp_path: Path) -> None:
    assert refused(ReplayhouseCli(executable="replayhouse-that-is-not-there")).description == (
        "There is no program replayhouse-that-is-not-there: install replayhouse, or set `executable` to where it is."
    )
    cli = a_program(tmp_path, "")
    Path(cli.executable).write_bytes(b"\x7fELF, but not really")
    assert refused(cli).description == f"{cli.executable} cannot be run: Exec format error."


def test_what_outlives_a_command_and_holds_its_output_open_is_not_waited_for(tmp_path: Path) -> None:
    """As a database that it has started may do."""
    cli = a_program(tmp_path, """sleep 600 & echo $! > "$HERE/pid"; echo '{"position": 7}'""")
    assert asked(cli).document == {"position": 7}
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # it is there still


def test_what_the_program_says_is_in_the_log_within_bounds(tmp_path: Path) -> None:
    script = f"echo reading ...; yes x | head -{MOST_LINES}; head -c 9999 /dev/zero | tr '\\0' y"
    told: list[str] = []
    log = logging.Logger("of a step")
    log.addHandler(_Kept(told))
    with pytest.raises(Failure):
        a_program(tmp_path, f"exec >&2; {script}; exit 2").ask(Step(log), "ingest")
    assert told[0] == "reading ..."
    assert len(told) == MOST_LINES + 1
    assert told[-1] == "6 more lines are left out."


class _Kept(logging.Handler):
    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.append(record.getMessage())


def test_the_program_has_the_settings_of_the_resource_and_no_python_path_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("REPLAYHOUSE_WORKERS", "1")
    cli = a_program(
        tmp_path,
        'env > "$HERE/environment"; echo "$@" > "$HERE/arguments"; echo {}',
        home="~/my home",
        database_url="postgresql://here",
        environment={"REPLAYHOUSE_ACTOR": "dagster"},
    )
    asked(cli, "ingest", "an extract with blanks")
    given = dict(line.partition("=")[::2] for line in (tmp_path / "environment").read_text().splitlines())
    assert given["REPLAYHOUSE_HOME"] == str(Path.home() / "my home")
    assert given["REPLAYHOUSE_DATABASE_URL"] == "postgresql://here"
    assert (given["REPLAYHOUSE_ACTOR"], given["REPLAYHOUSE_WORKERS"]) == ("dagster", "1")
    assert "PYTHONPATH" not in given
    assert (tmp_path / "arguments").read_text() == "ingest an extract with blanks --json\n"
