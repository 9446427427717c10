"""Events written from columns are, byte by byte, those that the log's encoder writes one by one."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.columns.numbers import Amounts, Ints
from replayhouse.infra.columns.times import Days, Moments, since_epoch
from replayhouse.infra.columns.values import Column, Texts, Uuids
from replayhouse.infra.columns.writing import Writer


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of fields of every kind; what the same stands in all rows is no column."""

    at: datetime
    day: date
    who: UUID
    said: str
    again: str
    parts: tuple[Part, ...]
    places: tuple[str | None, ...]
    word: str
    nothing: None = None


AMOUNTS = st.integers(-(10**14), 10**14).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
ROWS = st.tuples(
    st.one_of(st.datetimes(), st.datetimes().map(lambda at: at.replace(microsecond=0))),
    st.dates(),
    st.uuids(),
    st.text(),
    st.integers(-(2**48), 2**48),
    AMOUNTS,
    st.text(alphabet=st.sampled_from('"\\\n\x00\x7f\u2028é a')),
)


def column(kind: type[Column], values: list[Any]) -> Any:
    """A column of plain values."""
    if kind is Uuids:
        return Uuids(np.array([str(value).encode() for value in values], "S36"))
    if kind is Texts:
        return Texts(np.array(values, object))
    if kind is Amounts:
        return Amounts(np.array([int(value.scaleb(2)) for value in values], np.int64))
    if kind is Moments:
        return Moments(np.array([since_epoch(value) for value in values], np.int64))
    if kind is Days:
        return Days(np.array([value.toordinal() - date(1970, 1, 1).toordinal() for value in values], np.int64))
    return kind(np.array(values, np.int64))


@given(st.lists(ROWS, min_size=1, max_size=6))
def test_each_row_is_written_as_the_encoder_writes_it_alone(rows: list[tuple[Any, ...]]) -> None:
    ats, days, whos, said, numbers, amounts, places = map(list, zip(*rows, strict=True))
    texts = column(Texts, said)
    part = Part(column(Ints, numbers), column(Amounts, amounts))
    event = Happened(
        at=column(Moments, ats),
        day=column(Days, days),
        who=column(Uuids, whos),
        said=texts,
        again=texts,
        parts=(part, Part(7, Decimal("0.10"))),
        places=(column(Texts, places), None),
        word='w"',
    )
    written = Writer(len(rows)).states(event, {}).to_pylist()
    for row, (at, day, who, text, number, amount, place) in enumerate(rows):
        alone = Happened(
            at, day, who, text, text, (Part(number, amount), Part(7, Decimal("0.10"))), (place, None), 'w"'
        )
        assert written[row] == msgspec.json.encode(alone)


def test_what_stands_instead_of_a_field_is_written_in_its_place() -> None:
    part = Part(column(Ints, [1, 2]), Decimal("3.00"))
    written = Writer(2).states(part, {"amount": column(Texts, ["a", "b"])})
    assert written.to_pylist() == [b'{"number":1,"amount":"a"}', b'{"number":2,"amount":"b"}']
