"""An answer as an object, and as a CSV file for a spreadsheet; the list of questions."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.answers.answer import Answer, as_texts, restored
from replayhouse.infra.application.ask import question_of
from replayhouse.infra.application.list_questions import list_questions
from replayhouse.infra.application.rebuild_into import limits_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models.kept_answers import KeptAnswer, Origin
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.questions import Column, question, questions

_ANY = question(22)
assert _ANY is not None
ASKED = replace(
    _ANY,
    columns=(
        Column("seller_id", "text"),
        Column("orders", "int"),
        Column("revenue", "numeric(14,2)"),
        Column("correlation", "numeric(10,4)"),
        Column("last_sold", "date"),
    ),
)
ID = "e481f51cbdc54678b7cc49136f2d6af7"
ROWS: list[tuple[Any, ...]] = [
    (ID, 3, Decimal("-12.50"), Decimal("0.1234"), date(2018, 5, 1)),
    ("=1+1", 0, None, None, None),
]


def answer(rows: Sequence[tuple[Any, ...]] = ROWS) -> Answer:
    made_at = datetime(2026, 3, 1, tzinfo=UTC)
    return Answer(ASKED, rows, Origin("0" * 64, {}, 41_027, None, 0), "It is so.", made_at, is_kept=False)


def test_it_says_what_it_is_and_how_long() -> None:
    assert repr(answer()) == (
        "<22. What share of deliveries is late, and where is it going? 2 rows, as of position 41,027>"
    )
    assert len(answer([])) == 0


def test_it_is_arrow_with_the_types_of_its_columns() -> None:
    schema = pa.schema(
        [
            ("seller_id", pa.string()),
            ("orders", pa.int32()),
            ("revenue", pa.decimal128(38, 2)),
            ("correlation", pa.decimal128(38, 4)),
            ("last_sold", pa.date32()),
        ]
    )
    for rows in (ROWS, []):
        arrow = answer(rows).arrow
        assert arrow.schema == schema
        assert [tuple(row.values()) for row in arrow.to_pylist()] == rows
    one = answer()
    assert duckdb.execute("SELECT sum(orders), count(revenue) FROM one").fetchall() == [(3, 1)]
    assert len(one.polars()) == 2
    assert list(one.pandas().columns) == list(one.columns)


def test_the_document_has_the_keys_of_the_contract() -> None:
    assert list(answer().document()) == [
        "question",
        "title",
        "columns",
        "rows",
        "parameters",
        "position",
        "definition",
        "finding",
    ]


def test_what_is_kept_is_found_again_as_it_was() -> None:
    kept = KeptAnswer(22, as_texts(ROWS), "It is so.", datetime(2026, 3, 1, tzinfo=UTC), 41_027)
    again = restored(ASKED, answer().origin, kept)
    assert (again.rows, again.is_kept, again.finding) == (ROWS, True, "It is so.")
    assert list(map(repr, again.rows)) == list(map(repr, ROWS)), "decimals with all their places"


def test_a_csv_file_is_one_that_a_spreadsheet_takes(tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    answer().write_csv(file)
    assert file.read_bytes() == (
        b"seller_id,orders,revenue,correlation,last_sold\n"
        b"e481f51cbdc54678b7cc49136f2d6af7,3,-12.50,0.1234,2018-05-01\n"
        b"'=1+1,0,,,\n"
    )


def test_a_file_that_is_there_is_replaced_by_force_only(tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"There is a file .* already"):
        answer().write_csv(file)
    assert file.read_text() == "mine"
    answer().write_csv(file, force=True)
    assert file.read_text().startswith("seller_id,")
    with pytest.raises(UsageError, match="does not exist: make it"):
        answer().write_csv(tmp_path / "none" / "answer.csv")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_texts_come_back_from_csv_and_none_begins_as_a_formula(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    file = tmp_path_factory.mktemp("csv") / "answer.csv"
    answer([(text, 1, None, None, None) for text in texts]).write_csv(file)
    with file.open(encoding="utf-8", newline="") as lines:
        cells = [row[0] for row in csv.reader(lines)][1:]
    assert [cell.removeprefix("'") if cell != text else cell for cell, text in zip(cells, texts, strict=True)] == texts
    assert not [cell for cell in cells if cell[:1] in ("=", "@", "\t", "\r") and cell[:1]]


def found(search: str) -> list[int]:
    return [one.question.number for one in list_questions(cast(Site, None), search)]


def test_questions_are_found_by_all_words_of_a_search_in_any_case() -> None:
    every = [one.number for one in questions()]
    assert found("") == found("   ") == every == sorted(every)
    assert found("22") == [22]
    assert 22 in found("LATE deliveries")
    assert 22 in found("past_estimate_pct"), "by a column"
    assert set(found("late deliveries")) <= set(found("late"))
    assert found("late nothing-has-this-word") == []
    assert found("0") != [0]


@pytest.mark.parametrize("number", [None, True, "22", 22.0, 0, 101])
def test_what_is_no_number_of_a_question_is_refused(number: Any) -> None:
    with pytest.raises(UsageError, match="There is no question"):
        question_of(number)


@pytest.mark.parametrize("told", [5, 5.0, b"2018-01-01"])
def test_what_is_no_business_time_is_refused(told: Any) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        limits_of(None, None, told)
