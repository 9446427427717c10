"""What is known of products (stream = product_id), sellers (seller_id) and categories (UUIDv5 of the Portuguese name).

All of it is timeless: the source does not say since when. What the source does not have is null.
"""

from dataclasses import dataclass
from typing import Annotated

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.meaning import Means
from replayhouse.domain.kernel.regions import RegionShown

CategoryName = Annotated[str | None, Means("the category's Portuguese name; null without one", example="casa")]
NameLength = Annotated[int | None, Means("length of the product's name", "character", 52)]
DescriptionLength = Annotated[int | None, Means("length of its description", "character", 310)]
Photos = Annotated[int | None, Means("how many photos its page shows", example=2)]
Weight = Annotated[int | None, Means("its weight; zero is legal in the source", "gram", 430)]
Length = Annotated[int | None, Means("length of the parcel", "centimetre", 20)]
Height = Annotated[int | None, Means("height of the parcel", "centimetre", 12)]
Width = Annotated[int | None, Means("width of the parcel", "centimetre", 15)]

ZipPrefix = Annotated[str, Means("first five digits of the seller's zip code", example="20040")]
City = Annotated[str, Means("the seller's city as the source spells it", example="rio de janeiro")]
State = Annotated[str, Means("two letters of the seller's state", example="RJ")]


@dataclass(frozen=True, slots=True)
class ProductListed(DomainEvent):
    """First sight of a product."""

    category: CategoryName
    name_length: NameLength
    description_length: DescriptionLength
    photos: Photos
    weight_g: Weight
    length_cm: Length
    height_cm: Height
    width_cm: Width


@dataclass(frozen=True, slots=True)
class ProductRecategorized(DomainEvent):
    """The product stands in another category, or in none."""

    category: CategoryName


@dataclass(frozen=True, slots=True)
class ProductDescribed(DomainEvent):
    """The product's page changed."""

    name_length: NameLength
    description_length: DescriptionLength
    photos: Photos


@dataclass(frozen=True, slots=True)
class ProductRemeasured(DomainEvent):
    """The product's weight or size changed."""

    weight_g: Weight
    length_cm: Length
    height_cm: Height
    width_cm: Width


@dataclass(frozen=True, slots=True)
class SellerRegistered(DomainEvent):
    """First sight of a seller."""

    zip_prefix: ZipPrefix
    city: City
    state: State


@dataclass(frozen=True, slots=True)
class SellerMoved(DomainEvent):
    """The seller's address changed."""

    zip_prefix: ZipPrefix
    city: City
    state: State


@dataclass(frozen=True, slots=True)
class CategoryNamed(DomainEvent):
    """A category was seen, in a product or in the translation."""

    name: Annotated[str, Means("its Portuguese name, by which products name it", example="casa")]
    english: Annotated[str | None, Means("its English name; null while nobody has translated it", example="home")]


EVENTS: tuple[type[DomainEvent], ...] = (
    ProductListed,
    ProductRecategorized,
    ProductDescribed,
    ProductRemeasured,
    SellerRegistered,
    SellerMoved,
    RegionShown,
    CategoryNamed,
)
