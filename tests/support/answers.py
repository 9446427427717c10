"""Answers of a warehouse to the hundred questions: held against the oracle's, and against the rows behind them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import psycopg

from replayhouse.infra.answers import asking
from replayhouse.infra.answers.moment import LIVE
from replayhouse.projections.questions import Question, questions
from tests.oracle import questions as oracle_questions

Parameters = Mapping[str, int | Decimal]
Key = tuple[str, ...]

POSTGRES_TYPES = {
    "text": {"text"},
    "int": {"int4"},
    "date": {"date"},
    "numeric(14,2)": {"numeric"},
    "numeric(10,4)": {"numeric"},
}
DUCKDB_TYPES = {
    "text": "VARCHAR",
    "int": "INTEGER",
    "date": "DATE",
    "numeric(14,2)": "DECIMAL(14,2)",
    "numeric(10,4)": "DECIMAL(10,4)",
}
KEYS = {
    "sales.fact_order": "order_id::text",
    "sales.fact_order_item": "order_id || '/' || item_no",
    "sales.fact_payment": "order_id || '/' || payment_no",
    "fulfillment.fact_delivery": "order_id::text",
    "customer.fact_review": "review_id || '/' || order_id",
    "customer.dim_customer": "customer_id::text",
    "marketplace.dim_seller": "seller_id::text",
    "marketplace.dim_product": "product_id::text",
}
"""The tables whose rows stand behind figures, each with its key as it is told there."""

NO_TABLES = {"city", "category"}
"""What is counted though it is no row of the star schema."""

_OTHERS: Mapping[str, Decimal] = {
    "marketing_pct": Decimal("7.25"),
    "commission_pct": Decimal("12.5"),
    "fee_per_line": Decimal("0.35"),
    "cost_of_capital_pct": Decimal("33.3"),
    "top_pct": Decimal(34),
    "stuck_days": Decimal(7),
    "max_offset": Decimal(3),
    "prior_reviews": Decimal(1),
}


def usual(question: Question) -> Parameters:
    """The defaults."""
    return {one.name: one.default for one in question.parameters}


def wide(question: Question) -> Parameters:
    """All groups are shown, however small, and assumptions are other ones."""
    return {one.name: _of_its_type(one.default, _wide(one.name)) for one in question.parameters}


def narrow(question: Question) -> Parameters:
    """Few groups are shown, all that two things make."""
    return {one.name: _of_its_type(one.default, _narrow(one.name)) for one in question.parameters}


def _wide(name: str) -> Decimal:
    return Decimal(1) if name.startswith("min_") else _OTHERS.get(name, Decimal(1_000))


def _narrow(name: str) -> Decimal:
    return Decimal(2) if name.startswith("min_") else Decimal(3)


def _of_its_type(default: int | Decimal, value: Decimal) -> int | Decimal:
    return int(value) if isinstance(default, int) else value


def found_wrong(
    conn: psycopg.Connection, oracle: duckdb.DuckDBPyConnection, asked: Sequence[Question] = questions()
) -> list[str]:
    """Where answers differ from the oracle's, or from what the rows behind them add up to; for people.

    `conn` is in autocommit.
    """

    def work() -> list[str]:
        wrong: list[str] = []
        known = {table: _keys_of(conn, table, key) for table, key in KEYS.items()}
        for question in asked:
            tried: list[Parameters] = []
            for parameters in (usual(question), wide(question), narrow(question)):
                if parameters not in tried:
                    tried.append(parameters)
                    told = (*_differences(conn, oracle, question, parameters), *_sums(conn, question, parameters))
                    wrong += (f"{question.number} {dict(parameters)}: {one}" for one in told)
            wrong += (f"{question.number}: {one}" for one in _faults_of_rows(conn, question, known))
        return wrong

    return asking.in_one_moment(conn, LIVE, work)


def _differences(
    conn: psycopg.Connection, oracle: duckdb.DuckDBPyConnection, question: Question, parameters: Parameters
) -> Iterator[str]:
    if question.number not in oracle_questions.numbers():
        return
    columns = {one.name: DUCKDB_TYPES[one.type] for one in question.columns}
    if oracle_questions.answer_columns(oracle, question.number) != columns:
        yield f"the columns are {columns}"
    described = conn.execute(f"SELECT * FROM ({_statement(question, 'answer')}) AS a LIMIT 0".encode(), parameters)
    names = [one.name for one in described.description or ()]
    types = [one.type_display for one in described.description or ()]
    if names != list(columns):
        yield f"the columns are called {names}"
    for column, found in zip(question.columns, types, strict=False):
        if found not in POSTGRES_TYPES[column.type] | ({"uuid"} if column.type == "text" else set()):
            yield f"{column.name} has the type {found}"
    got = asking.compute(conn, question, parameters)
    wanted = oracle_questions.answer(oracle, question.number, parameters)
    if len(got) != len(wanted):
        yield f"{len(got)} rows, of the oracle {len(wanted)}"
    differing = [pair for pair in zip(got, wanted, strict=False) if repr(pair[0]) != repr(pair[1])]
    for row, other in differing[:3]:
        yield f"{len(differing)} rows differ\n      {_told(row)}\n      {_told(other)} by the oracle"


def _told(row: tuple[Any, ...]) -> str:
    return " | ".join("null" if cell is None else str(cell) for cell in row)


def _sums(conn: psycopg.Connection, question: Question, parameters: Parameters) -> Iterator[str]:
    """Where parts do not add up to the figures of the answer."""
    if not question.key:
        return
    *keys, _table, _one, _part = asking.columns_of_rows(question)
    told = ", ".join(keys)
    query = f"SELECT {told}, sum(part) FROM {_rows(question)} GROUP BY {told}"
    sums = {_key(row[:-1]): row[-1] for row in conn.execute(query.encode(), parameters).fetchall()}
    names = [one.name for one in question.columns]
    wrong = []
    for row in asking.compute(conn, question, parameters):
        for measure in question.measures:
            key = _key((*row[: len(question.key)], measure))
            figure = row[names.index(measure)]
            if figure is None or sums.get(key, 0) != figure:
                wrong.append(f"{key} is {figure}, its rows make {sums.get(key, 0)}")
    if wrong:
        yield f"{len(wrong)} figures do not add up, as {wrong[:2]}"


def _faults_of_rows(conn: psycopg.Connection, question: Question, known: Mapping[str, set[str]]) -> Iterator[str]:
    rows, parameters = _rows(question), wide(question)
    keys = ", ".join(asking.columns_of_rows(question)[:-1])
    twice = f"SELECT {keys} FROM {rows} GROUP BY {keys} HAVING count(*) > 1 LIMIT 3"
    for row in conn.execute(twice.encode(), parameters).fetchall():
        yield f"behind one figure twice: {_key(row)}"
    measures = {*question.measures, *(part for parts in question.made_of.values() for part in parts)}
    named = f'SELECT measure, "table", array_agg(DISTINCT key) FROM {rows} GROUP BY measure, "table"'
    for measure, table, found in conn.execute(named.encode(), parameters).fetchall():
        if measure not in measures:
            yield f"nothing is made of the measure {measure}"
        if None in found or (table not in NO_TABLES and (table not in known or not known[table].issuperset(found))):
            yield f"there are no such rows behind {measure}: {table} {sorted({*found} - known.get(table, set()))[:3]}"


def _keys_of(conn: psycopg.Connection, table: str, key: str) -> set[str]:
    return {told for (told,) in conn.execute(f"SELECT {key} FROM {table}".encode()).fetchall()}


def _key(row: tuple[Any, ...]) -> Key:
    return tuple(value.hex if isinstance(value, UUID) else str(value) for value in row)


def _rows(question: Question) -> str:
    """The statement `rows` as a relation."""
    return f"({_statement(question, 'rows')}) AS behind ({', '.join(asking.columns_of_rows(question))})"


def _statement(question: Question, name: str) -> str:
    """A statement as psycopg takes it."""
    return re.sub(r"(?<![:\w]):([a-z]\w*)", r"%(\1)s", question.statements[name].text.replace("%", "%%"))
