"""`questions` and `ask`, as a user calls them: in a pipe, on a terminal, as of a moment, down to the CSV lines."""

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import replayhouse
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.projections.questions import Question, question, questions
from tests.support.cli import Loaded, Program
from tests.support.databases import copied
from tests.support.in_process import Warehouse, refused
from tests.support.terminals import on_a_terminal

KEYS = ["question", "title", "columns", "rows", "seconds", "parameters", "position", "definition", "finding"]
NUMBERS = [one.number for one in questions()]


class TwoLoads(Warehouse):
    """A warehouse with an extract of spring, and then a whole one; `ends` are the positions after each."""

    ends: list[int]


@pytest.fixture(scope="module")
def two_loads(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoLoads]:
    folder = tmp_path_factory.mktemp("asked")
    replayhouse.generate(folder / "april", orders=300, seed=7, until="2018-04-30")
    replayhouse.generate(folder / "full", orders=300, seed=7)
    with copied(server) as database:
        warehouse = TwoLoads(database, folder / "home")
        warehouse.ends = [warehouse.ingest(folder / name)["position"] for name in ("april", "full")]
        yield warehouse


def told(warehouse: Warehouse, *arguments: str | Path) -> str:
    done = warehouse.run(*arguments)
    assert done.code == 0, done
    return done.out


def error(warehouse: Warehouse, *arguments: str | Path, code: int = 2) -> str:
    """The sentence with which a command refuses, which is the same with --json."""
    plain, as_json = warehouse.run(*arguments), warehouse.run(*arguments, "--json")
    assert (plain.code, plain.out) == (code, ""), plain
    refused(as_json, code)
    message = plain.err.strip().splitlines()[-1]
    assert as_json.document["error"] == message
    return message


# --- the list -------------------------------------------------------------------------------------------------------


def test_questions_are_listed_by_group(two_loads: Warehouse) -> None:
    lines = told(two_loads, "questions").splitlines()
    assert [int(line.split()[0]) for line in lines if line.startswith("  ")] == NUMBERS
    groups = [line for line in lines if line and not line.startswith(" ")]
    assert groups == list(dict.fromkeys(one.group for one in questions()))
    assert len(two_loads.json("questions")) == len(NUMBERS)


def test_questions_are_found_by_words(two_loads: Warehouse) -> None:
    assert "22  What share of deliveries is late" in told(two_loads, "questions", "LATE", "share")
    assert [one["question"] for one in two_loads.json("questions", "22")] == [22]
    assert told(two_loads, "questions", "no-such-word") == (
        "No question has the words no-such-word. replayhouse questions lists all.\n"
    )
    assert two_loads.json("questions", "no-such-word") == []


# --- an answer ------------------------------------------------------------------------------------------------------


def test_an_answer_in_a_pipe_has_title_finding_table_and_what_it_rests_on(two_loads: TwoLoads) -> None:
    lines = told(two_loads, "ask", "22").splitlines()
    document = two_loads.json("ask", "22")
    assert lines[0] == "22. What share of deliveries is late, and where is it going?"
    assert lines[1] == document["finding"]
    assert lines[3].split() == [column["name"] for column in document["columns"]]
    assert [line.split()[0] for line in lines[4:-2]] == [row[0] for row in document["rows"]]
    assert lines[-1] == f"As of position {two_loads.ends[1]:,} of the log."


def test_the_document_of_an_answer_is_that_of_the_contract(two_loads: TwoLoads) -> None:
    document = two_loads.json("ask", "22")
    assert sorted(document) == sorted(KEYS)
    assert document["position"] == two_loads.ends[1]
    assert re.fullmatch("[0-9a-f]{64}", document["definition"])
    assert document["columns"][:4] == [
        {"name": "month", "type": "text"},
        {"name": "deliveries", "type": "int"},
        {"name": "late", "type": "int"},
        {"name": "late_pct", "type": "numeric(14,2)"},
    ]
    for row in document["rows"]:
        assert [type(cell) for cell in row[:3]] == [str, int, int]
        assert all(cell is None or isinstance(cell, int | float) for cell in row[3:])
    again = two_loads.json("ask", "22")
    assert {**again, "seconds": 0} == {**document, "seconds": 0}, "one that is kept is the same"


@pytest.mark.parametrize("number", ["22", "022", "0022"])
def test_a_number_may_be_written_as_files_are_called(two_loads: Warehouse, number: str) -> None:
    assert two_loads.json("ask", number)["question"] == 22


@pytest.mark.parametrize("number", ["0", "101", "999999999"])
def test_a_number_that_is_none_is_refused_with_those_that_are(two_loads: Warehouse, number: str) -> None:
    last = max(NUMBERS)
    assert error(two_loads, "ask", number) == (
        f"There is no question {number}: they are numbered 1 to {last}. replayhouse questions lists them."
    )


@pytest.mark.parametrize("words", [("late",), ("22.0",), ("",), ("٢٢",), ("--", "-1"), ("9" * 40,)])
def test_what_is_no_number_is_refused(two_loads: Warehouse, words: tuple[str, ...]) -> None:
    done = two_loads.run("ask", *words)
    assert (done.code, done.out) == (2, "")
    assert "is no number of a question: replayhouse questions lists them; all answers every one." in done.err
    assert done.err.count("\n") == 1


def test_all_questions_are_answered_at_once(two_loads: TwoLoads) -> None:
    documents = two_loads.json("ask", "all")
    assert [one["question"] for one in documents] == NUMBERS
    assert all(sorted(one) == sorted(KEYS) for one in documents)
    assert {one["position"] for one in documents} == {two_loads.ends[1]}
    lines = told(two_loads, "ask", "all").splitlines()
    assert [int(line.split()[0]) for line in lines[::2]] == NUMBERS
    assert [line.strip() for line in lines[1::2]] == [one["finding"] for one in documents]


@pytest.mark.parametrize("option", [("--set", "x=1"), ("--csv", "a.csv"), ("--rows", "a", "b"), ("--history",)])
def test_what_is_for_one_question_is_refused_of_all(two_loads: Warehouse, option: tuple[str, ...]) -> None:
    assert error(two_loads, "ask", "all", *option).startswith(
        "ask all takes --at, --occurred-before, --source and --json"
    )


def test_an_empty_warehouse_answers_every_question(server: EmbeddedServer, tmp_path: Path) -> None:
    with copied(server) as database:
        documents = Warehouse(database, tmp_path).json("ask", "all")
    assert [one["question"] for one in documents] == NUMBERS
    assert {one["position"] for one in documents} == {0}


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    away = Warehouse(Database(f"postgresql://nobody@/nothing?host={tmp_path}"), tmp_path)
    for words in (("ask", "22"), ("ask", "all"), ("ask", "22", "--history"), ("ask", "22", "--rows", "a", "late")):
        assert error(away, *words, code=3)


def test_without_a_warehouse_questions_can_be_read(tmp_path: Path) -> None:
    nowhere = Warehouse(Database(""), tmp_path / "nowhere")
    assert "What share of deliveries is late" in told(nowhere, "questions")
    assert not (tmp_path / "nowhere").exists()


# --- parameters -----------------------------------------------------------------------------------------------------


def test_parameters_are_set(two_loads: Warehouse) -> None:
    usual, wide = two_loads.json("ask", "34"), two_loads.json("ask", "34", "--set", "min_reviews=1")
    assert usual["parameters"] == {"min_reviews": 20}
    assert wide["parameters"] == {"min_reviews": 1}
    assert len(wide["rows"]) > len(usual["rows"])
    both = two_loads.json("ask", "11", "--set", "commission_pct=12.5", "--set", "min_lines=1")
    assert both["parameters"] == {"commission_pct": 12.5, "fee_per_line": 5, "min_lines": 1}
    assert "With min_reviews=1." in told(two_loads, "ask", "34", "--set", "min_reviews=1")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["min_reviews"], "'min_reviews' sets nothing: write --set NAME=VALUE, as in --set min_orders=20."),
        (["min_reviews=1", "min_reviews=2"], "min_reviews is set twice: to 1 and to 2."),
        (["min=1"], "Question 34 has no parameter 'min': it has min_reviews (20)."),
        (["=1"], "Question 34 has no parameter '': it has min_reviews (20)."),
        (["min_reviews=x"], "'x' is no min_reviews: that is a whole number from {} to 1,000,000,000, 20 by default."),
        (
            ["min_reviews=1=2"],
            "'1=2' is no min_reviews: that is a whole number from {} to 1,000,000,000, 20 by default.",
        ),
    ],
)
def test_parameters_that_are_none_are_refused(two_loads: Warehouse, given: list[str], message: str) -> None:
    asked = question(34)
    assert asked is not None
    options = [word for one in given for word in ("--set", one)]
    assert error(two_loads, "ask", "34", *options) == message.format(asked.parameters[0].minimum)


@pytest.mark.parametrize("asked", [one for one in questions() if one.parameters], ids=lambda one: one.path.stem)
def test_every_value_that_is_taken_has_an_answer(two_loads: Warehouse, asked: Question) -> None:
    for least in (True, False):
        values = {one.name: one.minimum if least else 1_000_000_000 for one in asked.parameters}
        options = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        assert two_loads.json("ask", str(asked.number), *options)["parameters"] == values


# --- CSV ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_written_as_csv_and_replaces_nothing_unasked(two_loads: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "late.csv"
    assert told(two_loads, "ask", "22", "--csv", file).endswith(f"The answer stands in {file}.\n")
    with file.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    document = two_loads.json("ask", "22", "--csv", tmp_path / "again.csv")
    assert header == [column["name"] for column in document["columns"]]
    cells = [[None if cell == "" else cell for cell in row] for row in rows]
    assert [[row[0], *(None if cell is None else float(cell) for cell in row[1:])] for row in cells] == document["rows"]
    assert (tmp_path / "again.csv").read_bytes() == file.read_bytes()
    assert error(two_loads, "ask", "22", "--csv", file) == (
        f"There is a file {file} already: choose another name, or say --force to replace it."
    )
    told(two_loads, "ask", "1", "--csv", file, "--force")
    assert file.read_text().startswith("month,delivered_orders,")
    assert error(two_loads, "ask", "22", "--csv", tmp_path / "none" / "a.csv") == (
        f"The folder {tmp_path / 'none'}, where a.csv is to stand, does not exist: make it, or write elsewhere."
    )


# --- the rows behind ------------------------------------------------------------------------------------------------


def some_late_month(warehouse: Warehouse) -> tuple[str, int]:
    """A month with late deliveries, and how many."""
    return next((str(row[0]), int(row[2])) for row in warehouse.json("ask", "22")["rows"] if row[2])


def test_the_rows_behind_a_figure_add_up_to_it_and_lead_to_csv_lines(two_loads: Warehouse) -> None:
    month, late = some_late_month(two_loads)
    document = two_loads.json("ask", "22", "--rows", month, "late")
    assert list(document) == ["question", "column", "figure", "rows"]
    assert (document["question"], document["column"], document["figure"]) == (22, "late", late)
    assert [list(row) for row in document["rows"]] == [["table", "key", "part"]] * late
    assert sum(row["part"] for row in document["rows"]) == late
    lines = told(two_loads, "ask", "22", "--rows", month, "late").splitlines()
    assert lines[-2].startswith(f"late of {month} is {late}: {late} row")
    command = shlex.split(lines[-1].removeprefix("To the CSV lines: replayhouse "))
    assert re.search(r"orders:\d+ ", told(two_loads, *command)), "a line of the file"


@pytest.mark.parametrize("spelt", ['["{}"]', " {} ", '["{}" ]'])
def test_a_key_may_be_a_list_and_have_blanks(two_loads: Warehouse, spelt: str) -> None:
    month, late = some_late_month(two_loads)
    assert two_loads.json("ask", "22", "--rows", spelt.format(month), "late")["figure"] == late


def test_a_key_of_several_values_is_a_list(two_loads: Warehouse) -> None:
    row = two_loads.json("ask", "72")["rows"][0]
    for key in (json.dumps([row[0], str(row[1])]), json.dumps(row[:2]), json.dumps([row[0], f"0{row[1]}"])):
        assert two_loads.json("ask", "72", "--rows", key, "customers")["figure"] == row[2]
    assert error(two_loads, "ask", "72", "--rows", row[0], "customers") == (
        "A row of question 72 is known by cohort and month_offset, 2 values, and 1 stand here: write them as a JSON "
        f"""list, as in '["{row[0]}", "{row[1]}"]'."""
    )


def test_an_id_may_have_hyphens_and_capitals(two_loads: Warehouse) -> None:
    number = next(one.number for one in questions() if one.key == ("seller_id",))
    asked = question(number)
    assert asked is not None
    widest = [word for one in asked.parameters if one.name.startswith("min_") for word in ("--set", f"{one.name}=1")]
    row = two_loads.json("ask", str(number), *widest)["rows"][0]
    key = str(row[0])
    hyphened = f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}".upper()
    plain, other = (
        two_loads.json("ask", str(number), *widest, "--rows", spelt, asked.measures[0]) for spelt in (key, hyphened)
    )
    assert plain == other
    assert plain["rows"]


def test_a_share_names_what_it_is_made_of(two_loads: Warehouse) -> None:
    month, late = some_late_month(two_loads)
    document = two_loads.json("ask", "22", "--rows", month, "late_pct")
    assert list(document) == ["question", "column", "figure", "rows", "made_of"]
    assert (document["rows"], document["made_of"]["late"]) == ([], late)
    line = told(two_loads, "ask", "22", "--rows", month, "late_pct")
    assert f"It is made of late ({late}), promised (" in line
    assert "takes in" not in line
    line = told(two_loads, "ask", "22", "--rows", month, "late_pct_3m")
    assert "It takes in the two months before as well, whose sums stand behind rows of their own." in line
    part = two_loads.json("ask", "22", "--rows", month, "days_late")
    assert part["figure"] == sum(row["part"] for row in part["rows"]), "a part that is no column has rows, too"


def test_a_figure_of_nothing_has_no_rows(two_loads: Warehouse) -> None:
    month = next(row[0] for row in two_loads.json("ask", "22")["rows"] if row[2] == 0)
    assert told(two_loads, "ask", "22", "--rows", month, "late") == (
        f"late of {month} is 0: there are no rows behind it.\n"
    )


@pytest.mark.parametrize(
    ("key", "column", "message"),
    [
        ("2017-13", "late", "The answer to question 22 has no row 2017-13: there are 20"),
        ("2017-11", "lateness", "Question 22 has no figure 'lateness': there are deliveries, late, late_pct, "),
        ("2017-11", "month", "Question 22 has no figure 'month': there are deliveries, "),
        ("[", "late", "'[' is no key: write a value, or a JSON list of them"),
        ('["2017-11", true]', "late", "is no key: write a value, or a JSON list of them"),
        ('["2017-11", 1]', "late", "A row of question 22 is known by month, 1 value, and 2 stand here: "),
        ("[]", "late", "A row of question 22 is known by month, 1 value, and 0 stand here: "),
    ],
)
def test_a_figure_that_is_none_is_refused(two_loads: Warehouse, key: str, column: str, message: str) -> None:
    assert message in error(two_loads, "ask", "22", "--rows", key, column)


@pytest.mark.parametrize("asked", questions(), ids=lambda asked: asked.path.stem)
def test_a_row_behind_each_figure_leads_to_lines(two_loads: Warehouse, asked: Question) -> None:
    """Each measure of each question: one figure, and the command that is told of its first row."""
    document = two_loads.json("ask", str(asked.number))
    names = [column["name"] for column in document["columns"]]
    followed = set()
    for measure in asked.measures:
        row = next((row for row in document["rows"] if row[names.index(measure)]), None)
        if row is None:
            continue
        key = json.dumps([str(cell) for cell in row[: len(asked.key)]])
        *_, sums, last = told(two_loads, "ask", str(asked.number), "--rows", key, measure).splitlines()
        prefix = "To the CSV lines: replayhouse "
        if last.startswith(prefix):
            command = shlex.split(last.removeprefix(prefix))
            if command[2] not in followed:
                followed.add(command[2])
                assert re.search(r"^ +\w+:\d+ ", told(two_loads, *command), re.MULTILINE), command
        else:
            assert re.search(r"\brows? make ", last), (sums, last)
            kinds = {one["table"] for one in two_loads.json("ask", str(asked.number), "--rows", key, measure)["rows"]}
            assert kinds <= {"city", "category"}, kinds


# --- moments --------------------------------------------------------------------------------------------------------


def figures(document: Any) -> dict[str, Any]:
    return {name: document[name] for name in ("columns", "rows", "position", "finding")}


def test_an_answer_as_of_a_moment_is_what_the_warehouse_would_have_said(two_loads: TwoLoads) -> None:
    first, last = two_loads.ends
    live = two_loads.json("ask", "22")
    then = two_loads.json("ask", "22", "--at", str(first))
    assert (then["position"], live["position"]) == (first, last)
    assert sum(row[1] for row in then["rows"]) < sum(row[1] for row in live["rows"])
    for spelt in ("live", str(last), f"0{last}"):
        assert figures(two_loads.json("ask", "22", "--at", spelt)) == figures(live)
    ((ended,),) = two_loads.rows("SELECT max(recorded_at) FROM event_store.commit WHERE last_position <= %s", first)
    recorded = ended.isoformat()
    assert figures(two_loads.json("ask", "22", "--at", recorded)) == figures(then)
    assert told(two_loads, "ask", "22", "--at", str(first)).endswith(f"As of position {first:,} of the log.\n")


def test_revisions_and_prefixes_are_moments(two_loads: TwoLoads) -> None:
    live = two_loads.json("ask", "22")
    assert two_loads.json("ask", "22", "--at", "r1")["rows"] == live["rows"]
    two_loads.json("rebuild", "--to-position", str(two_loads.ends[0]), "--into", "then")
    try:
        under = two_loads.json("ask", "22", "--at", "then")
    finally:
        told(two_loads, "revisions", "drop", "then")
    assert figures(under) == figures(two_loads.json("ask", "22", "--at", str(two_loads.ends[0])))


def test_by_business_time_only_what_had_happened_counts(two_loads: TwoLoads) -> None:
    document = two_loads.json("ask", "22", "--occurred-before", "2017-12-31")
    assert max(row[0] for row in document["rows"]) == "2017-12"
    assert "of what had happened by 2017-12-31 23:59:59." in told(
        two_loads, "ask", "22", "--occurred-before", "2017-12-31"
    )
    at = two_loads.json("ask", "22", "--occurred-before", "2017-12-31", "--at", str(two_loads.ends[0]))
    assert at["position"] == two_loads.ends[0]


def test_the_rows_of_a_moment_are_those_of_then(two_loads: TwoLoads) -> None:
    first = str(two_loads.ends[0])
    then = next(row for row in two_loads.json("ask", "22", "--at", first)["rows"] if row[2])
    document = two_loads.json("ask", "22", "--at", first, "--rows", then[0], "late")
    assert document["figure"] == then[2] == len(document["rows"])
    assert "audit lineage" not in told(two_loads, "ask", "22", "--at", first, "--rows", then[0], "late"), "it is live"


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("99999999", "The log has no position 99,999,999: its head is "),
        ("yesterday", "There is nothing called 'yesterday'. There are: live, r1 "),
        ("r9", "There is nothing called 'r9'. There are: live, r1 "),
        ("", "There is nothing called ''. There are: live, r1 "),
        ("2026-03-01T12:00", "'2026-03-01T12:00' has no offset: recorded time is the same everywhere"),
    ],
)
def test_a_moment_that_is_none_is_refused_with_what_there_is(two_loads: Warehouse, moment: str, message: str) -> None:
    assert error(two_loads, "ask", "22", "--at", moment).startswith(message)


def test_a_business_time_that_is_none_is_refused(two_loads: Warehouse) -> None:
    assert error(two_loads, "ask", "22", "--occurred-before", "soon") == (
        "'soon' is not a date: write 2018-03-31, or 2018-03-31T12:00:00 for a time of that day."
    )


def test_the_history_of_a_figure_is_told_load_by_load(two_loads: TwoLoads) -> None:
    first, last = two_loads.ends
    two_loads.json("ask", "1"), two_loads.json("ask", "1", "--at", str(first))
    lines = told(two_loads, "ask", "1", "--history").splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [[f"{first:,}", "april"], [f"{last:,}", "full"]]
    month, orders = two_loads.json("ask", "1")["rows"][3][:2]
    lines = told(two_loads, "ask", "1", "--history", "--rows", month, "delivered_orders").splitlines()
    assert lines[2].split()[-1] == str(orders)
    document = two_loads.json("ask", "1", "--history", "--rows", month, "delivered_orders")
    assert (document["column"], document["key"]) == ("delivered_orders", [month])
    assert document["answers"][1]["figure"] == orders
    document = two_loads.json("ask", "1", "--history")
    assert [(one["position"], one["load"]) for one in document["answers"]] == [(first, "april"), (last, "full")]
    assert "--history tells of the live answers" in error(two_loads, "ask", "1", "--history", "--at", "1")
    assert "has no column 'sales'" in error(two_loads, "ask", "1", "--history", "--rows", month, "sales")


# --- as installed, on a terminal ------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_on_a_terminal_there_is_a_chart_no_wider_than_it(loaded: Loaded, columns: int) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_a_terminal(loaded.program, "ask", "22", COLUMNS=str(columns)))
    assert "late_pct by month" in shown
    assert "█" in shown
    before_the_table = shown.partition("late_pct_3m")[0].splitlines()[:-1]
    assert max(map(len, before_the_table)) <= columns
    assert "As of position " in shown
    plain = loaded.program.succeed("ask", "22").out
    assert "█" not in plain
    assert "\x1b" not in plain


def test_a_terminal_without_unicode_gets_a_chart_in_ascii(loaded: Loaded) -> None:
    shown = on_a_terminal(loaded.program, "ask", "7", COLUMNS="100", PYTHONIOENCODING="ascii")
    assert "####" in shown
    assert "█" not in shown


def test_as_installed_questions_are_listed_and_answered(loaded: Loaded) -> None:
    installed: Program = loaded.program
    assert "What share of deliveries is late" in on_a_terminal(installed, "questions", "late")
    assert json.loads(on_a_terminal(installed, "ask", "22", "--json"))["rows"] == installed.json("ask", "22")["rows"]
