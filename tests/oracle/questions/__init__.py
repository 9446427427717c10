"""The hundred business questions, answered a second time: in DuckDB, from the definitions alone.

`NNN.sql` answers question NNN on the tables of `base.sql`, which stands on the star schema of `expected()`. A parameter
stands in it as `$name`; its first line gives the defaults: `-- min_orders=10 limit=20`.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tests.oracle.expected import normalised

Row = tuple[Any, ...]
Parameter = int | Decimal

_SQL = Path(__file__).parent
_DEFAULTS = re.compile(r"-- \w+=[\d.]+( \w+=[\d.]+)*")


def answer(
    oracle: duckdb.DuckDBPyConnection, number: int, parameters: Mapping[str, Parameter] | None = None
) -> list[Row]:
    """The rows of a question's answer, in order, for the extract of this oracle: str, int, date, Decimal or None.

    `parameters` replace defaults. Raises ValueError for one that the question does not have.
    """
    return _ask(oracle, number, parameters or {}).fetchall()


def answer_columns(oracle: duckdb.DuckDBPyConnection, number: int) -> dict[str, str]:
    """The columns of a question's answer in order, each with DuckDB's name of its type."""
    return _columns(_ask(oracle, number, {}))


def answer_and_columns(
    oracle: duckdb.DuckDBPyConnection, number: int, parameters: Mapping[str, Parameter] | None = None
) -> tuple[list[Row], dict[str, str]]:
    """Both, of a question that is asked once."""
    asked = _ask(oracle, number, parameters or {})
    columns = _columns(asked)
    return asked.fetchall(), columns


def numbers() -> list[int]:
    """The numbers of the questions that there are."""
    return sorted(int(path.stem) for path in _SQL.glob("[0-9]*.sql"))


def defaults(number: int) -> dict[str, Parameter]:
    """The parameters of a question with their defaults: whole numbers, or decimals where they have a point."""
    first_line = _text(number).partition("\n")[0]
    if not _DEFAULTS.fullmatch(first_line):
        return {}
    pairs = (pair.split("=") for pair in first_line.removeprefix("-- ").split(" "))
    return {name: Decimal(value) if "." in value else int(value) for name, value in pairs}


def _ask(
    oracle: duckdb.DuckDBPyConnection, number: int, parameters: Mapping[str, Parameter]
) -> duckdb.DuckDBPyConnection:
    known = defaults(number)
    if unknown := sorted(parameters.keys() - known.keys()):
        raise ValueError(f"question {number} has no parameters {unknown}")
    make_terms(oracle)
    return oracle.execute(_text(number), {**known, **parameters})


def _columns(asked: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return {column[0]: str(column[1]) for column in asked.description or ()}


def _text(number: int) -> str:
    return (_SQL / f"{number:03}.sql").read_text(encoding="utf-8")


def make_terms(oracle: duckdb.DuckDBPyConnection) -> None:
    """Makes the terms of the questions, unless they are there; the words of reviews may be there before."""
    schemas = "SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'q'"
    texts = "SELECT 1 FROM duckdb_tables() WHERE table_name = 'normalised_text'"
    if oracle.execute(schemas).fetchall():
        return
    if not oracle.execute(texts).fetchall():
        _normalise_texts(oracle)
    oracle.execute((_SQL / "base.sql").read_text(encoding="utf-8"))


def _normalise_texts(oracle: duckdb.DuckDBPyConnection) -> None:
    """Makes reading.normalised_text: the words of each review, from title, blank and comment as R12 does cities."""
    reviews = oracle.execute("SELECT review_id, order_id, title, comment FROM customer.fact_review").fetchall()
    table = pa.table(
        {
            "review_id": pa.array([str(review_id) for review_id, _, _, _ in reviews], pa.string()),
            "order_id": pa.array([str(order_id) for _, order_id, _, _ in reviews], pa.string()),
            "words": pa.array(
                [normalised(f"{title or ''} {comment or ''}") for _, _, title, comment in reviews], pa.string()
            ),
        }
    )
    oracle.from_arrow(table).create("reading.text_of_review")
    oracle.execute(
        "CREATE TABLE reading.normalised_text AS SELECT CAST(review_id AS UUID) AS review_id,"
        " CAST(order_id AS UUID) AS order_id, words FROM reading.text_of_review"
    )
