"""Asking all questions of a warehouse, and what is kept of that."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

import replayhouse
from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.postgres.connection import Database
from replayhouse.projections.questions import Question
from tests.support.in_process import as_printed

KEPT = "SELECT question, position, rows, finding FROM read_model.answer ORDER BY question, position, erasures"


@contextmanager
def python(database: Database, home: Path) -> Iterator[replayhouse.Warehouse]:
    """The warehouse from Python."""
    with replayhouse.open(database_url=database.url, home=home) as opened:
        yield opened


def answers(warehouse: replayhouse.Warehouse, at: str | int | None = None) -> list[Answer]:
    """The answers to all questions, none of which may fail."""
    found = list(warehouse.ask_all(at=at))
    assert all(isinstance(one, Answer) for one in found), found
    return [one for one in found if isinstance(one, Answer)]


def documents(found: list[Answer]) -> dict[int, Any]:
    """What is answered, by the question's number."""
    return {one.question.number: as_printed(one.document()) for one in found}


def kept(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    """What is kept, but when it was made."""
    return conn.execute(KEPT).fetchall()


def forget_all(database: Database) -> None:
    """As if nobody had asked."""
    with database.connect("replayhouse test", autocommit=True) as conn:
        conn.execute("DELETE FROM read_model.answer")


@contextmanager
def failing(asked: Question) -> Iterator[str]:
    """A question whose SQL fails while the block runs; where, as it is told. Questions are read once a process."""
    statement = asked.statements["answer"]
    wrong = statement._replace(text="SELECT 1\n    / nothing AS one")
    fine = asked.statements
    object.__setattr__(asked, "statements", {**fine, "answer": wrong})
    try:
        yield f"{asked.path}, line {statement.line + 1}: column"
    finally:
        object.__setattr__(asked, "statements", fine)
