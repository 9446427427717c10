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

POSTGRES_TYPES = {"text": ("text", "uuid"), "int": ("int4",), "date": ("date",)}
DUCKDB_TYPES = {
    "text": "VARCHAR",
    "int": "INTEGER",
    "date": "DATE",
    "numeric(14,2)": "DECIMAL(14,2)",
    "numeric(10,4)": "DECIMAL(10,4)",
}
KEYS = {
    "sales.fact_order": "SELECT order_id::text FROM sales.fact_order",
    "sales.fact_order_item": "SELECT order_id || '/' || item_no FROM sales.fact_order_item",
    "sales.fact_payment": "SELECT order_id || '/' || payment_no FROM sales.fact_payment",
    "fulfillment.fact_delivery": "SELECT order_id::text FROM fulfillment.fact_delivery",
    "customer.fact_review": "SELECT review_id || '/' || order_id FROM customer.fact_review",
    "customer.dim_customer": "SELECT customer_id::text FROM customer.dim_customer",
    "marketplace.dim_seller": "SELECT seller_id::text FROM marketplace.dim_seller"
    " UNION SELECT seller_id::text FROM sales.fact_order_item",
    "marketplace.dim_product": "SELECT product_id::text FROM marketplace.dim_product"
    " UNION SELECT product_id::text FROM sales.fact_order_item",
    "shared.dim_date": "SELECT date_key::text FROM shared.dim_date",
}
"""The tables whose rows stand behind figures, each with the keys told there. Sellers and products count that lines name
and no file lists."""

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
    return asking.in_one_moment(conn, LIVE, lambda: list(_all_that_is_wrong(conn, oracle, asked)))


def faults_of_rows(conn: psycopg.Connection, asked: Sequence[Question] = questions()) -> list[str]:
    """Rows behind figures that are not there, stand behind one figure twice, or behind none. `conn` in autocommit."""

    def found() -> list[str]:
        known = {table: {told for (told,) in conn.execute(keys.encode()).fetchall()} for table, keys in KEYS.items()}
        return [f"{question.number}: {one}" for question in asked for one in _faults_of_rows(conn, question, known)]

    return asking.in_one_moment(conn, LIVE, found)


def _all_that_is_wrong(
    conn: psycopg.Connection, oracle: duckdb.DuckDBPyConnection, asked: Sequence[Question]
) -> Iterator[str]:
    for question in asked:
        yield from (f"{question.number}: {one}" for one in _faults_of_columns(conn, question))
        parts = Parts(conn, question)
        for parameters in _different(usual(question), wide(question), narrow(question)):
            rows = asking.compute(conn, question, parameters)
            wanted, columns = oracle_questions.answer_and_columns(oracle, question.number, parameters)
            if columns != _columns(question):
                yield f"{question.number}: the columns are {_columns(question)}, {columns} by the oracle"
            told = (*_differences(rows, wanted), *_wrong_sums(question, rows, parts.sums(parameters)))
            yield from (f"{question.number} {dict(parameters)}: {one}" for one in told)


class Parts:
    """What the rows behind the figures of a question add up to; asked again only where that may differ."""

    def __init__(self, conn: psycopg.Connection, question: Question) -> None:
        self._conn, self._question = conn, question
        self._found: list[tuple[Parameters, dict[Key, int | Decimal]]] = []

    def sums(self, parameters: Parameters) -> dict[Key, int | Decimal]:
        """By the key of the answer's row, and measure."""
        rows = _rows(self._question)
        used = {name: value for name, value in parameters.items() if f"%({name})s" in rows}
        for known, sums in self._found:
            if known == used:
                return sums
        *names, _table, _key_there, _part = asking.columns_of_rows(self._question)
        keys = ", ".join(names)
        query = f"SELECT {keys}, sum(part) FROM {rows} GROUP BY {keys}"
        sums = {_key(row[:-1]): row[-1] for row in self._conn.execute(query.encode(), used).fetchall()}
        self._found.append((used, sums))
        return sums


def _different(*some: Parameters) -> list[Parameters]:
    return [one for place, one in enumerate(some) if one not in some[:place]]


def _columns(question: Question) -> dict[str, str]:
    """Its columns in order, each with DuckDB's name of its type."""
    return {one.name: DUCKDB_TYPES[one.type] for one in question.columns}


def _faults_of_columns(conn: psycopg.Connection, question: Question) -> Iterator[str]:
    columns = [one.name for one in question.columns]
    nothing = f"SELECT * FROM ({_statement(question, 'answer')}) AS answer LIMIT 0"
    described = conn.execute(nothing.encode(), usual(question)).description or ()
    if [one.name for one in described] != columns:
        yield f"the columns are called {[one.name for one in described]}"
    for column, found in zip(question.columns, described, strict=False):
        if found.type_display.partition("(")[0] not in POSTGRES_TYPES.get(column.type, ("numeric",)):
            yield f"{column.name} has the type {found.type_display}"


def _differences(rows: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Values must agree in type, too, and amounts in their scale."""
    if len(rows) != len(wanted):
        yield f"{len(rows)} rows, {len(wanted)} by the oracle"
    differing = [pair for pair in zip(rows, wanted, strict=False) if repr(pair[0]) != repr(pair[1])]
    for row, other in differing[:3]:
        yield f"{len(differing)} rows differ\n      {_told(row)}\n      {_told(other)} by the oracle"


def _told(row: tuple[Any, ...]) -> str:
    return " | ".join("null" if cell is None else str(cell) for cell in row)


def _wrong_sums(
    question: Question, rows: Sequence[tuple[Any, ...]], sums: Mapping[Key, int | Decimal]
) -> Iterator[str]:
    names, length = [one.name for one in question.columns], len(question.key)
    measures = [(measure, names.index(measure)) for measure in question.measures]
    keyed = ((_key(row[:length]), row) for row in rows)
    figures = (((*key, measure), row[place]) for key, row in keyed for measure, place in measures)
    wrong = [(key, figure) for key, figure in figures if figure is None or sums.get(key, 0) != figure]
    for key, figure in wrong[:2]:
        yield f"{len(wrong)} figures do not add up: {key} is {figure}, its rows make {sums.get(key, 0)}"


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


def _key(row: tuple[Any, ...]) -> Key:
    return tuple(value.hex if isinstance(value, UUID) else str(value) for value in row)


def _rows(question: Question) -> str:
    """The statement `rows` as a relation."""
    return f"({_statement(question, 'rows')}) AS behind ({', '.join(asking.columns_of_rows(question))})"


def _statement(question: Question, name: str) -> str:
    """A statement as psycopg takes it."""
    return re.sub(r"(?<![:\w]):([a-z]\w*)", r"%(\1)s", question.statements[name].text.replace("%", "%%"))
