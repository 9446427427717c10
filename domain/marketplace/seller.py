"""The seller, of whom the extracts tell nothing but the address."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded
from replayhouse.domain.marketplace.events import SellerMoved, SellerRegistered


class SellerFacts(NamedTuple):
    """A seller as the extract shows it: a zip prefix of five digits, the city as given, the state."""

    zip_prefix: str
    city: str
    state: str


@dataclass(frozen=True)
class Seller:
    """What is known of a seller; fields as in SellerFacts."""

    is_registered: bool = False
    zip_prefix: str = UNKNOWN
    city: str = UNKNOWN
    state: str = UNKNOWN

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


_EVOLUTION: Steps[Seller] = {
    SellerRegistered: _resides,
    SellerMoved: _resides,
}


def observe(seller: Seller, facts: SellerFacts) -> tuple[DomainEvent, ...]:
    """The extract shows a seller: registered at first sight, moved if the address changed, else nothing."""
    if not seller.is_registered:
        return (SellerRegistered(*facts),)
    return () if facts == seller.facts else (SellerMoved(*facts),)
