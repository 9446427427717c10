"""Where a person lives: aliases and their orders, moves, the history of addresses, and what an erased person keeps."""

from datetime import datetime
from uuid import UUID

import pytest

from replayhouse.domain.customer.customer import (
    NEW_CUSTOMER,
    Address,
    AliasAddress,
    AliasSeen,
    Customer,
    Residence,
    anonymize,
    customer_of,
    evolve,
    observe_aliases,
    observe_regions,
)
from replayhouse.domain.customer.events import (
    AliasAmended,
    AliasLinked,
    CustomerAnonymized,
    CustomerMoved,
    CustomerRegistered,
)
from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.regions import RegionShown

HERE = Address("01001", "são paulo", "SP")
ACROSS_TOWN = Address("04038", "são paulo", "SP")
THERE = Address("20040", "rio de janeiro", "RJ")
JANUARY, MARCH, MAY = datetime(2018, 1, 5, 10), datetime(2018, 3, 5, 10), datetime(2018, 5, 5, 10)
FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
ERASED = CustomerAnonymized(datetime(2026, 1, 1), "asked for it", "ana")


def seen(alias: UUID, placed_at: datetime | None, address: Address | None) -> AliasSeen:
    return AliasSeen(alias, placed_at, address)


def person(*sights: AliasSeen, then: tuple[DomainEvent, ...] = ()) -> Customer:
    """Somebody whom one extract showed under these aliases, and what happened then."""
    return customer_of([*observe_aliases(NEW_CUSTOMER, sights), *then])


# --- what is recorded -------------------------------------------------------------------------------------------


def test_a_person_is_registered_under_their_first_alias() -> None:
    assert observe_aliases(NEW_CUSTOMER, [seen(FIRST, JANUARY, HERE)]) == (
        CustomerRegistered(JANUARY, FIRST, "SP", JANUARY, "01001", "são paulo"),
    )


def test_of_several_aliases_the_one_of_the_oldest_order_registers_the_person() -> None:
    events = observe_aliases(NEW_CUSTOMER, [seen(FIRST, MARCH, HERE), seen(SECOND, JANUARY, HERE)])
    assert events == (
        CustomerRegistered(JANUARY, SECOND, "SP", JANUARY, "01001", "são paulo"),
        AliasLinked(MARCH, FIRST, "SP", MARCH, "01001", "são paulo"),
    )


def test_an_alias_without_an_order_is_timeless_and_comes_first() -> None:
    events = observe_aliases(NEW_CUSTOMER, [seen(FIRST, JANUARY, HERE), seen(SECOND, None, HERE)])
    assert events[0] == CustomerRegistered(None, SECOND, "SP", None, "01001", "são paulo")


def test_an_alias_that_is_known_as_it_is_is_no_news() -> None:
    assert observe_aliases(person(seen(FIRST, JANUARY, HERE)), [seen(FIRST, JANUARY, HERE)]) == ()


def test_nobody_seen_is_no_news() -> None:
    assert observe_aliases(NEW_CUSTOMER, []) == ()


def test_a_corrected_address_is_amended_and_if_it_is_the_current_one_announced() -> None:
    events = observe_aliases(person(seen(FIRST, JANUARY, HERE)), [seen(FIRST, JANUARY, THERE)])
    assert events == (
        AliasAmended(JANUARY, FIRST, "RJ", JANUARY, "20040", "rio de janeiro"),
        CustomerMoved(JANUARY, "RJ", JANUARY, "20040", "rio de janeiro"),
    )


def test_the_order_of_an_alias_may_arrive_after_it_and_leaves_the_address_as_known() -> None:
    events = observe_aliases(person(seen(FIRST, None, HERE)), [seen(FIRST, JANUARY, None)])
    assert events == (AliasAmended(JANUARY, FIRST, "SP", JANUARY, "01001", "são paulo"),)


def test_a_new_alias_without_an_address_breaks_a_rule() -> None:
    with pytest.raises(DomainError, match="a new alias comes with its address"):
        observe_aliases(NEW_CUSTOMER, [seen(FIRST, JANUARY, None)])


# --- moves ------------------------------------------------------------------------------------------------------


def test_a_newer_order_from_another_address_is_a_move_as_of_that_order() -> None:
    events = observe_aliases(person(seen(FIRST, JANUARY, HERE)), [seen(SECOND, MARCH, THERE)])
    assert events[-1] == CustomerMoved(MARCH, "RJ", MARCH, "20040", "rio de janeiro")


def test_a_newer_order_from_the_same_address_is_no_move() -> None:
    events = observe_aliases(person(seen(FIRST, JANUARY, HERE)), [seen(SECOND, MARCH, HERE)])
    assert [type(event) for event in events] == [AliasLinked]


def test_an_older_order_that_arrives_late_moves_nobody() -> None:
    customer = person(seen(FIRST, MARCH, HERE))
    events = observe_aliases(customer, [seen(SECOND, JANUARY, THERE)])
    assert [type(event) for event in events] == [AliasLinked]
    assert customer_of([*observe_aliases(NEW_CUSTOMER, [seen(FIRST, MARCH, HERE)]), *events]).current_address == HERE


def test_several_new_addresses_are_announced_as_one_move_to_the_last() -> None:
    customer = person(seen(FIRST, JANUARY, HERE))
    events = observe_aliases(customer, [seen(THIRD, MAY, ACROSS_TOWN), seen(SECOND, MARCH, THERE)])
    assert [type(event) for event in events] == [AliasLinked, AliasLinked, CustomerMoved]
    assert events[-1] == CustomerMoved(MAY, "SP", MAY, "04038", "são paulo")


def test_a_new_person_with_several_addresses_has_moved_since_the_registered_one() -> None:
    events = observe_aliases(NEW_CUSTOMER, [seen(FIRST, JANUARY, HERE), seen(SECOND, MARCH, THERE)])
    assert events[-1] == CustomerMoved(MARCH, "RJ", MARCH, "20040", "rio de janeiro")


def test_who_is_back_where_they_were_announced_has_not_moved() -> None:
    sights = [seen(FIRST, JANUARY, HERE), seen(SECOND, MARCH, THERE), seen(THIRD, MAY, HERE)]
    events = observe_aliases(NEW_CUSTOMER, sights)
    assert [type(event) for event in events] == [CustomerRegistered, AliasLinked, AliasLinked]
    assert len(customer_of(events).address_history) == 3


def test_a_corrected_time_of_an_order_can_make_another_address_the_current_one() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), seen(SECOND, MARCH, THERE))
    events = observe_aliases(customer, [seen(FIRST, MAY, None)])
    assert [type(event) for event in events] == [AliasAmended, CustomerMoved]
    assert events[-1] == CustomerMoved(MAY, "SP", MAY, "01001", "são paulo")


# --- what follows from the aliases (R30, R31) -------------------------------------------------------------------


def test_aliases_stand_in_the_order_of_their_orders_those_without_one_first_then_by_alias() -> None:
    customer = person(
        seen(THIRD, JANUARY, HERE), seen(SECOND, JANUARY, HERE), seen(FIRST, MARCH, HERE), seen(UUID(int=9), None, HERE)
    )
    assert [alias.alias for alias in customer.ordered_aliases] == [UUID(int=9), SECOND, THIRD, FIRST]


def test_the_current_address_is_that_of_the_newest_order() -> None:
    assert person(seen(FIRST, MARCH, HERE), seen(SECOND, JANUARY, THERE)).current_address == HERE


def test_of_orders_placed_in_the_same_second_the_larger_alias_tells_the_current_address() -> None:
    assert person(seen(SECOND, MARCH, HERE), seen(FIRST, MARCH, THERE)).current_address == HERE


def test_moving_back_makes_a_third_address() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), seen(SECOND, MARCH, THERE), seen(THIRD, MAY, HERE))
    assert customer.address_history == [Residence(HERE, JANUARY), Residence(THERE, MARCH), Residence(HERE, MAY)]


def test_an_address_holds_from_the_order_that_shows_it_first() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), seen(SECOND, MARCH, HERE), seen(THIRD, None, THERE))
    assert customer.address_history == [Residence(THERE, None), Residence(HERE, JANUARY)]


def test_a_person_nobody_saw_lives_nowhere() -> None:
    assert not NEW_CUSTOMER.is_registered
    assert NEW_CUSTOMER.current_address is None
    assert NEW_CUSTOMER.address_history == []


def test_a_later_event_of_an_alias_without_the_registration_still_shows_the_person() -> None:
    """By business time the registration may be filtered out: it stands at another order's time."""
    customer = customer_of([AliasAmended(JANUARY, SECOND, "SP", JANUARY, "01001", "são paulo")])
    assert customer.is_registered
    assert customer.current_address == HERE


# --- erased persons ---------------------------------------------------------------------------------------------


def test_an_erased_person_keeps_the_state_and_nothing_else_of_an_address() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), then=(ERASED,))
    assert customer.is_anonymized
    assert customer.aliases == {FIRST: AliasAddress(FIRST, None, None, "SP", JANUARY)}
    assert customer.current_address == Address("unknown", "unknown", "SP")


def test_fields_that_no_key_opens_any_more_tell_that_the_person_was_erased() -> None:
    """A limit in time or position may leave out the erasure itself; the key is gone all the same (R35)."""
    customer = customer_of([CustomerRegistered(JANUARY, FIRST, "SP", JANUARY, None, None)])
    assert customer.is_anonymized


def test_what_stands_behind_an_erasure_is_not_read_even_if_it_could_be() -> None:
    registered = CustomerRegistered(JANUARY, FIRST, "SP", JANUARY, "01001", "são paulo")
    assert customer_of([ERASED, registered]).aliases == {FIRST: AliasAddress(FIRST, None, None, "SP", JANUARY)}


def test_an_erased_persons_moves_within_a_state_are_no_longer_told() -> None:
    customer = person(
        seen(FIRST, JANUARY, HERE), seen(SECOND, MARCH, ACROSS_TOWN), seen(THIRD, MAY, THERE), then=(ERASED,)
    )
    assert customer.address_history == [
        Residence(Address("unknown", "unknown", "SP"), JANUARY),
        Residence(Address("unknown", "unknown", "RJ"), MAY),
    ]


def test_an_erased_persons_address_is_not_amended_at_every_load() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), then=(ERASED,))
    assert observe_aliases(customer, [seen(FIRST, JANUARY, HERE)]) == ()
    assert observe_aliases(customer, [seen(FIRST, JANUARY, ACROSS_TOWN)]) == ()


def test_an_erased_persons_state_and_orders_are_still_corrected_without_the_rest_of_the_address() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), then=(ERASED,))
    assert observe_aliases(customer, [seen(FIRST, MARCH, THERE)]) == (
        AliasAmended(MARCH, FIRST, "RJ", MARCH, None, None),
        CustomerMoved(MARCH, "RJ", MARCH, None, None),
    )
    assert observe_aliases(customer, [seen(FIRST, MARCH, None)]) == (
        AliasAmended(MARCH, FIRST, "SP", MARCH, None, None),
    )


def test_an_erased_persons_new_alias_is_linked_without_the_rest_of_its_address() -> None:
    customer = person(seen(FIRST, JANUARY, HERE), then=(ERASED,))
    assert observe_aliases(customer, [seen(SECOND, MARCH, ACROSS_TOWN)]) == (
        AliasLinked(MARCH, SECOND, "SP", MARCH, None, None),
    )


def test_who_was_erased_and_whose_load_was_taken_back_registers_anew_and_stays_erased() -> None:
    events = observe_aliases(customer_of([ERASED]), [seen(FIRST, JANUARY, HERE)])
    assert events == (CustomerRegistered(JANUARY, FIRST, "SP", JANUARY, None, None),)


def test_an_announced_move_changes_nothing_that_does_not_follow_from_the_aliases() -> None:
    customer = person(seen(FIRST, JANUARY, HERE))
    assert evolve(customer, CustomerMoved(MARCH, "RJ", MARCH, "20040", "rio de janeiro")) == customer


def test_an_erasure_is_told_once_with_who_did_it_and_why() -> None:
    at = datetime(2026, 1, 1)
    known = person(seen(FIRST, JANUARY, HERE))
    assert anonymize(known, "asked for it", "ana", at) == (ERASED,)
    assert anonymize(evolve(known, ERASED), "asked once more", "bia", at) == ()


def test_fields_that_nobody_can_read_do_not_stand_for_the_telling() -> None:
    """A key may have been destroyed by other means, or the log have been restored to a moment before."""
    unreadable = customer_of([CustomerRegistered(JANUARY, FIRST, "SP", JANUARY, None, None)])
    assert unreadable.is_anonymized
    assert len(anonymize(unreadable, "asked for it", "ana", datetime(2026, 1, 1))) == 1


def test_an_alias_without_an_order_stands_before_one_whose_order_was_placed_at_the_first_moment_there_is() -> None:
    known = person(seen(SECOND, None, THERE), seen(FIRST, datetime.min, HERE))
    assert [alias.alias for alias in known.ordered_aliases] == [SECOND, FIRST]
    assert known.current_address == HERE


# --- regions of a source that has its own -----------------------------------------------------------------------


def test_a_region_is_told_once_for_each_state_of_a_person_and_again_when_it_is_another() -> None:
    events = observe_regions(NEW_CUSTOMER, [("SP", "Inland"), ("RJ", "Coast"), ("SP", "Inland")])
    assert events == (RegionShown("SP", "Inland"), RegionShown("RJ", "Coast"))
    somebody = person(seen(FIRST, JANUARY, HERE), then=events)
    assert observe_regions(somebody, [("RJ", "Coast"), ("SP", "Inland")]) == ()
    corrected = observe_regions(somebody, [("SP", "Coast")])
    assert corrected == (RegionShown("SP", "Coast"),)
    assert evolve(somebody, *corrected).region_of("SP") == "Coast"


def test_a_state_of_which_the_source_tells_no_region_lies_where_brazils_does() -> None:
    somebody = person(seen(FIRST, JANUARY, HERE), then=(RegionShown("CA", "West"),))
    assert [somebody.region_of(state) for state in ("CA", "SP", "NY")] == ["West", "Southeast", "unknown"]
