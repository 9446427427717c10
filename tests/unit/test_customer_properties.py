"""What holds for every person, whatever the extracts brought and in whatever order."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.customer import (
    NEW_CUSTOMER,
    Address,
    AliasSeen,
    Customer,
    OrderOutcome,
    customer_of,
    due_on,
    evaluate,
    evolve,
    observe_aliases,
    record_purchases,
)
from replayhouse.domain.customer.events import CustomerAnonymized, CustomerMoved, CustomerRegistered
from replayhouse.domain.customer.segment import segment_at
from replayhouse.domain.kernel.events import DomainEvent, Rewound
from replayhouse.domain.marketplace.events import SellerMoved

calm = settings(deadline=None)  # how long one example takes says nothing on a busy machine

START = datetime(2017, 1, 1)
UUIDS = st.integers(1, 6).map(lambda number: UUID(int=number))
TIMES = st.integers(0, 400).map(lambda hours: START + timedelta(hours=17 * hours))
DATES = TIMES.map(lambda time: time.date())
ADDRESSES = st.sampled_from(
    [
        Address("01001", "sao paulo", "SP"),
        Address("04038", "sao paulo", "SP"),
        Address("01001", "são paulo", "SP"),
        Address("20040", "rio de janeiro", "RJ"),
    ]
)
SIGHTS = st.lists(
    st.builds(AliasSeen, UUIDS, st.none() | TIMES, ADDRESSES), max_size=5, unique_by=lambda sight: sight.alias
)
OUTCOMES = st.lists(
    st.builds(
        OrderOutcome,
        UUIDS,
        st.booleans(),
        st.integers(0, 60_000).map(lambda cents: Decimal(cents) / 100),
        TIMES,
        st.none() | TIMES,
    ),
    max_size=5,
    unique_by=lambda outcome: outcome.order_id,
)
LOADS = st.lists(st.tuples(SIGHTS, OUTCOMES, DATES), max_size=4)
Loads = list[tuple[list[AliasSeen], list[OrderOutcome], date]]
ERASED = CustomerAnonymized(datetime(2026, 1, 1), "asked for it", "ana")


def decide(customer: Customer, sights: Sequence[AliasSeen], outcomes: Sequence[OrderOutcome], as_of: date) -> Any:
    """What one load makes of a person: the events, and the person after them."""
    events: list[DomainEvent] = []
    events += observe_aliases(customer, sights)
    events += record_purchases(customer, outcomes)
    bought = after(customer, events)
    events += evaluate(bought, as_of)
    return events, after(customer, events)


def after(customer: Customer, events: Sequence[DomainEvent]) -> Customer:
    for event in events:
        customer = evolve(customer, event)
    return customer


def stream_of(loads: Loads) -> list[DomainEvent]:
    stream: list[DomainEvent] = []
    for sights, outcomes, as_of in loads:
        events, _ = decide(customer_of(stream), sights, outcomes, as_of)
        stream += events
    return stream


def everything_of(customer: Customer) -> tuple[object, ...]:
    """All that a read model shows of a person; an impossible state would raise on the way."""
    return (
        customer.is_registered,
        customer.ordered_aliases,
        customer.current_address,
        customer.address_history,
        customer.orders,
        customer.spent,
        customer.average_order,
        customer.first_purchase_at,
        customer.last_purchase_at,
        customer.segment,
        customer.segment_as_of,
        segment_at(customer, date(2018, 1, 1)),
        due_on(customer),
    )


@calm
@given(LOADS, st.data())
def test_any_selection_of_a_stream_makes_a_person_that_can_be_shown(loads: Loads, data: st.DataObject) -> None:
    stream = [*stream_of(loads), ERASED]
    keep = data.draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    customer = customer_of(event for event, kept in zip(stream, keep, strict=True) if kept)
    assert len(everything_of(customer)) == 13
    assert customer.is_registered == (customer.current_address is not None) == bool(customer.address_history)


@calm
@given(LOADS)
def test_events_of_other_kinds_leave_a_person_as_they_are(loads: Loads) -> None:
    strangers = [SellerMoved("01001", "sao paulo", "SP"), Rewound(START, UUID(int=1), 0)]
    stream = stream_of(loads)
    mixed = [event for own in stream for event in (*strangers, own)]
    assert customer_of(mixed) == customer_of(stream)


@calm
@given(LOADS, SIGHTS, OUTCOMES, DATES, st.booleans())
def test_the_same_extract_again_is_no_news(
    loads: Loads, sights: list[AliasSeen], outcomes: list[OrderOutcome], as_of: date, is_erased: bool
) -> None:
    stream = [*stream_of(loads), *([ERASED] if is_erased else [])]
    _, customer = decide(customer_of(stream), sights, outcomes, as_of)
    again, _ = decide(customer, sights, outcomes, as_of)
    assert again == []


@calm
@given(LOADS, SIGHTS)
def test_what_was_seen_is_what_is_known(loads: Loads, sights: list[AliasSeen]) -> None:
    customer = customer_of(stream_of(loads))
    customer = after(customer, observe_aliases(customer, sights))
    for sight in sights:
        known = customer.aliases[sight.alias]
        assert (known.address, known.placed_at) == (sight.address, sight.placed_at)


@calm
@given(SIGHTS, st.data())
def test_the_order_in_which_aliases_arrive_does_not_matter(sights: list[AliasSeen], data: st.DataObject) -> None:
    at_once = customer_of(observe_aliases(NEW_CUSTOMER, sights))
    one_by_one = NEW_CUSTOMER
    for sight in data.draw(st.permutations(sights)):
        one_by_one = after(one_by_one, observe_aliases(one_by_one, [sight]))
    assert one_by_one.current_address == at_once.current_address
    assert one_by_one.address_history == at_once.address_history
    assert one_by_one.ordered_aliases == at_once.ordered_aliases


@calm
@given(SIGHTS, st.data())
def test_the_order_in_which_one_extract_names_aliases_does_not_matter(
    sights: list[AliasSeen], data: st.DataObject
) -> None:
    assert observe_aliases(NEW_CUSTOMER, data.draw(st.permutations(sights))) == observe_aliases(NEW_CUSTOMER, sights)


@calm
@given(LOADS)
def test_the_address_announced_last_is_the_current_one(loads: Loads) -> None:
    """Who only listens to registrations and moves knows where everybody lives."""
    stream = stream_of(loads)
    announced: Address | None = None
    for event in stream:
        if isinstance(event, CustomerRegistered | CustomerMoved):
            assert event.zip_prefix is not None
            assert event.city is not None
            announced = Address(event.zip_prefix, event.city, event.state)
    assert announced == customer_of(stream).current_address


@calm
@given(SIGHTS)
def test_the_history_of_addresses_ends_with_the_current_one_and_never_repeats_itself_at_once(
    sights: list[AliasSeen],
) -> None:
    customer = customer_of(observe_aliases(NEW_CUSTOMER, sights))
    addresses = [address for address, _ in customer.address_history]
    assert addresses[-1:] == ([customer.current_address] if sights else [])
    assert all(earlier != later for earlier, later in pairwise(addresses))


@calm
@given(LOADS, LOADS)
def test_after_an_erasure_no_zip_prefix_or_city_is_known_or_recorded_any_more(before: Loads, later: Loads) -> None:
    stream = [*stream_of(before), ERASED]
    recorded: list[DomainEvent] = []
    for sights, outcomes, as_of in later:
        events, _ = decide(customer_of([*stream, *recorded]), sights, outcomes, as_of)
        recorded += events
    customer = customer_of([*stream, *recorded])
    told = [getattr(event, field) for event in recorded for field in ("zip_prefix", "city") if hasattr(event, field)]
    assert set(told) <= {None}
    assert all((alias.zip_prefix, alias.city) == (None, None) for alias in customer.aliases.values())


@calm
@given(LOADS)
def test_an_erased_person_is_the_same_whether_their_fields_are_read_or_not(loads: Loads) -> None:
    """The store gives null for every personal field of an erased person, of events before the erasure too."""
    stream = stream_of(loads)
    unreadable = [without_personal_fields(event) for event in stream]
    assert customer_of([*unreadable, ERASED]) == customer_of([*stream, ERASED])


@calm
@given(OUTCOMES, DATES)
def test_who_falls_due_on_a_day_is_churned_from_that_day_on_and_not_before(
    outcomes: list[OrderOutcome], as_of: date
) -> None:
    customer = customer_of(record_purchases(NEW_CUSTOMER, outcomes))
    due = due_on(customer)
    assert (segment_at(customer, as_of) == "CHURNED") == (due is not None and as_of >= due)


@calm
@given(LOADS)
def test_each_change_of_segment_starts_where_the_one_before_ended(loads: Loads) -> None:
    changes = customer_of(stream_of(loads)).segment_changes
    starts, ends = [change.from_segment for change in changes], [change.to_segment for change in changes]
    assert starts == ["NEW", *ends][: len(starts)]
    assert all(change.from_segment != change.to_segment for change in changes)


def without_personal_fields(event: DomainEvent) -> DomainEvent:
    personal: dict[str, Any] = {
        field.name: None
        for field in fields(event)  # type: ignore[arg-type] # every event is a dataclass; their common class is none
        if field.metadata.get("personal")
    }
    return replace(event, **personal) if personal else event  # type: ignore[type-var] # the same
