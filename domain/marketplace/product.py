"""The product: in which category it stands, how well its page describes it, what the parcel measures."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded
from replayhouse.domain.marketplace.events import (
    ProductDescribed,
    ProductListed,
    ProductRecategorized,
    ProductRemeasured,
)

LARGEST_VOLUME_CM3 = 2**31 - 1
"""What a whole number of the star schema holds: about the cargo of a small ship."""


class ProductFacts(NamedTuple):
    """A product as the extract shows it: `category` the Portuguese name, lengths of texts in characters, the number
    of photos, weight in grams, sides in centimetres. None where the source has nothing; a weight of 0 is legal (R37).
    """

    category: str | None
    name_length: int | None
    description_length: int | None
    photos: int | None
    weight_g: int | None
    length_cm: int | None
    height_cm: int | None
    width_cm: int | None


@dataclass(frozen=True)
class Product:
    """What is known of a product; fields as in ProductFacts."""

    is_listed: bool = False
    category: str | None = None
    name_length: int | None = None
    description_length: int | None = None
    photos: int | None = None
    weight_g: int | None = None
    length_cm: int | None = None
    height_cm: int | None = None
    width_cm: int | None = None

    @property
    def volume_cm3(self) -> int | None:
        """The parcel's volume; None if one side is not known (R37), or if no parcel can be that large.

        Sides of nine digits are legal in an extract; what they make is a slip of the pen, not a volume.
        """
        if self.length_cm is None or self.height_cm is None or self.width_cm is None:
            return None
        volume = self.length_cm * self.height_cm * self.width_cm
        return volume if abs(volume) <= LARGEST_VOLUME_CM3 else None

    @property
    def page(self) -> tuple[int | None, int | None, int | None]:
        """What describes it: length of the name, length of the description, photos."""
        return (self.name_length, self.description_length, self.photos)

    @property
    def measures(self) -> tuple[int | None, int | None, int | None, int | None]:
        """What the carrier cares for: weight, length, height, width."""
        return (self.weight_g, self.length_cm, self.height_cm, self.width_cm)


NEW_PRODUCT = Product()


def product_of(events: Iterable[DomainEvent]) -> Product:
    """The product that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_PRODUCT, events, _EVOLUTION)


def evolve(product: Product, event: DomainEvent) -> Product:
    """The product after an event. An event of another kind leaves it as it is."""
    return evolved(product, event, _EVOLUTION)


def _listed(_: Product, event: ProductListed) -> Changes:
    return {
        "is_listed": True,
        "category": event.category,
        "name_length": event.name_length,
        "description_length": event.description_length,
        "photos": event.photos,
        "weight_g": event.weight_g,
        "length_cm": event.length_cm,
        "height_cm": event.height_cm,
        "width_cm": event.width_cm,
    }


def _recategorized(product: Product, event: ProductRecategorized) -> Changes:
    return {"category": event.category}


def _described(product: Product, event: ProductDescribed) -> Changes:
    return {
        "name_length": event.name_length,
        "description_length": event.description_length,
        "photos": event.photos,
    }


def _remeasured(product: Product, event: ProductRemeasured) -> Changes:
    return {
        "weight_g": event.weight_g,
        "length_cm": event.length_cm,
        "height_cm": event.height_cm,
        "width_cm": event.width_cm,
    }


_EVOLUTION: Steps[Product] = {
    ProductListed: _listed,
    ProductRecategorized: _recategorized,
    ProductDescribed: _described,
    ProductRemeasured: _remeasured,
}


def observe(product: Product, facts: ProductFacts) -> tuple[DomainEvent, ...]:
    """The extract shows a product: listed at first sight, then one event for each side of it that changed."""
    if not product.is_listed:
        return (ProductListed(*facts),)
    category, page, measures = facts[0], facts[1:4], facts[4:]
    events: list[DomainEvent] = []
    if category != product.category:
        events.append(ProductRecategorized(category))
    if page != product.page:
        events.append(ProductDescribed(*page))
    if measures != product.measures:
        events.append(ProductRemeasured(*measures))
    return tuple(events)
