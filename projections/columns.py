"""The kinds of columns that the star schema has, so that each table reads like its contract.

Columns are not null unless `null` says so; each carries a comment, which the database keeps. `of` and `to` name the
column, with table and schema, that the key is one of: see `replayhouse.projections.links`. `words` are all that a text
may be.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric, Text, Uuid

from replayhouse.domain.kernel.money import CENT
from replayhouse.domain.kernel.places import REGIONS
from replayhouse.projections.links import Link, link_of
from replayhouse.projections.projection import CALENDAR, INDEXED, PERSONAL, POSITION, WORDS


def uuid(
    name: str,
    comment: str,
    *,
    key: bool = False,
    of: str | None = None,
    to: str | None = None,
    is_indexed: bool = False,
) -> Column[Any]:
    """An identifier of the source, or one derived from it; by one that `is_indexed` rows are looked up, too."""
    info = {INDEXED: is_indexed, Link: link_of(of, to)}
    return Column(name, Uuid, primary_key=key, nullable=False, comment=comment, info=info)


def text(
    name: str,
    comment: str,
    *,
    key: bool = False,
    null: bool = False,
    personal: bool = False,
    to: str | None = None,
    words: Iterable[str] = (),
) -> Column[Any]:
    """A code or free text, ordered by code point; what may identify a person, and so stands in no event in clear."""
    info = {PERSONAL: personal, Link: link_of(None, to), WORDS: tuple(words)}
    return Column(name, Text, primary_key=key, nullable=null, comment=comment, info=info)


def region() -> Column[Any]:
    """Where a state lies (R11), which is for the source to say."""
    brazils = ", ".join(REGIONS)
    return text("region", f"{brazils} or unknown; of a source with regions of its own, one of these")


def integer(name: str, comment: str, *, key: bool = False, null: bool = False, to: str | None = None) -> Column[Any]:
    """A count or small number, `int`."""
    info = {Link: link_of(None, to)}
    return Column(name, Integer, primary_key=key, nullable=null, comment=comment, autoincrement=False, info=info)


def bigint(name: str, comment: str) -> Column[Any]:
    """A number that may be large."""
    return Column(name, BigInteger, nullable=False, comment=comment)


def numeric(name: str, comment: str, precision: int, *, null: bool = False) -> Column[Any]:
    """An exact number with two decimals."""
    return Column(name, Numeric(precision, 2), nullable=null, comment=comment)


def money(name: str, comment: str, *, null: bool = False) -> Column[Any]:
    """An amount in BRL."""
    return numeric(name, comment, 12, null=null)


def moment(name: str, comment: str, *, null: bool = False, in_calendar: bool = False) -> Column[Any]:
    """Business time: local to Brazil, without zone; the calendar reaches as far as those that are `in_calendar` (R15).

    Times that other tables have too, as a delivery has those of its order, are marked in one of them.
    """
    return Column(name, DateTime, nullable=null, comment=comment, info={CALENDAR: in_calendar})


def recorded(name: str, comment: str, *, null: bool = False) -> Column[Any]:
    """Recorded time: when we did it, with its zone."""
    return Column(name, DateTime(timezone=True), nullable=null, comment=comment)


def day(name: str, comment: str, *, null: bool = False) -> Column[Any]:
    """A calendar date."""
    return Column(name, Date, nullable=null, comment=comment)


def degrees(name: str, comment: str) -> Column[Any]:
    """A coordinate, `float8`; null where nobody knows it."""
    return Column(name, Double, nullable=True, comment=comment)


def flag(name: str, comment: str, *, null: bool = False) -> Column[Any]:
    """True or false."""
    return Column(name, Boolean, nullable=null, comment=comment)


def position() -> Column[Any]:
    """The last column of every folded table (R13)."""
    comment = "notification id of the newest event of the row's stream; 0 where no stream makes the row"
    return Column(POSITION, BigInteger, nullable=False, comment=comment)


def date_key_of(time: datetime) -> int:
    """The calendar date of a local time as yyyymmdd (R10)."""
    return time.year * 10_000 + time.month * 100 + time.day


def hundredths_of(since: datetime, until: datetime | None, seconds_a_unit: int, digits: int) -> Decimal | None:
    """The duration in units of so many seconds, to two decimals, half away from zero (R7, R8); null without an end.

    Null too if it has more than so many digits: the source's placeholders for "never" lie thousands of years ahead.
    """
    if until is None:
        return None
    passed = until - since
    seconds = passed.days * 86_400 + passed.seconds
    rounded = (200 * abs(seconds) + seconds_a_unit) // (2 * seconds_a_unit)
    if rounded >= 10**digits:
        return None
    return CENT * (rounded if seconds >= 0 else -rounded)
