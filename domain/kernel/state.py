"""Frozen aggregate states: how one becomes the next.

An aggregate says for each kind of event what it changes of the state; here that is applied: to a copy (`evolved`),
to one and the same state while a stream is folded (`folded`), and to the state at hand while it is decided on
(`Decider`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from replayhouse.domain.kernel.events import DomainEvent

State = TypeVar("State")

Changes = Mapping[str, object]
"""Fields of a state by name, with their new values."""

Steps = Mapping[type[DomainEvent], Callable[[State, Any], Changes]]
"""By kind of event, what one of them changes of a state; other kinds change nothing."""


def changed(state: State, changes: Changes) -> State:
    """A copy of a frozen dataclass (not slotted) with some fields changed.

    `dataclasses.replace` runs the constructor, field by field; copying the dictionary is four times as fast. Names are
    not checked: the tests of each `evolve` do that.
    """
    copy = object.__new__(type(state))
    copy.__dict__.update(state.__dict__)
    copy.__dict__.update(changes)
    return copy


def evolved(state: State, event: DomainEvent, steps: Steps[State]) -> State:
    """The state after an event; the state itself stays as it is."""
    step = steps.get(type(event))
    return state if step is None else changed(state, step(state, event))


def apply_in_place(state: State, event: DomainEvent, steps: Steps[State]) -> None:
    """Makes the state that of after the event; it must be a copy (`changed`) that its owner alone has."""
    step = steps.get(type(event))
    if step is not None:
        state.__dict__.update(step(state, event))


def folded(new: State, events: Iterable[DomainEvent], steps: Steps[State]) -> State:
    """What `evolved` makes of a new state by one event after the other.

    Nobody sees the states in between, so a single copy goes through all of them: half the time, in millions of streams.
    """
    state = object.__new__(type(new))
    fields = state.__dict__
    fields.update(new.__dict__)
    for event in events:
        step = steps.get(type(event))
        if step is not None:
            fields.update(step(state, event))
    return state


class Decider(Generic[State]):
    """A state while it is decided on: what happens changes it at once, and is gathered in `events`."""

    __slots__ = ("_steps", "events", "state")

    def __init__(self, state: State, steps: Steps[State]) -> None:
        self.state = changed(state, {})
        self.events: list[DomainEvent] = []
        self._steps = steps

    def happened(self, event: DomainEvent) -> None:
        """Takes an event as decided."""
        self.events.append(event)
        apply_in_place(self.state, event, self._steps)
