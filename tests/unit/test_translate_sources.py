"""Which lines of the extract an event names as its cause."""

import pytest

from replayhouse.domain.customer.events import CustomerMoved
from replayhouse.ingest.decision import lines_of, source_of
from tests.support.load import (
    HERE,
    ONE_CUSTOMER,
    ORDER,
    OTHER_ORDER,
    THERE,
    customers,
    extract,
    items,
    loaded,
    of_another_alias,
    payments,
    review,
    reviews,
    sellers,
)
from tests.support.orders import ALIAS, NEIGHBOUR, OTHER_ALIAS, PERSON, TUESDAY, delivered, header, line, payment

# The order at hand stands on line 3 of its file, its items on lines 3 and 4, its payments on 3 and 4, its alias on 3.
OTHERS = of_another_alias(header("created"), OTHER_ALIAS)
FILLED = extract(
    customers=customers((NEIGHBOUR, OTHER_ALIAS, HERE), (PERSON, ALIAS, HERE)),
    orders={OTHER_ORDER: OTHERS, ORDER: delivered()},
    order_items={**items(OTHER_ORDER, line()), **items(ORDER, line(1), line(2))},
    order_payments={**payments(OTHER_ORDER, payment(1, "1.00")), **payments(ORDER, payment(1), payment(2))},
    order_reviews=reviews(review(OTHER_ORDER), review(ORDER)),
    sellers=sellers(other="05001", seller="04038"),
)
WHOLE = "orders:3 order_items:3-4 customers:3"


def sources(stream: str, *told: tuple[str, str, str | None]) -> dict[str, str | None]:
    """The source of each kind of event of one context."""
    return {event: source for context, event, source in told if context == stream}


def first_load_of_the_order() -> list[tuple[str, str, str | None]]:
    """The events of everything but the other order, which is loaded before."""
    warehouse = loaded(
        extract(
            customers=customers((NEIGHBOUR, OTHER_ALIAS, HERE)),
            orders={OTHER_ORDER: OTHERS},
            order_items=items(OTHER_ORDER, line()),
            order_payments=payments(OTHER_ORDER, payment(1, "1.00")),
            order_reviews=reviews(review(OTHER_ORDER)),
            sellers=sellers(other="05001"),
        )
    )
    told = warehouse.load(FILLED)
    return [one for one in told if one[1] != "ShipmentReplanned"]  # the other order's seller has arrived


def test_the_events_of_an_order_name_its_lines() -> None:
    told = first_load_of_the_order()
    assert sources("sales", *told) == {
        "OrderPlaced": WHOLE,
        "PaymentReceived": "order_payments:4",
        "OrderPaid": "orders:3 order_items:3-4 order_payments:3-4",
        "OrderApproved": "orders:3",
        "OrderShipped": "orders:3",
        "OrderCompleted": "orders:3",
    }


def test_each_payment_names_its_own_line() -> None:
    told = [source for _, event, source in first_load_of_the_order() if event == "PaymentReceived"]
    assert told == ["order_payments:3", "order_payments:4"]


def test_the_plan_of_a_shipment_names_all_lines_it_follows_from_and_its_steps_the_orders() -> None:
    assert sources("fulfillment", *first_load_of_the_order()) == {
        "ShipmentPlanned": WHOLE,
        "ShipmentDispatched": "orders:3",
        "DeliveryCompleted": "orders:3",
    }


def test_the_events_of_a_customer_name_who_they_are_and_what_they_bought() -> None:
    assert sources("customer", *first_load_of_the_order()) == {
        "CustomerRegistered": "orders:3 customers:3",
        "PurchaseRecorded": WHOLE,
        "ReviewSubmitted": "order_reviews:3",
        "SegmentChanged": None,
    }


def test_a_late_customer_row_is_the_cause_of_all_that_follows_from_it() -> None:
    warehouse = loaded(
        extract(orders={ORDER: delivered()}, order_items=items(ORDER, line()), order_reviews=reviews(review()))
    )
    told = warehouse.load(extract(customers=ONE_CUSTOMER))
    assert {(event, source) for _, event, source in told} == {
        ("OrderAmended", "customers:2"),
        ("ShipmentReplanned", "customers:2"),
        ("CustomerRegistered", "customers:2"),
        ("PurchaseRecorded", "customers:2"),
        ("ReviewRevised", "customers:2"),
        ("SegmentChanged", None),
    }


def test_of_several_aliases_only_the_orders_own_is_named() -> None:
    warehouse = loaded(extract(orders={ORDER: header("created")}))
    told = warehouse.load(extract(customers=customers((PERSON, OTHER_ALIAS, HERE), (PERSON, ALIAS, HERE))))
    assert [source for _, event, source in told if event == "OrderAmended"] == ["customers:3"]
    assert {source for _, event, source in told if event in ("CustomerRegistered", "AliasLinked")} == {
        "customers:2",
        "customers:3",
    }


def test_items_alone_are_the_cause_of_what_they_correct() -> None:
    warehouse = loaded(FILLED)
    told = warehouse.load(extract(order_items=items(ORDER, line(2, price="1.00"), line(3))))
    assert {(event, source) for _, event, source in told} == {
        ("OrderLineAmended", "order_items:2"),
        ("OrderLineAdded", "order_items:3"),
        ("PurchaseAmended", "order_items:2-3"),
        ("ShipmentReplanned", "order_items:2-3"),
    }


def test_an_order_that_dates_an_alias_is_named_with_it() -> None:
    warehouse = loaded(extract(customers=ONE_CUSTOMER))
    told = warehouse.load(extract(orders={ORDER: header("created")}))
    assert sources("customer", *told) == {"AliasAmended": "orders:2"}


def test_a_move_names_all_lines_that_tell_of_the_person() -> None:
    warehouse = loaded(extract(customers=ONE_CUSTOMER, orders={ORDER: header("created")}))
    told = warehouse.load(
        extract(
            customers=customers((PERSON, ALIAS, HERE), (PERSON, OTHER_ALIAS, THERE)),
            orders={OTHER_ORDER: of_another_alias(header("created", placed_at=TUESDAY), OTHER_ALIAS)},
        )
    )
    assert (sources("customer", *told)[CustomerMoved.__name__]) == "orders:2 customers:3"


def test_a_header_that_corrects_an_order_is_named() -> None:
    warehouse = loaded(FILLED)
    told = warehouse.load(extract(orders={ORDER: delivered(approved_at=None)}))
    assert told == [("sales", "OrderAmended", "orders:2")]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], ""),
        ([7], "items:7"),
        ([8, 7], "items:7-8"),
        ([2, 3, 4, 9, 11, 12], "items:2-4,9,11-12"),
        ([5, 5, 6], "items:5-6"),
    ],
)
def test_neighbouring_lines_are_told_as_one_run(lines: list[int], told: str) -> None:
    assert lines_of("items", lines) == told


def test_an_event_that_no_line_caused_names_none() -> None:
    assert source_of("", "") is None
    assert source_of("orders:2", "", "customers:3") == "orders:2 customers:3"
