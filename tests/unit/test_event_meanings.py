"""Every field of every event says what it means, where it is declared: consumers elsewhere read nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, get_args, get_type_hints

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.meaning import UTC, Means
from tests.support.any_event import every_event_class


def shapes_of(kind: Any) -> Iterator[type[Any]]:
    """A class and those of its fields, however deep."""
    if is_dataclass(kind):
        assert isinstance(kind, type)
        yield kind
        for hint in get_type_hints(kind).values():
            yield from shapes_of(hint)
    for argument in get_args(kind):
        yield from shapes_of(argument)


def meanings_of(kind: type[Any]) -> dict[str, list[Means]]:
    """What each field says, by its name; class variables are none."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: [one for one in getattr(hints[name], "__metadata__", ()) if isinstance(one, Means)]
        for name in (field.name for field in fields(kind))
    }


@every_event_class
def test_every_field_says_what_it_means(context: str, event_type: type[DomainEvent]) -> None:
    silent = [
        f"{shape.__name__}.{name}"
        for shape in shapes_of(event_type)
        for name, means in meanings_of(shape).items()
        if len(means) != 1 or not means[0].text
    ]
    assert not silent, "say it in Annotated beside the type: Annotated[..., Means('...')]"


@every_event_class
def test_amounts_have_their_unit_and_times_of_ours_their_zone(context: str, event_type: type[DomainEvent]) -> None:
    for shape in shapes_of(event_type):
        hints = get_type_hints(shape)
        for name, means in meanings_of(shape).items():
            if hints[name] is Decimal and name != "score":
                assert means[0].unit == "BRL", f"{shape.__name__}.{name}"
            if hints[name] in (datetime, datetime | None):
                recorded = context == "quality" or event_type.__name__ == "Rewound"
                assert means[0].unit == (UTC if recorded else None), f"{shape.__name__}.{name}"


@every_event_class
def test_every_class_says_what_happened_without_pointing_at_another(
    context: str, event_type: type[DomainEvent]
) -> None:
    for shape in shapes_of(event_type):
        assert shape.__doc__
        assert shape.__doc__.strip().endswith(".")
        assert "fields as in" not in shape.__doc__


def test_a_field_that_says_nothing_is_noticed() -> None:
    @dataclass(frozen=True, slots=True)
    class Weighed(DomainEvent):
        grams: int
        at: Annotated[int, "no meaning"]

    assert meanings_of(Weighed) == {"grams": [], "at": []}
