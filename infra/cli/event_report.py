"""How an event of a stream is told to people: what happened when, where it came from, and its facts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replayhouse.infra.cli.output import say, shown

if TYPE_CHECKING:
    from replayhouse.infra.audit.history import HistoricEvent


def say_event(event: "HistoricEvent", more: Iterable[tuple[str, str]] = (), *, is_brief: bool = False) -> None:
    """One event, its facts last, or left out if `is_brief`; `more` are names and values that stand before them."""
    mark = "  REWOUND" if event.is_rewound else ""
    say(f"{event.version:>4}  {event.name}{mark}")
    happened = "timeless" if event.occurred_at is None else f"{shown(event.occurred_at)} {_zone(event.occurred_at)}"
    says: list[tuple[str, str]] = [
        ("happened", happened),
        ("recorded", f"{shown(event.recorded_at)} UTC, position {event.position:,}"),
    ]
    if event.batch_id is not None:
        says.append(("load", f"{event.batch_name or ''} ({event.batch_id})"))
    if event.told_source is not None:
        says.append(("from", event.told_source))
    say_pairs([*says, *more, *([] if is_brief else _lines_of(event.facts))])


def _zone(at: datetime) -> str:
    """Business times are as the source tells them; those of the quality context are ours."""
    return "in Brazil" if at.tzinfo is None else "UTC"


def say_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and values, one pair a line, the values below each other."""
    told = list(pairs)
    width = max(len(name) for name, _ in told)
    for name, value in told:
        say(f"      {name:<{width}}  {value}")


def _lines_of(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Facts by name, one a line; lists of records one record a line, the name before the first."""
    for name, value in facts.items():
        if isinstance(value, list | tuple):
            for place, entry in enumerate(value or [None]):
                yield name if place == 0 else "", _entry(entry)
        else:
            yield name, _entry(value)


def _entry(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_entry(inner)}" for name, inner in value.items())
    return shown(value)
