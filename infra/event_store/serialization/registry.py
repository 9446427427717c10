"""Which topic an event class has in the log, and how states of older versions become current ones.

A topic is `<context>.<ClassName>.v<version>`: a name that outlives modules and refactorings, because what the log holds
stays. A changed shape gets the next version and an upcaster from the one before.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from replayhouse.domain.contexts import Context
from replayhouse.domain.kernel.events import DomainEvent, Rewound
from replayhouse.infra.event_store.serialization.errors import NewerVersion, UnknownTopic

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the state of one version, as parsed JSON, that of the next."""


def as_it_is(state: dict[str, Any]) -> dict[str, Any]:
    """For a version that only allows more than the one before: a field that was always there may be null now.

    States of the older version are read as quickly as current ones, for they are such.
    """
    return state


UPCASTERS: dict[tuple[str, int], Upcaster] = {
    ("customer.CustomerAnonymized", 1): lambda state: {**state, "by": "unknown"},
    ("sales.OrderPlaced", 1): as_it_is,
    ("sales.OrderLineAdded", 1): as_it_is,
    ("sales.OrderLineAmended", 1): as_it_is,
    ("fulfillment.ShipmentPlanned", 1): as_it_is,
    ("fulfillment.ShipmentReplanned", 1): as_it_is,
}
"""By topic without version, and the version they start from: `("sales.OrderPlaced", 1)`.

Personal fields are sealed at this point, under the name of their field: an upcaster may drop one, never rename it.
"""


_NEWER = re.compile(r"[1-9][0-9]{0,8}")
"""A version that is none of those known; `v0` and `v03` are no versions of anything."""


class Registry:
    """The topics of the event classes of each context, both ways.

    Refuses (ValueError) two classes of one name in a context, and a class whose older versions cannot be read because
    an upcaster is missing.
    """

    def __init__(
        self,
        events: Mapping[str, Iterable[type[DomainEvent]]],
        upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    ) -> None:
        self._upcasters = dict(upcasters)
        self._names: set[str] = set()
        self._known: dict[str, tuple[type[DomainEvent], tuple[Upcaster, ...]]] = {}
        self._topics: dict[tuple[str, type[DomainEvent]], str] = {}
        for context, event_types in events.items():
            for event_type in event_types:
                self._register(context, event_type)

    def _register(self, context: str, event_type: type[DomainEvent]) -> None:
        name = f"{context}.{event_type.__name__}"
        if name in self._names:
            raise ValueError(f"two classes of events are called {name}")
        self._names.add(name)
        current = f"{name}.v{event_type.version}"
        self._topics[context, event_type] = current
        self._known[current] = event_type, ()
        chain: tuple[Upcaster, ...] = ()
        for older in range(event_type.version - 1, 0, -1):
            if (name, older) not in self._upcasters:
                raise ValueError(f"{name} has version {event_type.version}, but no upcaster from version {older}")
            upcaster = self._upcasters[name, older]
            chain = chain if upcaster is as_it_is else (upcaster, *chain)
            self._known[f"{name}.v{older}"] = event_type, chain

    @property
    def topics(self) -> Mapping[tuple[str, type[DomainEvent]], str]:
        """The current topic of every context and class in it."""
        return self._topics

    def topic_of(self, context: str, event_type: type[DomainEvent]) -> str:
        """The current topic of a class. Raises UnknownTopic where the context has no such event."""
        try:
            return self._topics[context, event_type]
        except KeyError:
            raise UnknownTopic(f"The context {context} has no event {event_type.__name__}.") from None

    def event_type_of(self, topic: str) -> type[DomainEvent]:
        """The class of a topic, of a current or an older version.

        Raises NewerVersion for a newer one of an event that is known, UnknownTopic for any other topic.
        """
        return self._found(topic)[0]

    def upcasters_of(self, topic: str) -> tuple[Upcaster, ...]:
        """What makes a state of this topic a current one, in order; nothing for one that is read as it is.

        Raises UnknownTopic.
        """
        return self._found(topic)[1]

    def _found(self, topic: str) -> tuple[type[DomainEvent], tuple[Upcaster, ...]]:
        try:
            return self._known[topic]
        except KeyError:
            name, _, version = topic.rpartition(".v")
            if name in self._names and _NEWER.fullmatch(version):
                raise NewerVersion(
                    f"The log holds an event {topic}, and this program knows {name} in older versions only: the "
                    "program is older than the log, update it."
                ) from None
            raise UnknownTopic(
                f"The log holds an event {topic}, which this program does not know: "
                "the program is older than the log, update it; or the log was not written by this program."
            ) from None


REGISTRY = Registry({context.value: (*context.events, Rewound) for context in Context})
"""All events of all contexts; every stream may be rewound."""
