"""From when on an address holds: the placing of the first order that shows it (R31)."""

from datetime import datetime
from uuid import UUID

from replayhouse.domain.customer.customer import (
    NEW_CUSTOMER,
    Address,
    AliasSeen,
    Residence,
    customer_of,
    observe_aliases,
)

HERE, THERE = Address("01001", "sao paulo", "SP"), Address("20040", "rio de janeiro", "RJ")
JANUARY, MARCH, MAY = (datetime(2018, month, 1) for month in (1, 3, 5))


def history(*seen: tuple[datetime | None, Address]) -> list[Residence]:
    """Of a person who appears under one alias after the other, each with the placing of its order."""
    aliases = [AliasSeen(UUID(int=number), placed_at, address) for number, (placed_at, address) in enumerate(seen, 1)]
    return customer_of(observe_aliases(NEW_CUSTOMER, aliases)).address_history


def test_an_address_first_shown_without_an_order_holds_from_the_first_order_that_shows_it() -> None:
    assert history((None, HERE), (MARCH, HERE), (MAY, HERE)) == [Residence(HERE, MARCH)]


def test_several_aliases_without_an_order_do_not_date_an_address() -> None:
    assert history((None, HERE), (None, HERE), (MARCH, HERE)) == [Residence(HERE, MARCH)]
    assert history((None, HERE), (None, HERE)) == [Residence(HERE, None)]


def test_an_address_that_no_order_of_that_stay_shows_has_no_date() -> None:
    """Another stay between the alias and the order: the person moved away and back."""
    assert history((None, HERE), (JANUARY, THERE), (MARCH, HERE)) == [
        Residence(HERE, None),
        Residence(THERE, JANUARY),
        Residence(HERE, MARCH),
    ]


def test_a_dated_address_keeps_its_date() -> None:
    assert history((JANUARY, HERE), (MARCH, HERE)) == [Residence(HERE, JANUARY)]
