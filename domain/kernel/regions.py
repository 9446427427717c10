"""Regions of a source that has its own: in which of them a state lies is a fact of the stream that is in that state."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.meaning import Means
from replayhouse.domain.kernel.places import region_of


@dataclass(frozen=True, slots=True)
class RegionShown(DomainEvent):
    """The source has regions of its own, and says in which of them a state lies.

    Of a state of which no such event tells, it is the region of Brazil's state of these two letters.
    """

    state: Annotated[str, Means("the state, as in the address", example="CA")]
    region: Annotated[str, Means("its region; `unknown` where the source names none", example="West")]


def region_as_shown(state: str, shown: Mapping[str, str]) -> str:
    """The region of a state: as the source has shown it, else that of Brazil's state of these letters (R11)."""
    if not shown:  # as of every source that has no regions of its own
        return region_of(state)
    region = shown.get(state)
    return region_of(state) if region is None else region


def regions_to_show(shown: Mapping[str, str], seen: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Of states that are seen, each with its region, those that are new or lie in another one than was shown."""
    news: list[tuple[str, str]] = []
    for state, region in seen:
        known = next((last for of, last in reversed(news) if of == state), shown.get(state) if shown else None)
        if known is None or known != region:
            news.append((state, region))
            yield state, region
