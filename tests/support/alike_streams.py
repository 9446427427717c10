"""Streams of which some are alike: events of the same kinds in the same order, with other values, hard ones among them.

Drawn by a seed, which failures print. Values are few, so that streams agree in some and disagree in others.
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, get_args
from uuid import UUID

from replayhouse.domain.customer.events import Segment
from replayhouse.domain.kernel.events import DomainEvent, Rewound
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn

TIMES = [
    datetime(2017, 11, 30, 9),
    datetime(2017, 11, 30, 23, 59, 59),
    datetime(2018, 2, 28),
    datetime(2018, 2, 28, 0, 0, 0, 1),
    datetime(1969, 12, 31, 23, 59, 59, 999_999),
    datetime.min,
    datetime.max,
]
REWOUND_AT = [datetime(2018, 9, 1), datetime(2018, 9, 1, tzinfo=UTC), datetime(2018, 9, 1, 1, 2, 3, 456, tzinfo=UTC)]
HARD: dict[type[Any], Sequence[Any]] = {
    datetime: TIMES,
    date: [date.min, date(1969, 12, 31), date(2017, 11, 30), date(2018, 2, 28), date.max],
    Decimal: [
        Decimal(text) for text in ("0.00", "-0.00", "0.01", "-12.34", "1.5", "7", "0.005", "1E+3", "99999999.99")
    ],
    int: [0, -1, 1, 3, 4, 900, 2**31 - 1, 2**40, 2**63, -(2**63)],
    float: [0.0, -0.0, 1e-5, -23.5, 1e14],
    str: ["", "SP", "RJ", "  São  Paulo ", "a\tb\\c\n", "null", "\N{ZERO WIDTH SPACE}ß", "unknown", "9"],
    UUID: [UUID(int=number) for number in (0, 1, 2, 2**127, 2**128 - 1)],
}
HARDER: dict[type[Any], Sequence[Any]] = {
    str: [
        '"',
        "\\",
        "\\u0000",
        "NaN",
        "-0.0",
        "1e5",
        "\u2028",
        "\x7f",
        "\N{GRINNING FACE}",
        "e\N{COMBINING ACUTE ACCENT}",
    ],
    int: [2**53 - 1, 2**53, 2**53 + 1, -(2**53), 2**48, 2**48 + 1, 10**14],
    Decimal: [Decimal(text) for text in ("123456789012.345", "-0.001", "9999999999.99", "999999999999.99", "1E-7")],
    datetime: [datetime(1, 1, 1, 0, 0, 0, 1), datetime(9999, 12, 31), datetime(2017, 11, 30, 9, 0, 0, 500_000)],
    float: [2.0**53, 5e-324, -1e-5, 1.7976931348623157e308],
}
"""Those that are hard only: a text of these keeps a stream from columns more often than not."""

WORDS: dict[str, tuple[str, ...]] = {"what": (), "from_segment": get_args(Segment), "to_segment": get_args(Segment)}
"""Fields that hold one of a few words, and which; the fact that is amended stays, it says what may be null."""


def alike(
    random: Random, kinds: Sequence[type[DomainEvent]], streams: int, hardness: float | None = None
) -> list[list[DomainEvent]]:
    """Streams of events of these classes: most of one shape, some of them nearly."""
    chosen = random.choices(kinds, k=random.randrange(1, 8))
    if random.random() < 0.7:
        chosen[0] = kinds[0]
    pattern = [drawn(kind, random) for kind in chosen]
    if random.random() < 0.4:
        at = random.randrange(1, len(pattern) + 1)
        pattern.insert(at, Rewound(random.choice(REWOUND_AT), UUID(int=1), random.randrange(at + 1)))
    hard = random.choice((0.0, 0.02, 0.2)) if hardness is None else hardness
    return [[_varied(event, random, hard) for event in pattern] for _ in range(streams)]


def _varied(value: Any, random: Random, hardness: float) -> Any:
    """A value of the same kind, its nulls, words and lengths mostly those of the first one."""
    if is_dataclass(value):
        changed = {one.name: _varied(getattr(value, one.name), random, hardness) for one in fields(value)}
        if isinstance(value, Rewound) and random.random() < 0.9:
            changed["to_version"] = value.to_version
        words = {name: word for name in WORDS if (word := getattr(value, name, None)) is not None}
        changed |= {name: random.choice(WORDS[name] or (word,)) for name, word in words.items()}
        kind: Any = type(value)
        return kind(**changed)
    if isinstance(value, tuple):
        kept = value if random.random() > hardness else value[1:]
        return tuple(_varied(item, random, hardness) for item in kept)
    if value is None or isinstance(value, bool):
        return value if random.random() < 0.9 or value is None else not value
    if random.random() < hardness:
        return random.choice([*HARD[type(value)], *HARDER.get(type(value), ())])
    if isinstance(value, datetime):
        return value + timedelta(seconds=random.choice((0, 0, 1, 86_400, -100_000)))
    if isinstance(value, date):
        return value + timedelta(days=random.choice((0, 0, 1, -1)))
    if isinstance(value, Decimal):
        return value + random.choice((0, 0, Decimal("0.01"), Decimal("9.99")))
    if isinstance(value, int):
        return value + random.choice((0, 0, 0, 1))
    if isinstance(value, float):
        return value + random.choice((0, 0.5))
    if isinstance(value, UUID):
        return UUID(int=random.choice((value.int, value.int, 3, 4)))
    return value if random.random() < 0.8 else random.choice(HARD[str])


def kinds_of(context: str) -> list[tuple[type[DomainEvent], ...]]:
    """The classes of events of each kind of stream of a context."""
    return [kinds for of, kinds in KINDS_OF_STREAMS if of == context]
