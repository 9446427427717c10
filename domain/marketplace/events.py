"""What is known of products (stream = product_id), sellers (seller_id) and categories (UUIDv5 of the Portuguese name).

All of it is timeless: the source does not say since when. Lengths in characters or centimetres, weight in grams, null
where the source has none.
"""

from dataclasses import dataclass

from domain.kernel.events import DomainEvent


@dataclass(frozen=True, slots=True)
class ProductListed(DomainEvent):
    """First sight of a product; `category` is the Portuguese name."""

    category: str | None
    name_length: int | None
    description_length: int | None
    photos: int | None
    weight_g: int | None
    length_cm: int | None
    height_cm: int | None
    width_cm: int | None


@dataclass(frozen=True, slots=True)
class ProductRecategorized(DomainEvent):
    """The product stands in another category, or in none."""

    category: str | None


@dataclass(frozen=True, slots=True)
class ProductDescribed(DomainEvent):
    """The product's page changed."""

    name_length: int | None
    description_length: int | None
    photos: int | None


@dataclass(frozen=True, slots=True)
class ProductRemeasured(DomainEvent):
    """The product's weight or size changed."""

    weight_g: int | None
    length_cm: int | None
    height_cm: int | None
    width_cm: int | None


@dataclass(frozen=True, slots=True)
class SellerRegistered(DomainEvent):
    """First sight of a seller."""

    zip_prefix: str
    city: str
    state: str


@dataclass(frozen=True, slots=True)
class SellerMoved(DomainEvent):
    """The seller's address changed."""

    zip_prefix: str
    city: str
    state: str


@dataclass(frozen=True, slots=True)
class CategoryNamed(DomainEvent):
    """A category was seen, in a product or in the translation; `english` is null while nobody has translated it."""

    name: str
    english: str | None


EVENTS: tuple[type[DomainEvent], ...] = (
    ProductListed,
    ProductRecategorized,
    ProductDescribed,
    ProductRemeasured,
    SellerRegistered,
    SellerMoved,
    CategoryNamed,
)
