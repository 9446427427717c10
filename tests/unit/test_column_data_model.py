"""Whatever Python can ask of a value, a column answers as each of its values would, or raises: nothing is forgotten.

What there is to ask is taken from the types themselves: every name that `dir` finds of a plain type, and every
operation of the modules `operator` and `builtins`.
"""

import ast
import builtins
import math
import operator
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from replayhouse.domain.kernel.ids import UNKNOWN_ID, natural_id
from replayhouse.infra.columns.numbers import Amounts, Floats, Ints, Quotients
from replayhouse.infra.columns.times import DAY_US, Days, Durations, Instants, Moments
from replayhouse.infra.columns.values import Bools, Column, Many, Split, Texts, Uuids

ROOT = Path(__file__).parents[2]
IDS = np.array([str(UUID(int=number)).encode() for number in (0, 7, 2**127)], "S36")
COLUMNS: dict[type[Column], Column] = {
    Bools: Bools(np.array([True, False, True])),
    Ints: Ints(np.array([0, -3, 1_000])),
    Floats: Floats(np.array([0.0, -1.5, 1e14])),
    Texts: Texts(np.array(["", "São 'Paulo'", "\N{ZERO WIDTH SPACE}ß\\"], object)),
    Amounts: Amounts(np.array([0, -1234, 9_999_999_999])),
    Uuids: Uuids(IDS),
    Moments: Moments(np.array([0, -1, 1_488_335_445 * 10**6 + 7])),
    Instants: Instants(np.array([0, -1, 1_488_335_445 * 10**6 + 7])),
    Days: Days(np.array([0, -719_162, 2_932_896])),
    Durations: Durations(np.array([0, -1, 3 * DAY_US + 5])),
}
PLAIN: list[Any] = [
    None,
    True,
    2,
    -1,
    0,
    1.5,
    math.nan,
    "a",
    b"a",
    Decimal("2.50"),
    Decimal("0.005"),
    Decimal("NaN"),
    UUID(int=7),
    datetime(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59, 999_999),
    datetime(2017, 1, 1, tzinfo=UTC),
    date(2017, 1, 1),
    timedelta(1, microseconds=1),
    (1,),
    [1],
    {"a": 1},
    {1},
    slice(1),
]

OF_THE_OBJECT = """
    __class__ __doc__ __getstate__ __init__ __init_subclass__ __new__ __setstate__ __slots__ __copy__
    __deepcopy__ __getnewargs__ __reduce__ __reduce_ex__ __setattr__ __delattr__ __dir__ __getattribute__
    __sizeof__ __subclasshook__ __dict__ __weakref__ __module__
"""
"""Makes, copies or changes an object, and tells nothing of its value. What `isinstance` is told is asked below."""

ASKED_BY: dict[str, Callable[[Any], Any]] = {
    "__bool__": bool,
    "__hash__": hash,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__len__": len,
    "__iter__": iter,
    "__str__": str,
    "__repr__": repr,
    "__format__": format,
    "__round__": round,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__abs__": abs,
    "__invert__": operator.invert,
    "__getformat__": lambda x: x.__getformat__("double"),
}
"""Of the special methods that take no other value, what calls them."""

_TWO = """
    add sub mul truediv floordiv mod pow matmul lshift rshift and or xor eq ne lt le gt ge contains getitem
    concat iadd isub imul itruediv ifloordiv imod ipow imatmul ilshift irshift iand ior ixor iconcat
"""
OF_TWO = {f"__{name}__": getattr(operator, f"__{name}__") for name in _TWO.split()} | {"__divmod__": divmod}
"""Those of two operands; the reflected ones are met where a column is the second."""


def answer(ask: Callable[..., Any], *values: Any) -> Any:
    """What comes of it: a value, or the class of the error."""
    try:
        return ask(*values)
    except Exception as error:
        return type(error)


def is_refusal(found: Any) -> bool:
    """Whether an answer is the class of an error; a column says of nothing whether it is an instance of it."""
    return type(found) is type and issubclass(found, Exception)


def rows_of(column: Column) -> list[Any]:
    return list(column.tolist())


def is_true_to(found: Any, expected: list[Any]) -> bool:
    """Whether an answer is that of each value: a column of them, or the one that all have, or a refusal."""
    if is_refusal(found):
        return True
    if issubclass(type(found), Quotients):
        return all(type(one) is Decimal for one in expected)
    if issubclass(type(found), Column):
        listed = rows_of(found)
        return [(type(one), one) for one in listed] == [(type(one), one) for one in expected]
    return all(type(one) is type(found) and one == found for one in expected)


EACH = pytest.mark.parametrize("kind", COLUMNS, ids=lambda kind: kind.__name__)


def agrees(ask: Callable[..., Any], kind: type[Column]) -> bool:
    """Whether a column answers as each of its values; of ids all have one hash: as keys they are told apart by
    comparing, and no other id is beside them (see below).
    """
    if ask is hash and kind is Uuids:
        return True
    return is_true_to(answer(ask, COLUMNS[kind]), [answer(ask, one) for one in rows_of(COLUMNS[kind])])


def names_of(kind: type[Column]) -> list[str]:
    return [name for name in dir(kind.plain) if name not in OF_THE_OBJECT.split()]


def test_every_kind_of_column_is_looked_at() -> None:
    def below(kind: type[Column]) -> set[type[Column]]:
        return {kind, *(one for sub in kind.__subclasses__() for one in below(sub))}

    usable = {kind for kind in below(Column) if hasattr(kind, "plain") and not kind.__name__.startswith("_")}
    assert usable == set(COLUMNS)
    assert set(below(Many)) - below(Column) == {Many, Quotients}  # type: ignore[arg-type]  # Many has kinds, too


@EACH
def test_what_has_one_operand_is_answered_as_by_each_value_or_refused(kind: type[Column]) -> None:
    """A special method that is neither here nor among those of two operands is a name that somebody has to add."""
    for name in names_of(kind):
        reflected = f"__{name[3:]}" if name.startswith("__r") and f"__{name[3:]}" in OF_TWO | ASKED_BY else name
        if name.startswith("__") and reflected not in OF_TWO:
            ask = ASKED_BY[name]
            assert agrees(ask, kind), name


@EACH
def test_a_name_of_the_plain_type_is_answered_as_by_each_value_or_refused(kind: type[Column]) -> None:
    """Neither does `hasattr` say no, nor is a default taken: of a column that would be an answer of another kind."""
    column = COLUMNS[kind]
    for name in names_of(kind):
        if name.startswith("__"):
            continue
        found = answer(getattr, column, name)
        if is_refusal(found):
            assert found is TypeError, name
            assert answer(hasattr, column, name) is TypeError, name
            assert answer(getattr, column, name, None) is TypeError, name
            continue
        expected = [getattr(one, name) for one in rows_of(column)]
        if callable(found):
            found, expected = answer(found), [answer(of_each) for of_each in expected]
        assert is_true_to(found, expected), name


@EACH
@pytest.mark.parametrize("name", OF_TWO)
def test_what_has_two_operands_is_answered_as_by_each_pair_or_refused(kind: type[Column], name: str) -> None:
    """With every plain value and every column on the other side, on either side."""
    column, ask = COLUMNS[kind], OF_TWO[name]
    rows = rows_of(column)
    for other in deepcopy(PLAIN):
        assert is_true_to(answer(ask, column, other), [answer(ask, one, other) for one in rows]), other
        assert is_true_to(answer(ask, other, column), [answer(ask, other, one) for one in rows]), other
    for other in COLUMNS.values():
        pairs = list(zip(rows, rows_of(other), strict=True))
        assert is_true_to(answer(ask, column, other), [answer(ask, *pair) for pair in pairs]), type(other).__name__


OF_OTHER_THINGS = """
    type id callable print dir vars object super breakpoint copyright credits exit quit license help input open
    exec eval compile globals locals __import__ __build_class__ __loader__ setattr delattr classmethod
    staticmethod property aiter anext isinstance issubclass hasattr getattr pow divmod map filter zip enumerate slice
    iter reversed
"""
"""Not of a value, or lazy: what they are given is asked for when the first item is. Some are met in other tests."""


def builtins_of_a_value() -> list[Callable[..., Any]]:
    found = [getattr(builtins, name) for name in dir(builtins) if name not in OF_OTHER_THINGS.split()]
    return [one for one in found if callable(one) and not (type(one) is type and issubclass(one, BaseException))]


@EACH
def test_builtins_of_one_value_answer_as_of_each_or_are_refused(kind: type[Column]) -> None:
    for ask in builtins_of_a_value():
        assert agrees(ask, kind), ask


def matched(value: object) -> bool:
    match value:
        case str() | int() | UUID():
            return True
    return False


@EACH
def test_a_column_is_no_instance_of_anything_else(kind: type[Column]) -> None:
    for plain in {type(value) for value in PLAIN} | {one.plain for one in COLUMNS}:
        assert answer(isinstance, COLUMNS[kind], plain) is TypeError
    assert answer(matched, COLUMNS[kind]) is TypeError


def test_amounts_that_are_divided_are_nothing_until_they_are_rounded() -> None:
    divided: Any = COLUMNS[Amounts] / 3  # type: ignore[operator]  # columns of amounts can
    others = [*deepcopy(PLAIN), *COLUMNS.values(), divided]
    for name, ask in OF_TWO.items():
        for other in others:
            for operands in ((divided, other), (other, divided)):
                found = answer(ask, *operands)
                assert is_refusal(found), name
    for name, ask in ASKED_BY.items():
        assert is_refusal(answer(ask, divided)), name
    for name in dir(Decimal):
        if not name.startswith("__") and name != "quantize":
            assert answer(getattr, divided, name) is TypeError, name
    assert divided.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP).tolist() == [
        (one / 3).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) for one in rows_of(COLUMNS[Amounts])
    ]


@EACH
def test_where_streams_disagree_nobody_is_given_one_answer(kind: type[Column]) -> None:
    column = COLUMNS[kind]
    rows = rows_of(column)
    for first in rows:
        asks: list[Callable[[Any], Any]] = [
            lambda x, first=first: x in [first],  # type: ignore[misc]  # bound now
            lambda x, first=first: bool(x == first),  # type: ignore[misc]  # bound now
            lambda x, first=first: max(x, first),  # type: ignore[misc]  # bound now
            lambda x, first=first: {x: 1}[first],  # type: ignore[misc]  # bound now
            lambda x, first=first: {first: 1}[x],  # type: ignore[misc]  # bound now
        ]
        for ask in asks:
            assert is_true_to(answer(ask, column), [answer(ask, one) for one in rows])


ID_MAKERS = {"UUID", "uuid1", "uuid3", "uuid4", "uuid5", "convert", "fromhex", "from_bytes"}


@pytest.mark.parametrize("package", ["domain", "projections"])
def test_no_fold_makes_an_id_that_would_not_be_found_among_columns_of_ids(package: str) -> None:
    """The zero id is found, or refused; of a natural key an id is made in one place, which columns are known to."""
    made = set()
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in ID_MAKERS:
                    made.add(path.relative_to(ROOT).as_posix())
    assert made <= {"domain/kernel/ids.py"}


@EACH
def test_an_id_that_is_made_of_a_column_is_that_of_each_value_or_none(kind: type[Column]) -> None:
    column: Any = COLUMNS[kind]
    assert is_true_to(answer(natural_id, "product", column), [natural_id("product", one) for one in rows_of(column)])


def test_the_zero_id_is_found_among_columns_of_ids_or_refused() -> None:
    ids = COLUMNS[Uuids]
    assert answer(lambda: {UNKNOWN_ID: 1}.get(ids)) is TypeError  # type: ignore[call-overload]  # what a fold might do
    assert answer(lambda: {ids: 1}.get(UNKNOWN_ID)) is Split  # type: ignore[call-overload]  # as above
