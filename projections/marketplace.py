"""Marketplace: products, sellers and categories, each folded from a stream of its own (R36 to R38)."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import MetaData, Select, Table, select

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.kernel.places import UNKNOWN, normalised_city
from replayhouse.domain.marketplace.category import category_of
from replayhouse.domain.marketplace.events import (
    CategoryNamed,
    ProductDescribed,
    ProductListed,
    ProductRecategorized,
    ProductRemeasured,
    SellerMoved,
    SellerRegistered,
)
from replayhouse.domain.marketplace.product import product_of
from replayhouse.domain.marketplace.seller import seller_of
from replayhouse.projections.columns import integer, position, region, text, uuid
from replayhouse.projections.links import comment_of
from replayhouse.projections.projection import Projection, Rows, Stream, View, row_maker
from replayhouse.projections.sources import from_files
from replayhouse.projections.versions import VERSIONS

_MARKETPLACE = MetaData(schema="marketplace")

PRODUCT = Table(
    "product",
    _MARKETPLACE,
    uuid("product_id", "the product, as in the source", key=True),
    text(
        "category",
        "Portuguese name of the category; unknown if the product has none",
        to="marketplace.dim_category.category",
    ),
    integer("name_length", "characters of the name", null=True),
    integer("description_length", "characters of the description", null=True),
    integer("photos", "number of photos", null=True),
    integer("weight_g", "weight in grams", null=True),
    integer("length_cm", "length in centimetres", null=True),
    integer("height_cm", "height in centimetres", null=True),
    integer("width_cm", "width in centimetres", null=True),
    integer("volume_cm3", "length x height x width; null if one side is", null=True),
    position(),
    comment="One row for each product, and the unknown one; dim_product adds the English category",
    info=from_files("products"),
)

DIM_SELLER = Table(
    "dim_seller",
    _MARKETPLACE,
    uuid("seller_id", "the seller, as in the source", key=True),
    text("zip_prefix", "zip prefix, five digits", to="fulfillment.dim_geography.zip_prefix"),
    text("city", "city as given"),
    text("city_normalised", "the city without accents, in lower case, with single spaces"),
    text("state", "state, two letters"),
    region(),
    position(),
    comment="One row for each seller, and the unknown one",
    info=from_files("sellers"),
)

DIM_CATEGORY = Table(
    "dim_category",
    _MARKETPLACE,
    text("category", "Portuguese name", key=True),
    text("english", "English name; the Portuguese one where there is no translation"),
    position(),
    comment="One row for each category that is translated or that a product shows, and the unknown one",
    info=from_files("categories"),
)


_product_row = row_maker(PRODUCT)
_seller_row = row_maker(DIM_SELLER)
_category_row = row_maker(DIM_CATEGORY)


def _product_rows(stream: Stream) -> Rows:
    product = product_of(stream.events)
    if not product.is_listed:
        return {}
    row = _product_row(
        product_id=stream.stream_id,
        category=product.category or UNKNOWN,
        name_length=product.name_length,
        description_length=product.description_length,
        photos=product.photos,
        weight_g=product.weight_g,
        length_cm=product.length_cm,
        height_cm=product.height_cm,
        width_cm=product.width_cm,
        volume_cm3=product.volume_cm3,
        position=stream.position,
    )
    return {"product": [row]}


def _seller_rows(stream: Stream) -> Rows:
    seller = seller_of(stream.events)
    row = _seller_row(
        seller_id=stream.stream_id,
        zip_prefix=seller.zip_prefix,
        city=seller.city,
        city_normalised=normalised_city(seller.city),
        state=seller.state,
        region=seller.region,
        position=stream.position,
    )
    return {"dim_seller": [row]}


def _category_rows(stream: Stream) -> Rows:
    category = category_of(stream.events)
    if not category.is_named or category.name == UNKNOWN:
        return {}
    return {"dim_category": [_category_row(category=category.name, english=category.english, position=stream.position)]}


_UNKNOWN_PRODUCT = _product_row(
    product_id=UNKNOWN_ID,
    category=UNKNOWN,
    name_length=None,
    description_length=None,
    photos=None,
    weight_g=None,
    length_cm=None,
    height_cm=None,
    width_cm=None,
    volume_cm3=None,
    position=0,
)
_UNKNOWN_SELLER = _seller_row(
    seller_id=UNKNOWN_ID,
    zip_prefix=UNKNOWN,
    city=UNKNOWN,
    city_normalised=UNKNOWN,
    state=UNKNOWN,
    region=UNKNOWN,
    position=0,
)
_UNKNOWN_CATEGORY = _category_row(category=UNKNOWN, english=UNKNOWN, position=0)

_FOLD_BY_EVENT: dict[type[DomainEvent], Callable[[Stream], Rows]] = {
    ProductListed: _product_rows,
    ProductRecategorized: _product_rows,
    ProductDescribed: _product_rows,
    ProductRemeasured: _product_rows,
    SellerRegistered: _seller_rows,
    SellerMoved: _seller_rows,
    CategoryNamed: _category_rows,
}


def fold(stream: Stream) -> Rows:
    """The row of a product, a seller or a category, once it was seen.

    An extract may show a zero UUID, or a category named `unknown`: those rows are the unknown members' (R14).
    """
    if stream.stream_id == UNKNOWN_ID:
        return {}
    kinds = (_FOLD_BY_EVENT[type(event)] for event in stream.events if type(event) in _FOLD_BY_EVENT)
    rows_of = next(kinds, None)
    return {} if rows_of is None else rows_of(stream)


def _dim_product(tables: Mapping[str, Table]) -> Select[Any]:
    product, category = tables["product"].c, tables["dim_category"].c
    return select(
        product.product_id,
        product.category,
        category.english.label("category_english"),
        *[column for column in product if column.name not in ("product_id", "category")],
    ).select_from(tables["product"].outerjoin(tables["dim_category"], product.category == category.category))


PROJECTION = Projection(
    "marketplace",
    (PRODUCT, DIM_SELLER, DIM_CATEGORY),
    fold,
    version=VERSIONS["marketplace"].number,
    unknown_members={
        "product": [_UNKNOWN_PRODUCT],
        "dim_seller": [_UNKNOWN_SELLER],
        "dim_category": [_UNKNOWN_CATEGORY],
    },
    views=(
        View(
            "dim_product",
            "One row for each product with the English name of its category, and the unknown one",
            {
                **{column.name: comment_of(column) for column in PRODUCT.columns},
                "category_english": "English name of the category; the Portuguese one where there is no translation",
            },
            _dim_product,
        ),
    ),
)
