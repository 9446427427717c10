"""Products, sellers and categories: first sight, what changed since, and nothing where nothing did."""

from dataclasses import asdict
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.events import CustomerMoved
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.regions import RegionShown
from replayhouse.domain.marketplace.category import (
    NEW_CATEGORY,
    Category,
    category_of,
    category_stream_id,
    notice,
    translate,
)
from replayhouse.domain.marketplace.events import (
    CategoryNamed,
    ProductDescribed,
    ProductListed,
    ProductRecategorized,
    ProductRemeasured,
    SellerMoved,
    SellerRegistered,
)
from replayhouse.domain.marketplace.product import NEW_PRODUCT, Product, ProductFacts, product_of
from replayhouse.domain.marketplace.product import observe as observe_product
from replayhouse.domain.marketplace.seller import NEW_SELLER, SellerFacts, seller_of
from replayhouse.domain.marketplace.seller import observe as observe_seller

calm = settings(deadline=None)  # how long one example takes says nothing on a busy machine

VASE = ProductFacts("perfumaria", 40, 287, 1, 225, 16, 10, 14)
BARE = ProductFacts(None, None, None, None, None, None, None, None)
SHOP = SellerFacts("13023", "campinas", "SP")
STRANGER = CustomerMoved(None, "SP", None, None, None)


def listed(facts: ProductFacts = VASE) -> Product:
    return product_of(observe_product(NEW_PRODUCT, facts))


# --- products ---------------------------------------------------------------------------------------------------


def test_a_product_is_listed_at_first_sight() -> None:
    assert observe_product(NEW_PRODUCT, VASE) == (ProductListed("perfumaria", 40, 287, 1, 225, 16, 10, 14),)


def test_a_product_of_which_nothing_is_known_but_its_id_is_listed_too() -> None:
    assert listed(BARE).is_listed
    assert observe_product(listed(BARE), BARE) == ()


def test_a_product_that_is_known_as_it_is_is_no_news() -> None:
    assert observe_product(listed(), VASE) == ()


@pytest.mark.parametrize(
    ("correction", "event"),
    [
        ({"category": "artes"}, ProductRecategorized("artes")),
        ({"category": None}, ProductRecategorized(None)),
        ({"name_length": 41}, ProductDescribed(41, 287, 1)),
        ({"description_length": None}, ProductDescribed(40, None, 1)),
        ({"photos": 2}, ProductDescribed(40, 287, 2)),
        ({"weight_g": 0}, ProductRemeasured(0, 16, 10, 14)),
        ({"length_cm": 17}, ProductRemeasured(225, 17, 10, 14)),
        ({"height_cm": None}, ProductRemeasured(225, 16, None, 14)),
        ({"width_cm": 15}, ProductRemeasured(225, 16, 10, 15)),
    ],
)
def test_each_side_of_a_product_changes_by_an_event_of_its_own(
    correction: dict[str, object], event: DomainEvent
) -> None:
    corrected = VASE._replace(**correction)  # type: ignore[arg-type] # one value of several types
    assert observe_product(listed(), corrected) == (event,)


def test_a_product_that_changed_altogether_changed_on_every_side() -> None:
    events = observe_product(listed(), BARE)
    assert [type(event) for event in events] == [ProductRecategorized, ProductDescribed, ProductRemeasured]


def test_the_volume_is_that_of_the_parcel_and_unknown_if_one_side_is() -> None:
    assert listed().volume_cm3 == 16 * 10 * 14
    assert listed(VASE._replace(length_cm=0)).volume_cm3 == 0
    for side in ("length_cm", "height_cm", "width_cm"):
        assert listed(VASE._replace(**{side: None})).volume_cm3 is None


@pytest.mark.parametrize(
    ("sides", "volume"),
    [
        ((2**31 - 1, 1, 1), 2_147_483_647),
        ((1, 2**31 - 1, 1), 2_147_483_647),
        ((1, 1, 2**31 - 1), 2_147_483_647),
        ((2**30, 2, 1), None),
        ((2**30, 1, 2), None),
        ((1 - 2**31, 1, 1), -2_147_483_647),
        ((-(2**30), 2, 1), None),
    ],
)
def test_a_volume_that_no_parcel_can_have_is_not_known(sides: tuple[int, int, int], volume: int | None) -> None:
    length_cm, height_cm, width_cm = sides
    parcel = VASE._replace(length_cm=length_cm, height_cm=height_cm, width_cm=width_cm)
    assert listed(parcel).volume_cm3 == volume


NUMBERS = st.none() | st.integers(0, 2)
PRODUCTS = st.builds(
    ProductFacts,
    st.none() | st.sampled_from(["artes", "perfumaria"]),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
)


@calm
@given(st.lists(PRODUCTS, min_size=1, max_size=4))
def test_a_product_is_as_it_was_shown_last_and_the_same_again_is_no_news(shown: list[ProductFacts]) -> None:
    stream: list[DomainEvent] = []
    for facts in shown:
        stream += observe_product(product_of(stream), facts)
    product = product_of(stream)
    assert asdict(product) == {"is_listed": True, **shown[-1]._asdict()}
    assert observe_product(product, shown[-1]) == ()


@calm
@given(st.lists(PRODUCTS, max_size=4), st.data())
def test_any_selection_of_a_products_stream_can_be_shown(shown: list[ProductFacts], data: st.DataObject) -> None:
    stream: list[DomainEvent] = [STRANGER]
    for facts in shown:
        stream += observe_product(product_of(stream), facts)
    keep = data.draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    kept = [event for event, is_kept in zip(stream, keep, strict=True) if is_kept]
    product = product_of(kept)
    assert product.is_listed == any(isinstance(event, ProductListed) for event in kept)
    assert product.volume_cm3 is None or product.volume_cm3 >= 0


# --- sellers ----------------------------------------------------------------------------------------------------


def test_a_seller_is_registered_at_first_sight() -> None:
    assert observe_seller(NEW_SELLER, SHOP) == (SellerRegistered("13023", "campinas", "SP"),)


def test_a_seller_whose_address_changed_has_moved() -> None:
    seller = seller_of(observe_seller(NEW_SELLER, SHOP))
    assert observe_seller(seller, SHOP) == ()
    assert observe_seller(seller, SHOP._replace(city="Campinas")) == (SellerMoved("13023", "Campinas", "SP"),)


def test_a_move_alone_tells_where_the_seller_is() -> None:
    seller = seller_of([STRANGER, SellerMoved("13023", "campinas", "SP")])
    assert seller.is_registered
    assert seller.facts == SHOP


def test_nothing_is_known_of_a_seller_nobody_saw() -> None:
    assert not seller_of([STRANGER]).is_registered
    assert NEW_SELLER.facts == ("unknown", "unknown", "unknown")


# --- categories -------------------------------------------------------------------------------------------------


def test_a_category_seen_in_a_product_stands_under_its_own_name_until_it_is_translated() -> None:
    events = notice(NEW_CATEGORY, "pc_gamer")
    assert events == (CategoryNamed("pc_gamer", None),)
    assert category_of(events).english == "pc_gamer"


def test_a_translated_category_stands_under_its_english_name() -> None:
    events = translate(NEW_CATEGORY, "artes", "art")
    assert events == (CategoryNamed("artes", "art"),)
    assert category_of(events).english == "art"


def test_a_category_that_is_known_is_no_news() -> None:
    assert notice(Category("artes", None), "artes") == ()
    assert notice(Category("artes", "art"), "artes") == ()
    assert translate(Category("artes", "art"), "artes", "art") == ()


def test_a_noticed_category_can_be_translated_and_a_translation_corrected() -> None:
    assert translate(Category("artes", None), "artes", "art") == (CategoryNamed("artes", "art"),)
    assert translate(Category("artes", "art"), "artes", "arts") == (CategoryNamed("artes", "arts"),)


def test_a_category_that_translates_to_its_own_name_is_translated() -> None:
    category = category_of(translate(NEW_CATEGORY, "pet_shop", "pet_shop"))
    assert category.translation == "pet_shop"
    assert translate(category, "pet_shop", "pet_shop") == ()


def test_events_of_other_kinds_name_no_category() -> None:
    assert category_of([STRANGER]) == NEW_CATEGORY
    assert not NEW_CATEGORY.is_named


def test_the_stream_of_a_category_is_the_same_on_every_machine() -> None:
    assert category_stream_id("artes") == UUID("76c867c7-9226-5208-ba51-898b813d259a")
    assert category_stream_id("arte") != category_stream_id("artes")


def test_the_region_of_a_seller_is_told_where_the_source_has_its_own() -> None:
    events = observe_seller(NEW_SELLER, SHOP, "Inland")
    assert events == (SellerRegistered(*SHOP), RegionShown("SP", "Inland"))
    seller = seller_of(events)
    assert seller.region == "Inland"
    assert observe_seller(seller, SHOP, "Inland") == observe_seller(seller, SHOP) == ()
    assert observe_seller(seller, SHOP, "Coast") == (RegionShown("SP", "Coast"),)
    assert seller_of(observe_seller(NEW_SELLER, SHOP)).region == "Southeast"
