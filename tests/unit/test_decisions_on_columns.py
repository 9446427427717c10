"""Decisions on many persons at once are those on each of them, whatever shape they are of and whatever cells hold."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, get_args
from unittest.mock import patch
from uuid import UUID

import duckdb
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.customer.review import ReviewFacts
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import OrderHeader, Payment
from replayhouse.infra.columns.values import Column
from replayhouse.infra.loads import on_columns
from replayhouse.infra.loads.on_columns.deciding import ShapeDecided, ZipsOfSellers, decide_shapes
from replayhouse.infra.loads.on_columns.staged_persons import StagedPersons
from replayhouse.infra.loads.on_columns.staged_rows import columns_of
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.translate.person import PersonDecided, decide_person
from replayhouse.ingest.work import CustomerRow, HeaderRow, ItemRow, OrderWork, PaymentRow, PersonWork, ReviewRow

TYPES = {UUID: "UUID", str: "VARCHAR", int: "BIGINT", Decimal: "DECIMAL(12,2)", datetime: "TIMESTAMP"}
SELLERS = [UUID(int=number) for number in range(1, 4)]
ZIPS = {SELLERS[0]: "01001", SELLERS[1]: "99999"}
"""Of one seller nobody knows where they are."""

STATUSES = (
    "created", "approved", "invoiced", "processing", "shipped", "delivered", "delivered", "canceled", "unavailable",
)  # fmt: skip
START = datetime(2017, 3, 1)
VALUES: dict[type, Callable[[Random], Any]] = {
    UUID: lambda chance: chance.choice(SELLERS),
    str: lambda chance: chance.choice(("", "SP", "01001", "são paulo", "a\0b", "\u00a0", "x" * 300, "\U0001f600", "'")),
    int: lambda chance: chance.choice((0, 1, 2, 3, 5, 12, 2**31 - 1)),
    Decimal: lambda chance: Decimal(chance.choice((0, 1, 999, 10_000, 9_999_999_999))).scaleb(-2),
    datetime: lambda chance: START + timedelta(seconds=chance.choice((0, 0, 1, 3600, 86_400, 20_000_000, -50))),
}


def _known(hint: object) -> type:
    kinds = set(get_args(hint) or (hint,))
    return next(kind for kind in VALUES if kind in kinds)


def _nulls(of: type, chance: Random) -> frozenset[str]:
    """Which of the fields that may be null are: the same in all persons of a shape."""
    may_be = [name for name, hint in columns_of(of).items() if type(None) in get_args(hint)]
    return frozenset(name for name in may_be if chance.random() < 0.4)


def _facts(of: Any, nulls: frozenset[str], chance: Random, **fixed: object) -> Any:
    cells = {
        name: fixed[name] if name in fixed else None if name in nulls else VALUES[_known(hint)](chance)
        for name, hint in columns_of(of).items()
    }
    return of(**cells)


class _OrderShape(NamedTuple):
    """What orders of a shape have in common; of lines, payments and reviews each, which of their fields are null."""

    status: str
    has_header: bool
    nulls: frozenset[str]
    items: list[frozenset[str]]
    payments: list[frozenset[str]]
    reviews: list[frozenset[str]]


def _order_shape(chance: Random) -> _OrderShape:
    children = ([_nulls(of, chance) for _ in range(chance.choice((0, 1, 1, 2)))] for of in (Line, Payment, ReviewFacts))
    return _OrderShape(chance.choice(STATUSES), chance.random() < 0.9, _nulls(OrderHeader, chance), *children)


def _persons_of_a_shape(chance: Random, first: int) -> list[PersonWork]:
    """Some persons who differ in what their cells hold, and perhaps in nothing else."""
    is_known = chance.random() < 0.8
    shape = [_order_shape(chance) for _ in range(chance.choice((0, 1, 1, 2)))]
    rows = chance.choice((0, 1, 2)) if shape else 1
    return [_person(chance, number, is_known, rows, shape) for number in range(first, first + chance.randint(2, 12))]


def _person(chance: Random, number: int, is_known: bool, rows: int, shape: Sequence[_OrderShape]) -> PersonWork:
    person = UUID(int=number << 32)
    customer_id = person if is_known else None
    aliases = [UUID(int=person.int + 1 + one) for one in range(3)]
    work = PersonWork(person, customer_id)
    lines = iter(range(2, 1000))
    if is_known:
        work.customers = [
            CustomerRow(
                next(lines),
                aliases[one],
                _facts(Address, frozenset(), chance),
                region=chance.choice(("West", "East", None)),
            )
            for one in range(rows)
        ]
    for place, of in enumerate(shape):
        order_id = UUID(int=person.int + 100 + place)
        header = _facts(OrderHeader, of.nulls, chance, status=of.status, customer_alias=chance.choice(aliases[:2]))
        work.orders.append(
            OrderWork(
                order_id,
                HeaderRow(next(lines), header) if of.has_header else None,
                [ItemRow(next(lines), _facts(Line, nulls, chance, item_no=no)) for no, nulls in enumerate(of.items)],
                [
                    PaymentRow(next(lines), _facts(Payment, nulls, chance, payment_no=no))
                    for no, nulls in enumerate(of.payments)
                ],
                [ReviewRow(next(lines), _review(nulls, chance, order_id, customer_id)) for nulls in of.reviews],
            )
        )
    return work


def _review(nulls: frozenset[str], chance: Random, order_id: UUID, customer_id: UUID | None) -> ReviewFacts:
    own = {"order_id": order_id, "customer_id": customer_id or UNKNOWN_ID, "score": chance.randint(1, 5)}
    made: ReviewFacts = _facts(ReviewFacts, nulls, chance, **own)
    return made


def _staged(connection: duckdb.DuckDBPyConnection, persons: Iterable[PersonWork]) -> StagedPersons:
    """The same persons as a plan has them."""
    tables: dict[str, tuple[dict[str, object], list[tuple[object, ...]]]] = {
        "work_person": ({"family": UUID, "customer_id": UUID}, []),
        "work_customer": (
            {"family": UUID, "line": int, "customer_alias": UUID, "region": str, **columns_of(Address)},
            [],
        ),
        "work_order": ({"family": UUID, "order_id": UUID, "line": int, **columns_of(OrderHeader)}, []),
        "work_item": ({"order_id": UUID, "line": int, **columns_of(Line)}, []),
        "work_payment": ({"order_id": UUID, "line": int, **columns_of(Payment)}, []),
        "work_review": ({"line": int, **columns_of(ReviewFacts)}, []),
    }
    rows = {table: kept for table, (_, kept) in tables.items()}
    for person in persons:
        rows["work_person"].append((person.key, person.customer_id))
        rows["work_customer"] += [
            (person.key, row.line, row.alias, row.region, *row.address) for row in person.customers
        ]
        for order in person.orders:
            header = order.header
            cells = [getattr(header.header, name) if header else None for name in columns_of(OrderHeader)]
            rows["work_order"].append((person.key, order.order_id, header.line if header else None, *cells))
            rows["work_item"] += [(order.order_id, row.line, *_cells(Line, row.item)) for row in order.items]
            rows["work_payment"] += [
                (order.order_id, row.line, *_cells(Payment, row.payment)) for row in order.payments
            ]
            rows["work_review"] += [(row.line, *row.review) for row in order.reviews]
    for table, (columns, kept) in tables.items():
        told = ", ".join(f"{name} {TYPES[_known(hint)]}" for name, hint in columns.items())
        connection.execute(f"CREATE TABLE {table} (bucket INT, {told})")
        if kept:
            places = ", ".join("?" * (len(columns) + 1))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", [(0, *row) for row in kept])
    return StagedPersons(connection, (0, 0))


def _cells(of: Any, facts: object) -> list[object]:
    return [getattr(facts, name) for name in columns_of(of)]


def _of(value: Any, person: int) -> Any:
    """What a value made of columns is for one of the persons."""
    if issubclass(type(value), Column):
        return value.tolist()[person]
    if isinstance(value, tuple):
        return type(value)(_of(one, person) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _of(getattr(value, field.name), person) for field in fields(value)})
    return value


def _decided_of(shape: ShapeDecided, place: int) -> PersonDecided:
    decisions = [
        Decision(many.context, _of(many.stream_id, place), _of(many.event, place), _of(many.source, place))
        for many in shape.events
    ]
    return PersonDecided(decisions, shape.due_changed, _of(shape.due, place))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chance=st.randoms(use_true_random=False), as_of=st.sampled_from([None, date(2018, 1, 1), date(2017, 3, 2)]))
def test_what_is_decided_on_many_is_what_is_decided_on_each(chance: Random, as_of: date | None) -> None:
    persons: list[PersonWork] = []
    for _ in range(chance.randint(1, 4)):
        persons += _persons_of_a_shape(chance, len(persons) + 1)
    with duckdb.connect() as connection, patch.object(on_columns, "FEW", 1):
        staged = _staged(connection, persons)
        shapes, alone = decide_shapes(staged, np.ones(len(persons), bool), ZipsOfSellers(ZIPS), as_of)
    on_many = [(person, _decided_of(shape, place)) for shape in shapes for place, person in enumerate(shape.persons)]
    assert sorted([*(int(person) for person, _ in on_many), *alone]) == list(range(len(persons)))
    for person, decided in on_many:
        by_itself = decide_person(persons[person], Known(), ZIPS, {}, as_of)
        assert decided.decisions == by_itself.decisions
        assert (decided.due_changed, decided.due) == (by_itself.due_changed, by_itself.due)


def test_most_of_them_are_decided_on_columns() -> None:
    """So what is held above is held of columns."""
    many, alone = 0, 0
    for seed in range(20):
        persons = _persons_of_a_shape(Random(seed), 1)
        with duckdb.connect() as connection, patch.object(on_columns, "FEW", 1):
            staged = _staged(connection, persons)
            shapes, left = decide_shapes(staged, np.ones(len(persons), bool), ZipsOfSellers(ZIPS), date(2018, 1, 1))
        many += sum(len(shape.persons) for shape in shapes)
        alone += len(left)
    assert many > alone
