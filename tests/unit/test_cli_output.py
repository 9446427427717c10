"""What commands print: documents, tables, numbers, progress; and how they read ids and times."""

import io
import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from replayhouse.domain.contexts import CONTEXTS, Context
from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.cli.output import print_json, progress, shown, table
from replayhouse.infra.cli.streams import legible
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_local_time
from replayhouse.infra.runtime.short_ids import read_id
from replayhouse.infra.runtime.telling import count

ID = UUID("e481f51c-bdc5-4678-b7cc-49136f2d6af7")


def test_a_document_is_one_line_with_ids_amounts_and_times_as_text_or_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    noon = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=-3)))
    print_json(
        {"id": ID, "score": Decimal("98.70"), "at": noon, "placed": datetime(2018, 3, 1, 9), "on": date(2018, 3, 1)}
    )
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert json.loads(told) == {
        "id": str(ID),
        "score": 98.7,
        "at": "2026-03-01T12:00:00+00:00",
        "placed": "2018-03-01T09:00:00",
        "on": "2018-03-01",
    }


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="set"):
        print_json({"things": {1, 2}})


def test_in_a_pipe_a_table_is_plain_lines_with_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    table(("context", "events", "note"), [("sales", 20_123, None), ("quality", 4, "few")])
    assert capsys.readouterr().out.splitlines() == [
        "context  events  note",
        "sales    20,123  -",
        "quality       4  few",
    ]


def test_a_table_without_rows_is_its_headers(capsys: pytest.CaptureFixture[str]) -> None:
    table(("rule", "rows"), [])
    assert capsys.readouterr().out == "rule  rows\n"


def test_texts_from_outside_cannot_steer_the_terminal() -> None:
    assert legible("bom\x1b[31m\r\nç") == "bom\\x1b[31m\\r\\nç"
    assert shown("two\nlines") == "two\\nlines"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (1_609, "1,609"),
        (Decimal("12.50"), "12.50"),
        (datetime(2018, 3, 1, 9, 5, 7, 123), "2018-03-01 09:05:07"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01 12:00:00"),
    ],
)
def test_values_are_shown_as_people_read_them(value: object, text: str) -> None:
    assert shown(value) == text


def test_things_are_counted_in_words() -> None:
    assert [count(number, "event") for number in (0, 1, 2_345)] == ["0 events", "1 event", "2,345 events"]


def test_without_a_terminal_progress_is_one_line_for_each_thing_done() -> None:
    told = io.StringIO()
    with progress(told) as tell:
        tell("reading", 0, 0)
        tell("appending", 0, 3)
        tell("appending", 1, 3)
    assert told.getvalue() == "reading ...\nappending ...\n"


@pytest.mark.parametrize("text", [str(ID), ID.hex, ID.hex.upper()])
def test_an_id_is_taken_with_or_without_hyphens(text: str) -> None:
    assert read_id(text) == ID


@pytest.mark.parametrize("text", ["", "42", ID.hex[:-1], f"{{{ID}}}", "g" * 32, f"urn:uuid:{ID}"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="32 hexadecimal digits"):
        read_id(text)


def test_a_date_is_the_end_of_that_day_and_a_time_is_that_time() -> None:
    assert read_local_time("2018-03-31") == datetime(2018, 3, 31, 23, 59, 59, 999_999)
    assert read_local_time("2018-03-31T12:00:00") == datetime(2018, 3, 31, 12)
    assert read_local_time("2018-03-31 00:00") == datetime(2018, 3, 31)


@pytest.mark.parametrize("text", ["tomorrow", "2018-13-01", "2018-03-31T12:00-03:00"])
def test_what_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        read_local_time(text)


def test_contexts_are_chosen_each_once_and_in_their_order() -> None:
    assert chosen(None) == CONTEXTS
    assert chosen([Context.CUSTOMER, Context.SALES, Context.CUSTOMER]) == ("sales", "customer")
    assert chosen("customer") == ("customer",)


def test_what_is_no_context_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no context 'fact_order': the contexts are sales, "):
        chosen(["sales", "fact_order"])
    with pytest.raises(UsageError, match="The list of contexts is empty"):
        chosen([])


OF_RICH = re.compile(r"\x1b\[[0-9;]*m")
DIGEST = "ab" * 32
WIDE = ("batch", "name", "run by", "events", "digest", "what was found")
ROWS = [
    (
        ID,
        "april",
        "ana on a-machine-with-a-long-name, 1.0.0",
        20_123,
        DIGEST,
        "An order has at least one item. Not so.",
    ),
    (ID, "may", None, 4, DIGEST, None),
]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal of 80 columns."""
    monkeypatch.setattr("replayhouse.infra.cli.streams.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_a_table_fits_and_ids_are_short_enough_to_be_taken(capsys: pytest.CaptureFixture[str]) -> None:
    table(WIDE, ROWS)
    told = capsys.readouterr().out
    assert max(map(len, OF_RICH.sub("", told).splitlines())) <= 80
    assert str(ID) not in told
    assert str(ID)[:8] in told
    assert DIGEST[:12] in told
    assert "20,123" in told

    table(WIDE[:2], [row[:2] for row in ROWS])
    assert str(ID) in capsys.readouterr().out, "what fits is whole"


def test_in_a_pipe_ids_and_digests_are_whole_however_wide_that_is(capsys: pytest.CaptureFixture[str]) -> None:
    table(WIDE, ROWS)
    told = capsys.readouterr().out
    assert (told.count(str(ID)), told.count(DIGEST), len(told.splitlines())) == (2, 2, 3)


def test_on_a_terminal_each_phase_has_a_bar_that_moves_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(told, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", told)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress(told) as tell:
        for done in range(3):
            tell("appending", done, 2)
        tell("catching up", 1_000, 2_000)
    assert "appending" in told.getvalue()
    assert "1,000 of 2,000" in told.getvalue()
