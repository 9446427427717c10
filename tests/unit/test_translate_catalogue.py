"""Products, sellers, categories and zip prefixes: rows become decisions, one family each."""

from typing import Any
from uuid import UUID

import pytest

from replayhouse.domain.fulfillment.area import Sample
from replayhouse.domain.marketplace.category import Category, category_stream_id
from replayhouse.domain.marketplace.events import CategoryNamed
from replayhouse.domain.marketplace.product import ProductFacts
from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.translate.catalogue import decide_category
from replayhouse.ingest.work import CategoryWork
from tests.support.load import extract, loaded, sellers

CHAIR, TABLE = UUID(int=0xD1), UUID(int=0xD2)
INSIDE, FURTHER, OUTSIDE = (
    Sample(-23.5, -46.6, "sao paulo", "SP"),
    Sample(-20.0, -40.0, "sao paulo", "SP"),
    Sample(41.6, -8.4, "braga", "PT"),
)


def product(category: str | None = "moveis", weight_g: int | None = 700) -> ProductFacts:
    return ProductFacts(category, 10, 200, 1, weight_g, 20, 10, 30)


def named(*told: tuple[str, str, str | None]) -> list[tuple[str, str | None]]:
    return [(event, source) for _, event, source in told]


def told_by(first: dict[str, Any], then: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Events and sources of a second load."""
    return named(*loaded(extract(**first)).load(extract(**then)))


def test_a_product_and_its_category_are_told_by_the_products_line() -> None:
    told = named(*loaded().load(extract(products={TABLE: product(None), CHAIR: product()})))
    assert sorted(told) == [
        ("CategoryNamed", "products:3"),
        ("ProductListed", "products:2"),
        ("ProductListed", "products:3"),
    ]


def test_each_side_of_a_product_that_changed_is_told_by_its_line() -> None:
    told = told_by({"products": {CHAIR: product()}}, {"products": {CHAIR: product(None, 0)}})
    assert told == [("ProductRecategorized", "products:2"), ("ProductRemeasured", "products:2")]


def test_a_category_is_told_by_the_translation_if_there_is_one() -> None:
    told = named(*loaded().load(extract(products={CHAIR: product()}, categories={"x": "y", "moveis": "furniture"})))
    assert ("CategoryNamed", "categories:3") in told
    assert len([event for event, _ in told if event == "CategoryNamed"]) == 2


@pytest.mark.parametrize(
    ("line", "english", "product_line", "event", "source"),
    [
        (3, "furniture", None, CategoryNamed("moveis", "furniture"), "categories:3"),
        (3, "furniture", 7, CategoryNamed("moveis", "furniture"), "categories:3"),
        (None, None, 7, CategoryNamed("moveis", None), "products:7"),
        (3, None, 7, CategoryNamed("moveis", None), "products:7"),
        (None, "furniture", 7, CategoryNamed("moveis", None), "products:7"),
        (None, None, None, CategoryNamed("moveis", None), None),
    ],
)
def test_a_category_is_translated_by_a_line_with_an_english_name_and_else_noticed(
    line: int | None, english: str | None, product_line: int | None, event: CategoryNamed, source: str | None
) -> None:
    decisions = decide_category(CategoryWork(CHAIR, "moveis", line, english, product_line), Known())
    assert decisions == [Decision("marketplace", category_stream_id("moveis"), event, source)]


def test_a_translation_that_arrives_late_names_the_category_again() -> None:
    first, then = extract(products={CHAIR: product()}), extract(categories={"moveis": "furniture"})
    warehouse = loaded(first)
    assert warehouse.category("moveis") == Category("moveis", None)
    assert named(*warehouse.load(then)) == [("CategoryNamed", "categories:2")]
    assert warehouse.category("moveis") == Category("moveis", "furniture")


def test_a_translated_category_that_a_product_shows_is_no_news() -> None:
    assert told_by({"categories": {"moveis": "furniture"}}, {"products": {CHAIR: product()}}) == [
        ("ProductListed", "products:2")
    ]


def test_a_seller_is_registered_and_moves_by_its_own_line() -> None:
    first, then = {"sellers": sellers(seller="04038")}, {"sellers": sellers(other="05001", seller="09999")}
    assert sorted(told_by(first, then)) == [("SellerMoved", "sellers:3"), ("SellerRegistered", "sellers:2")]


def test_an_area_is_surveyed_by_all_lines_of_its_prefix() -> None:
    told = named(*loaded().load(extract(geolocation={"01001": [INSIDE, INSIDE, OUTSIDE], "20040": [OUTSIDE]})))
    assert told == [("AreaSurveyed", "geolocation:2-4")]


def test_the_newest_extract_that_has_a_prefix_replaces_its_samples() -> None:
    warehouse = loaded(
        extract(geolocation={"01001": [INSIDE, INSIDE], "20040": [INSIDE]}), extract(geolocation={"01001": [FURTHER]})
    )
    survey = warehouse.area("01001").survey
    assert survey is not None
    assert (survey.latitude, survey.samples) == (-20.0, 1)
    assert warehouse.area("20040").samples == 1


def test_a_prefix_whose_samples_all_lie_outside_now_has_no_area() -> None:
    warehouse = loaded(extract(geolocation={"01001": [INSIDE]}), extract(geolocation={"01001": [OUTSIDE]}))
    assert warehouse.area("01001").samples == 0
