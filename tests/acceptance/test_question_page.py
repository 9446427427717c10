"""The question that docs/how-to/add-a-question.md adds is one: its answer is its oracle's, and its rows add up."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

from replayhouse.infra.answers import asking
from replayhouse.infra.answers.findings import NOTHING, find
from replayhouse.infra.answers.moment import LIVE
from replayhouse.infra.postgres.connection import Database
from replayhouse.ingest.synthetic import generate
from replayhouse.projections.questions import Question, question
from replayhouse.projections.questions.question import read_question
from tests.oracle import questions as oracle_questions
from tests.oracle.expected import expected
from tests.support.answers import faults_of_rows, found_wrong
from tests.support.in_process import Warehouse

PAGE = Path(__file__).parents[2] / "docs/how-to/add-a-question.md"
BLOCK = re.compile(r"^ +```sql\n(.*?)^ +```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`projections/questions/(\d+_\w+\.sql)`")


def of_the_page(folder: Path) -> tuple[Question, str]:
    """The question, read from a file as the page names it, and the oracle's statement."""
    page = PAGE.read_text(encoding="utf-8")
    question_sql, oracle_sql = (dedent(block) for block in BLOCK.findall(page))
    name = NAME.search(page)
    assert name is not None
    file = folder / name[1]
    file.write_text(question_sql, encoding="utf-8")
    return read_question(file), oracle_sql


def test_the_question_of_the_page_is_answered_as_its_oracle_answers(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, statement = of_the_page(tmp_path)
    generate(tmp_path / "extract", 300, 3, None, 1)
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.ingest(tmp_path / "extract")
    with database.connect("replayhouse test", autocommit=True) as conn, expected(tmp_path / "extract") as oracle:
        oracle_questions.make_terms(oracle)
        (tmp_path / f"{asked.number}.sql").write_text(statement, encoding="utf-8")
        monkeypatch.setattr(oracle_questions, "_SQL", tmp_path)
        assert found_wrong(conn, oracle, [asked]) == []
        assert faults_of_rows(conn, [asked]) == []
        defaults = oracle_questions.defaults(asked.number)
        rows = asking.in_one_moment(conn, LIVE, lambda: asking.compute(conn, asked, defaults))
    assert rows
    assert find(asked, rows, {}) != NOTHING


def test_the_page_says_nothing_of_a_question_that_is_there_already(tmp_path: Path) -> None:
    asked, statement = of_the_page(tmp_path)
    assert question(asked.number) is None
    assert asked.number not in oracle_questions.numbers()
    defaults = " ".join(f"{one.name}={one.default}" for one in asked.parameters)
    assert statement.startswith(f"-- {defaults}\n")


@pytest.mark.parametrize(
    "path", ["tests/acceptance/test_questions_against_oracle.py", "tests/oracle/questions/base.sql"]
)
def test_what_the_page_names_is_there(path: str) -> None:
    assert Path(path).name in PAGE.read_text(encoding="utf-8")
    assert (PAGE.parents[2] / path).exists()
