"""A person's rows become decisions: what crosses the contexts, and what arrives late."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from replayhouse.domain.customer.customer import AliasAddress, Purchase, Residence
from replayhouse.domain.customer.events import (
    AliasAmended,
    AliasLinked,
    CustomerAnonymized,
    CustomerRegistered,
    PurchaseRecorded,
    SegmentChanged,
)
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.sales.order import OrderHeader
from replayhouse.ingest.decision import Known
from replayhouse.ingest.translate.person import AT_ONCE, decide_person, lapse
from replayhouse.ingest.work import HeaderRow, OrderWork, PersonWork
from tests.support.fakes.work import MemoryExtract
from tests.support.load import (
    HERE,
    ONE_CUSTOMER,
    ORDER,
    OTHER_ORDER,
    THERE,
    Warehouse,
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
from tests.support.orders import (
    ALIAS,
    FRIDAY,
    MONDAY,
    NEIGHBOUR,
    OTHER_ALIAS,
    OTHER_SELLER,
    PERSON,
    TUESDAY,
    WEDNESDAY,
    brl,
    delivered,
    header,
    line,
    payment,
)

A_DAY: dict[str, Any] = {
    "customers": ONE_CUSTOMER,
    "orders": {ORDER: delivered()},
    "order_items": items(ORDER, line()),
    "order_payments": payments(ORDER, payment()),
    "order_reviews": reviews(review()),
    "sellers": sellers(seller="04038"),
}


def a_day(**other: Any) -> MemoryExtract:
    """The same, but for some files."""
    return extract(**{**A_DAY, **other})


# --- one load ---------------------------------------------------------------------------------------------------


def test_a_delivered_order_is_told_in_all_contexts_at_once() -> None:
    warehouse = loaded(a_day())
    assert warehouse.order().status == "delivered"
    assert (warehouse.shipment().destination_zip, warehouse.shipment().origin_zip) == ("01001", "04038")
    assert warehouse.customer().purchases == {ORDER: Purchase(ORDER, brl("100.00"), MONDAY, FRIDAY)}
    assert warehouse.customer().segment == "ONE_TIME"
    assert warehouse.review().customer_id == PERSON
    assert warehouse.seller(line().seller_id).zip_prefix == "04038"


def test_the_same_extract_again_appends_nothing() -> None:
    assert loaded(a_day()).load(a_day()) == []


def test_an_order_that_was_not_delivered_is_no_purchase() -> None:
    warehouse = loaded(a_day(orders={ORDER: header("shipped", shipped_at=TUESDAY)}))
    assert warehouse.customer().purchases == {}
    assert warehouse.customer().segment == "NEW"


def test_a_person_has_as_many_aliases_as_orders_each_dated_by_its_own() -> None:
    warehouse = loaded(
        extract(
            customers=customers((PERSON, ALIAS, HERE), (PERSON, OTHER_ALIAS, THERE)),
            orders={
                ORDER: delivered(placed_at=TUESDAY),
                OTHER_ORDER: of_another_alias(delivered(placed_at=MONDAY), OTHER_ALIAS),
            },
        )
    )
    customer = warehouse.customer()
    assert customer.aliases == {
        ALIAS: AliasAddress(ALIAS, *HERE, TUESDAY),
        OTHER_ALIAS: AliasAddress(OTHER_ALIAS, *THERE, MONDAY),
    }
    assert customer.address_history == [Residence(THERE, MONDAY), Residence(HERE, TUESDAY)]
    assert customer.orders == 2
    assert warehouse.shipment(OTHER_ORDER).destination_zip == THERE.zip_prefix
    assert warehouse.shipment(ORDER).destination_zip == HERE.zip_prefix


def test_an_alias_with_two_orders_is_dated_by_the_first() -> None:
    orders = {ORDER: delivered(placed_at=TUESDAY), OTHER_ORDER: delivered(placed_at=MONDAY)}
    at_once = loaded(extract(customers=ONE_CUSTOMER, orders=orders))
    later = loaded(
        extract(customers=ONE_CUSTOMER, orders={ORDER: orders[ORDER]}),
        extract(orders={OTHER_ORDER: orders[OTHER_ORDER]}),
    )
    for warehouse in (at_once, later):
        assert warehouse.customer().aliases[ALIAS].placed_at == MONDAY


def test_a_customer_without_an_order_is_registered_without_a_date() -> None:
    warehouse = loaded(extract(customers=ONE_CUSTOMER))
    assert warehouse.customer().aliases[ALIAS].placed_at is None
    assert sorted(warehouse.told(extract(orders={ORDER: header("created")}))) == [
        "AliasAmended",
        "OrderPlaced",
        "ShipmentPlanned",
    ]
    assert warehouse.customer().aliases[ALIAS].placed_at == MONDAY


def test_a_review_of_several_orders_stands_at_each() -> None:
    warehouse = loaded(
        extract(
            customers=ONE_CUSTOMER,
            orders={ORDER: delivered(), OTHER_ORDER: delivered()},
            order_reviews=reviews(review(ORDER, 5), review(OTHER_ORDER, 1)),
        )
    )
    assert [warehouse.review(order_id).score for order_id in (ORDER, OTHER_ORDER)] == [5, 1]


# --- who arrives late -------------------------------------------------------------------------------------------


def test_an_order_of_nobody_we_know_is_told_without_a_purchase() -> None:
    warehouse = loaded(a_day(customers={}))
    assert warehouse.order().customer_id == UNKNOWN_ID
    assert warehouse.shipment().destination_zip is None
    assert warehouse.review().customer_id == UNKNOWN_ID
    assert not warehouse.customer().is_registered
    assert warehouse.log.due == {}


def test_a_customer_row_that_arrives_late_settles_all_that_named_it() -> None:
    warehouse = loaded(a_day(customers={}))
    events = warehouse.told(extract(customers=ONE_CUSTOMER))
    assert sorted(events) == [
        "CustomerRegistered",
        "OrderAmended",
        "PurchaseRecorded",
        "ReviewRevised",
        "SegmentChanged",
        "ShipmentReplanned",
    ]
    assert warehouse.order().customer_id == PERSON
    assert (warehouse.shipment().customer_id, warehouse.shipment().destination_zip) == (PERSON, "01001")
    assert warehouse.review().customer_id == PERSON
    assert warehouse.review().comment == "chegou"
    assert warehouse.customer().aliases[ALIAS].placed_at == MONDAY
    assert warehouse.customer().orders == 1


def test_a_seller_row_that_arrives_late_gives_the_shipment_its_origin() -> None:
    warehouse = loaded(a_day(sellers={}))
    assert warehouse.shipment().origin_zip is None
    assert warehouse.told(extract(sellers=sellers(seller="04038"))) == ["ShipmentReplanned", "SellerRegistered"]
    assert warehouse.shipment().origin_zip == "04038"


def test_a_seller_who_moves_replans_all_shipments_from_there_also_of_further_lines() -> None:
    lines = items(ORDER, line(1, seller_id=OTHER_SELLER), line(2))
    warehouse = loaded(a_day(order_items=lines, sellers=sellers(seller="04038", other="05001")))
    warehouse.load(extract(sellers=sellers(seller="09999")))
    assert (warehouse.shipment().origin_zip, warehouse.shipment().origins) == ("05001", ("05001", "09999"))


def test_an_order_that_arrives_after_its_customer_finds_the_person_in_the_log() -> None:
    warehouse = loaded(extract(customers=ONE_CUSTOMER), a_day(customers={}))
    assert warehouse.order().customer_id == PERSON
    assert warehouse.shipment().destination_zip == "01001"
    assert warehouse.customer().orders == 1
    assert warehouse.customer().aliases[ALIAS].placed_at == MONDAY


def test_a_corrected_address_replans_the_shipments_of_that_alias_only() -> None:
    both = customers((PERSON, ALIAS, HERE), (PERSON, OTHER_ALIAS, HERE))
    orders = {ORDER: delivered(), OTHER_ORDER: of_another_alias(delivered(), OTHER_ALIAS)}
    warehouse = loaded(extract(customers=both, orders=orders))
    events = warehouse.told(extract(customers=customers((PERSON, ALIAS, THERE))))
    assert events.count("ShipmentReplanned") == 1
    assert warehouse.shipment(ORDER).destination_zip == THERE.zip_prefix
    assert warehouse.shipment(OTHER_ORDER).destination_zip == HERE.zip_prefix


# --- what is corrected ------------------------------------------------------------------------------------------


def test_only_the_items_again_correct_order_route_and_purchase() -> None:
    warehouse = loaded(a_day())
    events = warehouse.told(extract(order_items=items(ORDER, line(price="50.00"), line(2, seller_id=OTHER_SELLER))))
    assert sorted(events) == ["OrderLineAdded", "OrderLineAmended", "PurchaseAmended", "ShipmentReplanned"]
    assert warehouse.order().status == "delivered"
    assert warehouse.customer().purchases[ORDER].amount == warehouse.order().total == brl("170.00")
    assert warehouse.shipment().origins == ("04038", None)


def test_only_a_payment_again_corrects_nothing_else() -> None:
    warehouse = loaded(a_day())
    assert warehouse.told(extract(order_payments=payments(ORDER, payment(amount="101.00")))) == ["PaymentAmended"]


def test_only_a_review_again_is_revised() -> None:
    warehouse = loaded(a_day())
    assert warehouse.told(extract(order_reviews=reviews(review(score=1)))) == ["ReviewRevised"]
    assert warehouse.review().score == 1


def test_a_corrected_placing_dates_alias_shipment_and_purchase_anew() -> None:
    warehouse = loaded(a_day())
    sooner = MONDAY - timedelta(days=2)
    warehouse.load(extract(orders={ORDER: delivered(placed_at=sooner)}))
    assert warehouse.customer().aliases[ALIAS].placed_at == sooner
    assert warehouse.shipment().placed_at == sooner
    assert warehouse.customer().purchases[ORDER].placed_at == sooner


def test_a_delivered_order_that_is_canceled_is_bought_and_delivered_no_longer() -> None:
    warehouse = loaded(a_day())
    canceled = header("canceled", approved_at=TUESDAY, shipped_at=WEDNESDAY, completed_at=FRIDAY)
    events = warehouse.told(extract(orders={ORDER: canceled}))
    assert sorted(events) == ["DeliveryRevoked", "OrderCanceled", "PurchaseRevoked", "SegmentChanged"]
    assert warehouse.shipment().status == "dispatched"
    assert warehouse.customer().segment == "NEW"


# --- erased persons ---------------------------------------------------------------------------------------------


def erased() -> Warehouse:
    warehouse = loaded(a_day())
    warehouse.log.streams["customer", PERSON].append(CustomerAnonymized(FRIDAY, "asked for it", "ana"))
    return warehouse


def test_an_erased_persons_rows_are_no_news_at_the_next_load() -> None:
    warehouse = erased()
    warehouse.log.seen.clear()
    assert warehouse.load(a_day()) == []


def test_an_erased_persons_new_order_travels_to_nowhere_we_know_and_says_nothing() -> None:
    warehouse = erased()
    orders = {OTHER_ORDER: delivered()}
    warehouse.load(a_day(orders=orders, order_reviews=reviews(review(OTHER_ORDER))))
    assert warehouse.shipment(OTHER_ORDER).destination_zip is None
    assert warehouse.review(OTHER_ORDER).comment is None
    assert warehouse.customer().orders == 2


# --- segments ---------------------------------------------------------------------------------------------------


def test_a_person_is_evaluated_as_of_the_latest_order_known() -> None:
    warehouse = loaded(
        extract(
            customers=customers((PERSON, ALIAS, HERE), (NEIGHBOUR, OTHER_ALIAS, HERE)),
            orders={
                ORDER: delivered(),
                OTHER_ORDER: of_another_alias(header("created", placed_at=FRIDAY), OTHER_ALIAS),
            },
        )
    )
    assert warehouse.customer().segment_as_of == FRIDAY.date()
    assert warehouse.customer(NEIGHBOUR).segment_changes == ()


def test_who_bought_nothing_for_long_is_churned_by_a_load_that_does_not_show_them() -> None:
    warehouse = loaded(a_day())
    last_day = MONDAY + timedelta(days=180)

    def an_order_of_somebody_else(days: int) -> MemoryExtract:
        placed = header("created", placed_at=MONDAY + timedelta(days=days))
        return extract(orders={OTHER_ORDER: of_another_alias(placed, OTHER_ALIAS)})

    warehouse.load(an_order_of_somebody_else(180))
    assert warehouse.as_of == last_day.date()
    assert warehouse.customer().segment == "ONE_TIME"
    events = warehouse.told(an_order_of_somebody_else(181))
    assert "SegmentChanged" in events
    assert warehouse.customer().segment == "CHURNED"
    assert warehouse.customer().segment_as_of == last_day.date() + timedelta(days=1)
    assert warehouse.log.due[PERSON].at is None


def test_a_churned_person_who_buys_again_is_churned_no_longer() -> None:
    warehouse = loaded(a_day())
    back = MONDAY + timedelta(days=400)
    other = of_another_alias(header("created", placed_at=back), OTHER_ALIAS)
    warehouse.load(extract(orders={OTHER_ORDER: other}))
    assert warehouse.customer().segment == "CHURNED"
    again = of_another_alias(delivered(placed_at=back, completed_at=back + timedelta(days=3)), OTHER_ALIAS)
    warehouse.load(extract(customers=customers((PERSON, OTHER_ALIAS, HERE)), orders={OTHER_ORDER: again}))
    assert warehouse.customer().segment == "REGULAR"
    assert warehouse.log.due[PERSON].at == back.date() + timedelta(days=181)


def test_who_churned_is_not_if_the_newest_order_turns_out_to_be_older() -> None:
    warehouse = loaded(a_day())
    for days, segment in ((300, "CHURNED"), (100, "ONE_TIME"), (250, "CHURNED")):
        placed = header("created", placed_at=MONDAY + timedelta(days=days))
        warehouse.load(extract(orders={OTHER_ORDER: of_another_alias(placed, OTHER_ALIAS)}))
        assert warehouse.customer().segment == segment


def test_who_was_churned_at_first_sight_is_not_if_the_newest_order_turns_out_to_be_older() -> None:
    def placed(days: int) -> dict[UUID, OrderHeader]:
        return {OTHER_ORDER: of_another_alias(header("created", placed_at=MONDAY + timedelta(days=days)), OTHER_ALIAS)}

    warehouse = loaded(a_day(orders={ORDER: delivered(), **placed(300)}))
    assert warehouse.customer().segment == "CHURNED"
    warehouse.load(extract(orders=placed(100)))
    assert warehouse.customer().segment == "ONE_TIME"


def test_a_segment_is_told_once_with_what_it_follows_from() -> None:
    warehouse = loaded(a_day())
    (event,) = [e for e in warehouse.events("customer", PERSON) if isinstance(e, SegmentChanged)]
    assert (event.from_segment, event.to_segment, event.orders, event.spent) == ("NEW", "ONE_TIME", 1, brl("100.00"))


class InTheLog(NamedTuple):
    """A stream as the log has it."""

    effective_events: Sequence[DomainEvent]

    @property
    def last_version(self) -> int:
        return len(self.effective_events)


REGISTERED = CustomerRegistered(MONDAY, ALIAS, "SP", MONDAY, HERE.zip_prefix, HERE.city)
BOUGHT = PurchaseRecorded(FRIDAY, ORDER, brl("100.00"), MONDAY, FRIDAY)
EVALUATED = SegmentChanged(FRIDAY, "NEW", "ONE_TIME", FRIDAY.date(), 1, brl("100.00"))


@pytest.mark.parametrize(
    ("events", "due"),
    [([], None), ([BOUGHT], AT_ONCE), ([EVALUATED], AT_ONCE), ([BOUGHT, EVALUATED], AT_ONCE)],
)
def test_whom_no_day_evaluates_lapses_at_once_where_there_is_anything_to_evaluate(
    events: list[DomainEvent], due: date | None
) -> None:
    known = Known({"customer": {PERSON: InTheLog([REGISTERED, *events])}})
    decided = decide_person(PersonWork(PERSON, PERSON), known, {}, {}, as_of=None)
    assert (decided.decisions, decided.due) == ([], due)


@pytest.mark.parametrize(("days", "segments"), [(180, []), (181, ["CHURNED"])])
def test_a_person_whom_a_load_does_not_show_is_told_a_new_date_also_where_nothing_changed(
    days: int, segments: list[str]
) -> None:
    known = Known({"customer": {PERSON: InTheLog([REGISTERED, BOUGHT, EVALUATED])}})
    decided = lapse(PERSON, known, MONDAY.date() + timedelta(days=days))
    assert [d.event.to_segment for d in decided.decisions if isinstance(d.event, SegmentChanged)] == segments
    assert decided.due_changed
    assert decided.due == (None if segments else MONDAY.date() + timedelta(days=181))


def test_an_order_under_an_alias_that_nobody_has_shown_says_nothing_of_the_persons_aliases() -> None:
    work = PersonWork(PERSON, PERSON, orders=[OrderWork(ORDER, HeaderRow(2, delivered()))])
    decided = decide_person(work, Known(), {}, {}, FRIDAY.date())
    assert {decision.context for decision in decided.decisions} == {"sales", "fulfillment"}
    known = Known({"customer": {PERSON: InTheLog([REGISTERED])}})
    other = OrderWork(OTHER_ORDER, HeaderRow(2, of_another_alias(delivered(), OTHER_ALIAS)))
    decided = decide_person(PersonWork(PERSON, PERSON, orders=[other]), known, {}, {}, FRIDAY.date())
    assert not [one.event for one in decided.decisions if isinstance(one.event, AliasLinked | AliasAmended)]
