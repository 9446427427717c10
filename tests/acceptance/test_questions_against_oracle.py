"""The answers to the hundred questions are, cell by cell, those that the oracle computes from the files in another way;
and the rows behind their figures add up to them.

The real sample is read where it is at hand (REPLAYHOUSE_SAMPLE, or beside the repository); else an extract that is
generated stands in for it. With REPLAYHOUSE_ANSWER_EXAMPLES=N more messy extracts are tried than in the suite.
"""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.ingest.synthetic import generate
from replayhouse.projections.questions import questions
from tests.oracle import questions as oracle_questions
from tests.oracle.expected import expected
from tests.oracle.lines import PLACED
from tests.support.answers import faults_of_rows, found_wrong
from tests.support.databases import copied
from tests.support.examples import examples
from tests.support.extracts import Lines, a_good_extract, a_later_extract, changed, write
from tests.support.in_process import Warehouse
from tests.support.messy_extracts import lacking, messy_extract
from tests.support.the_sample import SAMPLE

EXAMPLES = int(os.environ.get("REPLAYHOUSE_ANSWER_EXAMPLES", "2"))

NOTHING: dict[str, list[str]] = {file: [] for file in a_good_extract()}


def generated(orders: int, folder: Path) -> Path:
    """The folder, with an extract of this many orders."""
    generate(folder, orders, 3, None, 1)
    return folder


def of_a_millennium_before(lines: Lines) -> Lines:
    """The first order, in a year of three digits, was delivered so late that its seconds exceed 32 bits."""
    return changed(lines, orders=lambda orders: [orders[0].replace(PLACED, "0999-01-01 10:00:00"), *orders[1:]])


EXTRACTS: dict[str, Callable[[Path], Path]] = {
    "the sample": lambda folder: SAMPLE if SAMPLE.is_dir() else generated(4_100, folder),
    "two thousand orders": lambda folder: generated(2_000, folder),
    "one order": lambda folder: generated(1, folder),
    "nothing": lambda folder: write(folder, NOTHING),
    "examples by hand": lambda folder: write(folder, examples()),
    "five orders, one of a millennium before": lambda folder: write(folder, of_a_millennium_before(a_good_extract())),
    "five orders": lambda folder: write(folder, a_good_extract()),
    "messy, two years": lambda folder: write(folder, messy_extract(1, 900, 26)),
    "messy, fourteen months": lambda folder: write(folder, messy_extract(2, 400, 14)),
    "messy, seven months": lambda folder: write(folder, messy_extract(3, 150, 7)),
    "messy, all for nothing": lambda folder: write(folder, lacking(messy_extract(6, 120, 20), "money")),
    "messy, twenty orders": lambda folder: write(folder, messy_extract(4, 20, 2)),
}


def loaded(database: Database, home: Path, *extracts: Path) -> Warehouse:
    """A warehouse that has loaded extracts one after another."""
    warehouse = Warehouse(database, home)
    for extract in extracts:
        warehouse.ingest(extract)
    return warehouse


def assert_right(warehouse: Warehouse, extract: Path) -> None:
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn, expected(extract) as oracle:
        wrong = found_wrong(conn, oracle)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", EXTRACTS)
def test_answers_are_those_of_the_oracle_and_what_stands_behind_them_adds_up(
    database: Database, tmp_path: Path, name: str
) -> None:
    extract = EXTRACTS[name](tmp_path / "extract")
    assert_right(loaded(database, tmp_path / "home", extract), extract)


def test_after_several_loads_answers_are_those_of_the_last_one_alone(database: Database, tmp_path: Path) -> None:
    first, last = write(tmp_path / "first", a_good_extract()), write(tmp_path / "last", a_later_extract())
    assert_right(loaded(database, tmp_path / "home", first, last), last)


def test_rows_behind_figures_are_there_and_stand_behind_each_once(database: Database, tmp_path: Path) -> None:
    warehouse = loaded(database, tmp_path / "home", write(tmp_path / "extract", messy_extract(5, 300, 20)))
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        assert faults_of_rows(conn) == []


def test_a_hundred_questions_are_answered_twice() -> None:
    assert [one.number for one in questions()] == oracle_questions.numbers() == list(range(1, 101))


_numbers = count(1)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), orders=st.integers(0, 120), months=st.integers(1, 30))
def test_answers_of_messy_extracts_are_those_of_the_oracle(
    server: EmbeddedServer, tmp_path: Path, seed: int, orders: int, months: int
) -> None:
    folder = tmp_path / str(next(_numbers))
    extract = write(folder / "extract", messy_extract(seed, orders, months))
    with copied(server) as database:
        assert_right(loaded(database, folder / "home", extract), extract)
