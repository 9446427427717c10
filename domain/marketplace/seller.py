"""The seller, of whom the extracts tell nothing but the address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.domain.kernel.regions import RegionShown, region_as_shown, regions_to_show
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded
from replayhouse.domain.marketplace.events import SellerMoved, SellerRegistered


class SellerFacts(NamedTuple):
    """A seller as the extract shows it: a zip prefix of five digits, the city as given, the state."""

    zip_prefix: str
    city: str
    state: str


@dataclass(frozen=True)
class Seller:
    """What is known of a seller; fields as in SellerFacts. `regions`, by state, are of a source that has its own."""

    is_registered: bool = False
    zip_prefix: str = UNKNOWN
    city: str = UNKNOWN
    state: str = UNKNOWN
    regions: Mapping[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region of the seller's state (R11)."""
        return region_as_shown(self.state, self.regions)

    @property
    def facts(self) -> SellerFacts:
        """The seller as an extract would show it."""
        return SellerFacts(self.zip_prefix, self.city, self.state)


NEW_SELLER = Seller()


def seller_of(events: Iterable[DomainEvent]) -> Seller:
    """The seller that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_SELLER, events, _EVOLUTION)


def evolve(seller: Seller, event: DomainEvent) -> Seller:
    """The seller after an event: the last address counts. An event of another kind leaves it as it is."""
    return evolved(seller, event, _EVOLUTION)


def _resides(_: Seller, event: SellerRegistered | SellerMoved) -> Changes:
    return {"is_registered": True, "zip_prefix": event.zip_prefix, "city": event.city, "state": event.state}


def _in_region(seller: Seller, event: RegionShown) -> Changes:
    return {"regions": {**seller.regions, event.state: event.region}}


_EVOLUTION: Steps[Seller] = {
    SellerRegistered: _resides,
    SellerMoved: _resides,
    RegionShown: _in_region,
}


def observe(seller: Seller, facts: SellerFacts, region: str | None = None) -> tuple[DomainEvent, ...]:
    """The extract shows a seller: registered at first sight, moved if the address changed, else nothing.

    `region` is that of the state, of a source with regions of its own; None: it has none.
    """
    events: list[DomainEvent] = []
    if not seller.is_registered:
        events.append(SellerRegistered(*facts))
    elif facts != seller.facts:
        events.append(SellerMoved(*facts))
    if region is not None:
        events += [RegionShown(*shown) for shown in regions_to_show(seller.regions, [(facts.state, region)])]
    return tuple(events)
