"""Before the first event nothing is known of an aggregate: no counts, no texts, no times, nobody."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from replayhouse.domain.customer.customer import NEW_CUSTOMER
from replayhouse.domain.customer.review import NEW_REVIEW
from replayhouse.domain.fulfillment.area import NEW_AREA
from replayhouse.domain.fulfillment.shipment import NEW_SHIPMENT
from replayhouse.domain.marketplace.category import NEW_CATEGORY
from replayhouse.domain.marketplace.product import NEW_PRODUCT
from replayhouse.domain.marketplace.seller import NEW_SELLER
from replayhouse.domain.quality.batch import NEW_BATCH
from replayhouse.domain.quality.row import NEW_ROW
from replayhouse.domain.sales.order import NEW_ORDER

NOBODY = UUID(int=0)
NOTHING: dict[type, tuple[Any, ...]] = {
    type(None): (None,),
    bool: (False,),
    int: (0,),
    str: ("", "unknown"),
    tuple: ((),),
    dict: ({},),
    UUID: (NOBODY,),
    datetime: (datetime.min,),
}
"""What says nothing, by type."""

NEW = (
    NEW_ORDER,
    NEW_SHIPMENT,
    NEW_AREA,
    NEW_CUSTOMER,
    NEW_REVIEW,
    NEW_PRODUCT,
    NEW_SELLER,
    NEW_CATEGORY,
    NEW_BATCH,
    NEW_ROW,
)


@pytest.mark.parametrize("state", NEW, ids=lambda state: type(state).__name__)
def test_a_new_state_says_nothing(state: Any) -> None:
    known = {name: value for name, value in asdict(state).items() if value not in NOTHING[type(value)]}
    assert known == {}


@pytest.mark.parametrize("state", NEW, ids=lambda state: type(state).__name__)
def test_nobody_can_change_a_state(state: Any) -> None:
    name = next(iter(asdict(state)))
    with pytest.raises(AttributeError):
        setattr(state, name, getattr(state, name))


def test_only_a_sellers_address_is_unknown_from_the_beginning() -> None:
    unknown = [
        (type(state).__name__, name) for state in NEW for name, value in asdict(state).items() if value == "unknown"
    ]
    assert unknown == [("Seller", "zip_prefix"), ("Seller", "city"), ("Seller", "state")]
