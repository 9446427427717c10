"""Given what was seen of products, sellers and categories, when folded, then these are their rows (R36 to R38)."""

import pytest

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.marketplace.events import (
    CategoryNamed,
    ProductListed,
    ProductRecategorized,
    ProductRemeasured,
    SellerMoved,
    SellerRegistered,
)
from replayhouse.projections.marketplace import PROJECTION, fold
from replayhouse.projections.projection import Rows, Stream
from tests.support.read_side import an_id

THING = an_id(70)


def folded(*events: DomainEvent) -> Rows:
    return fold(Stream(THING, 5, events))


def test_a_product_with_its_volume() -> None:
    listed = ProductListed("perfumaria", 40, 287, 1, 0, 16, 10, 14)
    assert folded(listed) == {"product": [(THING, "perfumaria", 40, 287, 1, 0, 16, 10, 14, 2240, 5)]}


def test_a_product_without_category_or_a_side() -> None:
    listed = ProductListed(None, None, None, None, None, 16, None, 14)
    row = (THING, "unknown", None, None, None, None, 16, None, 14, None, 5)
    assert folded(listed) == {"product": [row]}


def test_corrections_change_what_they_name() -> None:
    listed = ProductListed("perfumaria", 40, 287, 1, 225, 16, 10, 14)
    [row] = folded(listed, ProductRemeasured(300, 1, 2, 3), ProductRecategorized("artes"))["product"]
    assert row == (THING, "artes", 40, 287, 1, 300, 1, 2, 3, 6, 5)


def test_a_seller_is_where_the_last_event_says() -> None:
    rows = folded(SellerRegistered("13023", "campinas", "SP"), SellerMoved("97000", "Sta.  María", "XX"))
    assert rows == {"dim_seller": [(THING, "97000", "Sta.  María", "sta. maria", "XX", "unknown", 5)]}


@pytest.mark.parametrize(("english", "shown"), [("perfumery", "perfumery"), (None, "perfumaria")])
def test_an_untranslated_category_has_its_own_name(english: str | None, shown: str) -> None:
    assert folded(CategoryNamed("perfumaria", english)) == {"dim_category": [("perfumaria", shown, 5)]}


def test_what_was_never_listed_has_no_row() -> None:
    assert folded(ProductRecategorized("artes")) == {}


def test_a_category_called_like_the_unknown_one_is_that_one() -> None:
    assert folded(CategoryNamed("unknown", None)) == {}
    assert folded(CategoryNamed("unknown", "known")) == {}
    assert folded(CategoryNamed("desconhecida", "unknown")) == {"dim_category": [("desconhecida", "unknown", 5)]}


def test_a_category_without_a_name_has_no_row() -> None:
    assert folded(CategoryNamed("", "perfumery")) == {}


@pytest.mark.parametrize(
    "event",
    [
        ProductListed("perfumaria", 40, 287, 1, 225, 16, 10, 14),
        SellerRegistered("13023", "campinas", "SP"),
        CategoryNamed("perfumaria", "perfumery"),
    ],
)
def test_the_stream_of_the_zero_uuid_has_no_row(event: DomainEvent) -> None:
    assert folded(event) != {}
    assert fold(Stream(UNKNOWN_ID, 5, [event])) == {}


def test_the_unknown_members_are_unknown_in_all_they_say() -> None:
    assert PROJECTION.unknown_members == {
        "product": [(UNKNOWN_ID, "unknown", None, None, None, None, None, None, None, None, 0)],
        "dim_seller": [(UNKNOWN_ID, "unknown", "unknown", "unknown", "unknown", "unknown", 0)],
        "dim_category": [("unknown", "unknown", 0)],
    }
