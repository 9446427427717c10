"""Every error ends in its exit code and in plain sentences, as JSON too where that was asked for."""

import json
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from replayhouse.infra.cli.main import run
from replayhouse.infra.event_store.known_keys import LostKeys
from replayhouse.infra.event_store.serialization.errors import BrokenSeal, UnknownTopic, UnreadableState
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.runtime.errors import (
    Conflicting,
    InputError,
    NoWarehouse,
    Rejected,
    ReplayhouseError,
    Unreachable,
    UsageError,
    WrongServer,
)

ROOT = Path(__file__).parents[2]

CODES = {
    Rejected: 1,
    ReplayhouseError: 1,
    UnknownTopic: 1,
    UnreadableState: 1,
    BrokenSeal: 1,
    LostKeys: 1,
    UsageError: 2,
    NoWarehouse: 2,
    InputError: 2,
    WrongServer: 2,
    Unreachable: 3,
    Conflicting: 4,
}


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the next command fail where it opens the database."""

    def fail(error: BaseException) -> None:
        def open_database(_: object) -> None:
            raise error

        monkeypatch.setattr("replayhouse.infra.application.site.open_database", open_database)

    return fail


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_each_kind_of_error_has_its_exit_code(
    kind: type[Exception], code: int, fail_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(kind("The disk is made of cheese. Buy another one."))
    assert run(["status"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "The disk is made of cheese. Buy another one.\n"


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_with_json_an_error_is_the_one_document(
    kind: type[Exception], code: int, fail_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(kind("The disk is made of cheese."))
    assert run(["status", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"error": "The disk is made of cheese."}


def test_an_event_of_a_newer_program_is_told_plainly(fail_with: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownTopic) as found:
        REGISTRY.event_type_of("sales.OrderPlaced.v99")
    fail_with(found.value)
    assert run(["status"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("The log holds an event sales.OrderPlaced.v99")
    assert "update it" in told
    assert told.endswith(".\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["revert"],
            "Missing argument 'CONTEXT'. Choose from: sales, fulfillment, customer, marketplace, quality. See",
        ),
        (["statuss"], "No such command 'statuss'. Did you mean 'status'? See"),
    ],
)
def test_a_word_that_is_missing_or_mistyped_is_one_line_of_sentences(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(told)
    assert shown.count("\n") == 1
    assert "\\" not in shown


def test_a_traceback_is_shown_with_debug_only(fail_with: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with(Unreachable("Nobody is at home."))
    assert run(["status"]) == 3
    assert "Traceback" not in capsys.readouterr().err
    for arguments in (["--debug", "status"], ["status", "--debug"]):
        assert run(arguments) == 3
        told = capsys.readouterr().err
        assert "Traceback" in told
        assert told.endswith("Nobody is at home.\n")


def test_an_error_nobody_expected_is_one_sentence_and_says_what_to_do(
    fail_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(KeyError("sales"))
    assert run(["status", "--json"]) == 1
    message = json.loads(capsys.readouterr().out)["error"]
    assert "KeyError: 'sales'" in message
    assert "--debug" in message
    assert "\n" not in message


def test_a_refusal_of_the_system_names_the_file(fail_with: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with(PermissionError(13, "Permission denied", "/somewhere/else"))
    assert run(["status"]) == 2
    told = capsys.readouterr().err
    assert "Permission denied" in told
    assert "/somewhere/else" in told


def test_a_full_disk_is_called_so(fail_with: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with(OSError(28, "No space left on device", "/somewhere/else"))
    assert run(["status"]) == 2
    assert capsys.readouterr().err.startswith("The disk is full (/somewhere/else): make room")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:ses@me@host.example/warehouse",
        "postgresql://ana:se/same@host.example/warehouse",
        "postgresql://ana:sesa#me/x@host.example/warehouse",
    ],
)
def test_a_password_that_breaks_a_url_is_not_shown_and_how_to_write_it_is_said(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_DATABASE_URL", url)
    assert run(["status", "--debug"]) == 2
    told = capsys.readouterr()
    assert "%40 for @" in told.err
    shown = (told.err + told.out).replace(str(ROOT), "").replace("message", "").replace("replayhouse/", "")
    for part in ("ses@me", "sesa", "same", "se/", "ses"):
        assert part not in shown


def test_a_lost_connection_of_the_driver_is_a_service_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost:
        def connect(self, *_: object, **__: object) -> None:
            raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr("replayhouse.infra.application.site.open_database", lambda _: Lost())
    assert run(["batches"]) == 3


def test_an_interrupted_command_says_so(fail_with: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with(KeyboardInterrupt())
    assert run(["status"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "nonsense"),
        (["ingest"], "PATH"),
        (["status", "--nonsense"], "--nonsense"),
        (["status", "superfluous"], "superfluous"),
        (["rebuild", "warehouse"], "'warehouse' is not one of 'sales'"),
        (["rebuild", "--workers", "0"], "--workers"),
        (["audit", "history", "invoice", "00000000000000000000000000000001"], "'invoice' is not one of 'order'"),
        (["audit", "history", "order", "42"], "32 hexadecimal digits"),
        (["generate", "somewhere", "--until", "yesterday"], "'yesterday' is not a date"),
        (["generate", "somewhere", "--orders", "none"], "--orders"),
        (["db"], "Missing command"),
    ],
)
def test_wrong_usage_is_told_plainly_and_as_json(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err
    assert shown.err.count("\n") == 1
    assert "\x1b" not in shown.err
    assert run([*arguments, "--json"]) == 2
    assert set(json.loads(capsys.readouterr().out)) == {"error"}


def test_what_stands_after_two_hyphens_is_not_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "history", "order", "--", "--json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "'--json' is not an id" in shown.err


def test_a_setting_that_makes_no_sense_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_WORKERS", "many")
    assert run(["status", "--json"]) == 2
    assert "REPLAYHOUSE_WORKERS" in json.loads(capsys.readouterr().out)["error"]
    assert sys.exc_info() == (None, None, None)
