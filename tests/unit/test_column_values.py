"""What stands in a fold for many values: it answers as each of them would, or it raises."""

import importlib
import operator
import pkgutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import ModuleType
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import replayhouse.domain
import replayhouse.projections
from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.kernel.each import joined
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.kernel.places import normalised_city, region_of
from replayhouse.infra.columns.fields import holder_of
from replayhouse.infra.columns.numbers import LARGEST, Ints
from replayhouse.infra.columns.times import Instants
from replayhouse.infra.columns.values import Bools, Column, Split
from replayhouse.ingest.decision import lines_of, source_of

CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents).scaleb(-2))
VALUES: dict[type[Any], st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**48), 2**48),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(),
    Decimal: CENTS,
    UUID: st.uuids() | st.just(UNKNOWN_ID),
    datetime: st.datetimes().map(lambda time: time.replace(fold=0)),
    date: st.dates(),
}
COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)
KINDS = pytest.mark.parametrize("kind", VALUES, ids=[kind.__name__ for kind in VALUES])


def column(*values: Any) -> Any:
    """A column of these values, as those of a field."""
    held = holder_of(cast(Any, type(values[0])))(values)
    assert held.odd is None
    return held.at(np.arange(len(values)))


def listed(found: Any) -> list[Any]:
    assert type(found) is not bool
    return list(found.tolist())


@KINDS
@given(data=st.data())
def test_values_are_kept_and_compared_as_they_are(kind: type[Any], data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=5))
    other = data.draw(VALUES[kind] | st.sampled_from(values))
    others = data.draw(st.permutations(values))

    assert listed(column(*values)) == values
    for compare in COMPARISONS[: 2 if kind is bool else 6]:
        assert listed(compare(column(*values), other)) == [compare(value, other) for value in values]
        assert listed(compare(column(*values), column(*others))) == list(map(compare, values, others))
    assert column(*values).__eq__(None) is False
    assert column(*values).__ne__(None) is True


ARITHMETIC: list[tuple[type[Any], Callable[[Any], Any]]] = [
    (int, lambda x: x + 3),
    (int, lambda x: 3 - x),
    (int, lambda x: x - x),
    (int, lambda x: -x),
    (int, lambda x: abs(x)),
    (int, lambda x: 7 * x),
    (int, lambda x: x // 7),
    (int, lambda x: x % 7),
    (int, lambda x: Decimal("0.01") * x),
    (Decimal, lambda x: x + x + Decimal("1.5")),
    (Decimal, lambda x: sum([x, x], Decimal("0.00"))),
    (Decimal, lambda x: 1 - x),
    (Decimal, lambda x: -x),
    (Decimal, lambda x: (x / 7).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)),
    (Decimal, lambda x: (x / 8).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)),
    (datetime, lambda x: x.year * 10_000 + x.month * 100 + x.day),
    (datetime, lambda x: x.toordinal()),
    (datetime, lambda x: x.date()),
    (datetime, lambda x: (x - datetime(2017, 3, 1, 4, 5, 6, 7)).days),
    (datetime, lambda x: (datetime(2017, 3, 1, 4, 5, 6, 7) - x).seconds),
    (datetime, lambda x: x - datetime.min),
    (date, lambda x: x.year * 10_000 + x.month * 100 + x.day),
    (date, lambda x: (date.max - x).days),
    (date, lambda x: (x - date.min).days),
    (date, lambda x: x.toordinal()),
    (str, region_of),
    (str, normalised_city),
]


@pytest.mark.parametrize(("kind", "reckon"), ARITHMETIC)
@given(data=st.data())
def test_columns_reckon_as_each_of_their_values(
    kind: type[Any], reckon: Callable[[Any], Any], data: st.DataObject
) -> None:
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=5))
    assert listed(reckon(column(*values))) == list(map(reckon, values))


ONE_OF_EACH: list[Any] = [
    True,
    5,
    1.5,
    "SP",
    Decimal("5.00"),
    UUID(int=5),
    datetime(2017, 1, 1),
    date(2017, 1, 1),
    timedelta(1),
    (1, 2),
]
EACH = pytest.mark.parametrize("value", ONE_OF_EACH[:8], ids=[type(value).__name__ for value in ONE_OF_EACH[:8]])


@EACH
def test_columns_have_nothing_to_do_with_values_of_another_kind(value: Any) -> None:
    """Python would say that they differ, and 5 is 5.0."""
    ours = column(value, value)
    for other in ONE_OF_EACH:
        if type(other) is not type(value) and (type(value), type(other)) != (Decimal, int):
            for compare in COMPARISONS:
                with pytest.raises(TypeError):
                    compare(ours, other)
                with pytest.raises(TypeError):
                    compare(other, ours)


@EACH
@pytest.mark.parametrize(
    "ask",
    [
        str,
        repr,
        len,
        iter,
        int,
        float,
        list,
        "{}".format,
        "%s".__mod__,
        lambda x: f"{x!r}",
        lambda x: isinstance(x, str),
        lambda x: x[0],
    ],
)
def test_what_a_column_cannot_do_raises(value: Any, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        ask(column(value, value))


def test_numbers_that_might_leave_64_bits_raise() -> None:
    large: Any = Ints(np.array([LARGEST // 2, 1]))
    assert listed(large + large) == [LARGEST, 2]
    too_large: list[Callable[[Any], Any]] = [lambda x: x + x + 1, lambda x: x * 3, lambda x: 2**70 + x]
    for reckon in too_large:
        with pytest.raises(OverflowError):
            reckon(large)
    for divisor in (0, -2, large, 1.5):
        with pytest.raises(TypeError):
            large // divisor
    with pytest.raises(OverflowError):
        Decimal("0.01") * (large * 2) + Decimal(1)


def test_amounts_with_three_decimals_raise() -> None:
    for other in (Decimal("0.005"), Decimal("1.000000000000000000000000000000000000001")):
        with pytest.raises(TypeError):
            column(Decimal("1.00")) + other
    with pytest.raises(TypeError):
        (column(Decimal("1.00")) / 3).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    with pytest.raises(TypeError):
        column(Decimal("1.00")) / column(3)


def test_a_time_with_a_zone_has_nothing_to_do_with_local_ones() -> None:
    with pytest.raises(TypeError):
        operator.lt(column(datetime(2017, 1, 1)), datetime(2017, 1, 1, tzinfo=UTC))


def test_recorded_times_have_nothing_to_do_with_local_ones() -> None:
    recorded, local = Instants(np.array([0, 1])), column(datetime(1970, 1, 1), datetime(1970, 1, 1))
    assert listed(recorded)[1] == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert listed(recorded == datetime(1970, 1, 1, tzinfo=UTC)) == [True, False]
    for other in (local, datetime(1970, 1, 1)):
        for compare in COMPARISONS:
            with pytest.raises(TypeError):
                compare(recorded, other)


def test_who_needs_one_answer_of_streams_that_disagree_is_told_how_they_part() -> None:
    for ask in (bool, hash):
        with pytest.raises(Split) as split:
            ask(column(0, 1, 0, 1))
        assert split.value.labels.tolist() in ([0, 1, 0, 1], [False, True, False, True])
    with pytest.raises(Split) as split:
        hash(column("RJ", "SP", "BA", "SP"))
    assert split.value.labels.tolist() == [1, 2, 0, 2]
    assert (bool(column(1, 2)), bool(column("", "")), bool(Bools(np.array([True])))) == (True, False, True)


def test_numbers_and_texts_are_found_among_plain_ones() -> None:
    assert {3: "three"}[column(3, 3)] == "three"
    assert {column(3, 3): "three"}[3] == "three"
    assert {column("SP", "SP"): 1}.get(column("RJ", "RJ")) is None
    for value in (1.5, Decimal("1.00"), datetime(2017, 1, 1), date(2017, 1, 1)):
        with pytest.raises(TypeError):
            hash(column(value, value))


def test_ids_are_told_apart_as_keys() -> None:
    one, same, other, mixed = (
        column(*map(UUID, texts))
        for texts in (
            ["0" * 31 + "1", "f" * 32],
            ["0" * 31 + "1", "f" * 32],
            ["0" * 32] * 2,
            ["0" * 31 + "1", "0" * 32],
        )
    )
    assert len({one, same}) == 1
    assert len({one, other}) == 2
    assert {other: "nobody"}[UNKNOWN_ID] == "nobody"
    with pytest.raises(TypeError):  # never found to be another one
        {UNKNOWN_ID: "nobody"}[other]
    with pytest.raises(Split):
        dict.fromkeys((one, mixed))


@pytest.mark.parametrize("package", [replayhouse.domain, replayhouse.projections], ids=lambda package: package.__name__)
def test_no_fold_knows_another_id_than_the_zero_one(package: ModuleType) -> None:
    """As keys, ids that are columns have the hash of that one: another would not be found among them."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        known = vars(importlib.import_module(module.name)).values()
        assert {value for value in known if isinstance(value, UUID)} <= {UNKNOWN_ID, NAMESPACE_URL}


def test_a_column_is_no_other_kind_of_column() -> None:
    with pytest.raises(TypeError):
        isinstance(column(1), str)
    assert isinstance(column(1), Column)


@given(st.lists(st.tuples(st.dates(), st.integers(-400, 400)), min_size=1, max_size=5))
def test_days_are_moved_by_a_duration_or_refuse(rows: list[tuple[date, int]]) -> None:
    days, moved_by = [day for day, _ in rows], timedelta(rows[0][1])
    try:
        expected = [day + moved_by for day in days]
    except OverflowError:
        with pytest.raises(OverflowError):
            column(*days) + moved_by
    else:
        assert listed(column(*days) + moved_by) == expected


@given(
    st.integers(1, 4).flatmap(
        lambda count: st.lists(st.lists(st.integers(1, 6), min_size=count, max_size=count), min_size=1, max_size=8)
    )
)
def test_lines_are_named_in_each_row_as_in_that_one_alone(rows: list[list[int]]) -> None:
    items = lines_of("order_items", [column(*numbers) for numbers in zip(*rows, strict=True)])
    assert listed(items) == [lines_of("order_items", row) for row in rows]
    assert listed(source_of("", items, "orders:7")) == [
        source_of("", lines_of("order_items", row), "orders:7") for row in rows
    ]


@given(st.lists(st.tuples(*[st.sampled_from(["", "orders:1", "customers:2-3"])] * 3), min_size=1, max_size=8))
def test_a_source_is_put_together_in_each_row_of_those_parts_that_it_has(rows: list[tuple[str, str, str]]) -> None:
    parts = [column(*texts) for texts in zip(*rows, strict=True)]
    expected = [source_of(*row) for row in rows]
    if None not in expected:
        assert listed(source_of(*parts)) == expected
    elif len(set(expected)) == 1:
        assert source_of(*parts) is None
    else:
        with pytest.raises(Split):
            source_of(*parts)


def test_what_is_written_in_more_than_one_way_is_put_into_no_text() -> None:
    with pytest.raises(TypeError):
        joined("at ", column(datetime(2017, 1, 1)))


@given(st.lists(st.tuples(st.uuids(), st.uuids()), min_size=1, max_size=5))
def test_an_id_that_is_made_of_ids_is_the_one_that_each_row_makes(rows: list[tuple[UUID, UUID]]) -> None:
    reviews, orders = (column(*ids) for ids in zip(*rows, strict=True))
    assert listed(review_stream_id(reviews, orders)) == [review_stream_id(*row) for row in rows]
