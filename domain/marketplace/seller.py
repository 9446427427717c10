"""The seller, of whom the extracts tell nothing but the address."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.places import UNKNOWN
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
    seller = NEW_SELLER
    for event in events:
        seller = evolve(seller, event)
    return seller


def evolve(seller: Seller, event: DomainEvent) -> Seller:
    """The seller after an event: the last address counts. An event of another kind leaves it as it is."""
    apply = _EVOLUTION.get(type(event))
    return seller if apply is None else apply(seller, event)


def _resides(_: Seller, event: SellerRegistered | SellerMoved) -> Seller:
    return Seller(True, event.zip_prefix, event.city, event.state)


_EVOLUTION: dict[type[DomainEvent], Callable[[Seller, Any], Seller]] = {
    SellerRegistered: _resides,
    SellerMoved: _resides,
}


def observe(seller: Seller, facts: SellerFacts) -> tuple[DomainEvent, ...]:
    """The extract shows a seller: registered at first sight, moved if the address changed, else nothing."""
    if not seller.is_registered:
        return (SellerRegistered(*facts),)
    return () if facts == seller.facts else (SellerMoved(*facts),)
