"""The customer: a person, known by the aliases under which the source hides them, one for each of their orders.

Every alias brings an address; the newest order's is the current one. Purchases come from Sales, through the policy
`record_purchases`; what they add up to puts the person into a segment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from replayhouse.domain.customer.events import (
    AliasAmended,
    AliasLinked,
    CustomerAnonymized,
    CustomerMoved,
    CustomerRegistered,
    PurchaseAmended,
    PurchaseRecorded,
    PurchaseRevoked,
    Segment,
    SegmentChanged,
)
from replayhouse.domain.customer.segment import churned_from, segment_at
from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.money import brl, total_of
from replayhouse.domain.kernel.places import UNKNOWN
from replayhouse.domain.kernel.regions import RegionShown, region_as_shown, regions_to_show
from replayhouse.domain.kernel.state import Changes, Decider, Steps, evolved, folded

# --- what a customer is -----------------------------------------------------------------------------------------


class Address(NamedTuple):
    """Where somebody lives, as far as the source says: a zip prefix of five digits, the city as given, the state."""

    zip_prefix: str
    city: str
    state: str


class AliasAddress(NamedTuple):
    """One alias with its address, and when its order was placed: None while no order is known.

    Zip prefix and city are None once the person is anonymised; the state stays.
    """

    alias: UUID
    zip_prefix: str | None
    city: str | None
    state: str
    placed_at: datetime | None

    @property
    def address(self) -> Address:
        """The address as shown: `unknown` stands for what nobody can read any more."""
        return Address(
            UNKNOWN if self.zip_prefix is None else self.zip_prefix,
            UNKNOWN if self.city is None else self.city,
            self.state,
        )


class Residence(NamedTuple):
    """An address and the placing of the order that shows it first (None if there is no order)."""

    address: Address
    valid_from: datetime | None


class Purchase(NamedTuple):
    """An order that was delivered (R32). `amount` in BRL; `completed_at` None where the source has no time for it."""

    order_id: UUID
    amount: Decimal
    placed_at: datetime
    completed_at: datetime | None

    @property
    def occurred_at(self) -> datetime:
        """On completion; of an untimed completion we only know that it came after the placing."""
        return self.placed_at if self.completed_at is None else self.completed_at


@dataclass(frozen=True)
class Customer:
    """What is known of a person. `segment_changes` are in the order in which they were recorded; `regions`, by state,
    are those of a source that has its own.

    `is_anonymized` once nobody can read their fields, `is_erasure_told` once the log also says so: of a stream cut off
    before that event, and of keys destroyed by other means, only the first is true.
    """

    aliases: Mapping[UUID, AliasAddress] = field(default_factory=dict)
    purchases: Mapping[UUID, Purchase] = field(default_factory=dict)
    segment_changes: tuple[SegmentChanged, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)
    is_anonymized: bool = False
    is_erasure_told: bool = False

    @property
    def is_registered(self) -> bool:
        """Whether the customers file has shown the person, under whatever alias (R29)."""
        return bool(self.aliases)

    @property
    def ordered_aliases(self) -> list[AliasAddress]:
        """By the placing of their orders, those without an order first, then by alias (R30)."""
        return sorted(self.aliases.values(), key=by_order)

    @property
    def current_address(self) -> Address | None:
        """The last alias' address, whatever became of its order (R30); None if the person is not registered."""
        return max(self.aliases.values(), key=by_order).address if self.aliases else None

    @property
    def address_history(self) -> list[Residence]:
        """All addresses, the current one last: one each time that it differs from the one before (R31).

        The rule is applied to the addresses as shown. So an anonymised person's history tells of moves between states
        only: zip and city of all addresses are `unknown`, and what was a move within a state is none any more.
        """
        history: list[Residence] = []
        for alias in self.ordered_aliases:
            address = alias.address
            if not history or history[-1].address != address:
                history.append(Residence(address, alias.placed_at))
            elif history[-1].valid_from is None:  # shown so far only by aliases without an order
                history[-1] = Residence(address, alias.placed_at)
        return history

    def region_of(self, state: str) -> str:
        """In which region one of their states lies (R11)."""
        return region_as_shown(state, self.regions)

    @property
    def orders(self) -> int:
        """How many purchases (R32)."""
        return len(self.purchases)

    @property
    def spent(self) -> Decimal:
        """What the purchases add up to, in BRL."""
        return total_of([purchase.amount for purchase in self.purchases.values()])

    @property
    def average_order(self) -> Decimal | None:
        """What a purchase is worth on average, in BRL to the cent (R7); None without any."""
        return brl(self.spent / self.orders) if self.purchases else None

    @property
    def first_purchase_at(self) -> datetime | None:
        """When the first purchase was placed; None without any."""
        return min([purchase.placed_at for purchase in self.purchases.values()], default=None)

    @property
    def last_purchase_at(self) -> datetime | None:
        """When the last purchase was placed; None without any."""
        return max([purchase.placed_at for purchase in self.purchases.values()], default=None)

    @property
    def segment(self) -> Segment:
        """The segment of the newest evaluation that changed it; a person starts as NEW without an event (R34)."""
        return self.segment_changes[-1].to_segment if self.segment_changes else "NEW"

    @property
    def segment_as_of(self) -> date | None:
        """The date of that evaluation; None while there was none (R34)."""
        return self.segment_changes[-1].as_of if self.segment_changes else None

    @property
    def is_to_evaluate(self) -> bool:
        """Whether an evaluation may change the segment: who never bought, and was never evaluated, is and stays NEW."""
        return bool(self.purchases or self.segment_changes)


NEW_CUSTOMER = Customer()


# --- what happened to them --------------------------------------------------------------------------------------


def customer_of(events: Iterable[DomainEvent]) -> Customer:
    """The person whom these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_CUSTOMER, events, _EVOLUTION)


def evolve(customer: Customer, event: DomainEvent) -> Customer:
    """The person after an event. An event that does not change the state, or of another kind, leaves it as it is."""
    return evolved(customer, event, _EVOLUTION)


def _under_alias(customer: Customer, event: CustomerRegistered | AliasLinked | AliasAmended) -> Changes:
    # The source always has a zip prefix: none to read means that the person's key is destroyed.
    is_anonymized = customer.is_anonymized or event.zip_prefix is None
    alias = AliasAddress(
        event.alias,
        None if is_anonymized else event.zip_prefix,
        None if is_anonymized else event.city,
        event.state,
        event.placed_at,
    )
    known = _forgotten(customer.aliases) if is_anonymized else customer.aliases
    return {"aliases": {**known, event.alias: alias}, "is_anonymized": is_anonymized}


def _bought(customer: Customer, event: PurchaseRecorded | PurchaseAmended) -> Changes:
    purchase = Purchase(event.order_id, event.amount, event.placed_at, event.completed_at)
    return {"purchases": {**customer.purchases, event.order_id: purchase}}


def _did_not_buy(customer: Customer, event: PurchaseRevoked) -> Changes:
    left = {order_id: purchase for order_id, purchase in customer.purchases.items() if order_id != event.order_id}
    return {"purchases": left}


def _in_region(customer: Customer, event: RegionShown) -> Changes:
    return {"regions": {**customer.regions, event.state: event.region}}


def _in_segment(customer: Customer, event: SegmentChanged) -> Changes:
    return {"segment_changes": (*customer.segment_changes, event)}


def _erased(customer: Customer, _: CustomerAnonymized) -> Changes:
    return {"aliases": _forgotten(customer.aliases), "is_anonymized": True, "is_erasure_told": True}


def _forgotten(aliases: Mapping[UUID, AliasAddress]) -> dict[UUID, AliasAddress]:
    return {key: alias._replace(zip_prefix=None, city=None) for key, alias in aliases.items()}


# CustomerMoved is missing on purpose: what it announces follows from the aliases, also when some are filtered out.
_EVOLUTION: Steps[Customer] = {
    CustomerRegistered: _under_alias,
    AliasLinked: _under_alias,
    AliasAmended: _under_alias,
    RegionShown: _in_region,
    PurchaseRecorded: _bought,
    PurchaseAmended: _bought,
    PurchaseRevoked: _did_not_buy,
    SegmentChanged: _in_segment,
    CustomerAnonymized: _erased,
}


# --- decisions --------------------------------------------------------------------------------------------------


class AliasSeen(NamedTuple):
    """An alias of the person as it is now: when its order was placed (None: no order known), and its address.

    `address` None: as known already; only the order is news.
    """

    alias: UUID
    placed_at: datetime | None
    address: Address | None


class OrderOutcome(NamedTuple):
    """What Sales says of an order of the person: delivered or not, what it was worth in BRL, and when."""

    order_id: UUID
    is_completed: bool
    amount: Decimal
    placed_at: datetime
    completed_at: datetime | None


def observe_aliases(customer: Customer, seen: Sequence[AliasSeen]) -> tuple[DomainEvent, ...]:
    """The person appears under these aliases, new, corrected, or as known; each is named once, in any order.

    The first alias of a person registers them: of several, the first in the order of R30. If the current address is
    not the announced one after that (what was current before; of a new person the registered one), the move is
    announced once, as of the alias that is current now, however many addresses lie between.

    Raises DomainError if an alias is new and comes without an address.
    """
    decider = Decider(customer, _EVOLUTION)
    announced = customer.current_address
    for sight in sorted(seen, key=by_order):
        event = _sighted(decider.state, sight)
        if event is not None:
            decider.happened(event)
            announced = announced or decider.state.current_address
    if decider.events and decider.state.current_address != announced:
        decider.happened(_moved_to(decider.state.ordered_aliases[-1]))
    return tuple(decider.events)


def observe_regions(customer: Customer, seen: Iterable[tuple[str, str]]) -> tuple[RegionShown, ...]:
    """A source with regions of its own says in which of them these states of the person lie."""
    return tuple(RegionShown(state, region) for state, region in regions_to_show(customer.regions, seen))


def record_purchases(customer: Customer, outcomes: Sequence[OrderOutcome]) -> tuple[DomainEvent, ...]:
    """The policy that takes in what Sales says of the person's orders, in the order in which they were placed.

    A delivered order is a purchase, with a delivery time or without (R32). What is no longer delivered, or no longer
    this person's, is told as not completed, and a purchase recorded for it is revoked.
    """
    events: list[DomainEvent] = []
    for outcome in sorted(outcomes, key=lambda outcome: (outcome.placed_at, outcome.order_id)):
        known = customer.purchases.get(outcome.order_id)
        if outcome.is_completed:
            purchase = Purchase(outcome.order_id, outcome.amount, outcome.placed_at, outcome.completed_at)
            if known is None:
                events.append(PurchaseRecorded(purchase.occurred_at, *purchase))
            elif known != purchase:
                events.append(PurchaseAmended(purchase.occurred_at, *purchase))
        elif known is not None:
            events.append(PurchaseRevoked(known.occurred_at, known.order_id))
    return tuple(events)


def evaluate(customer: Customer, as_of: date) -> tuple[SegmentChanged, ...]:
    """Which segment the person is in as of a date (R33); nothing if it is the one they are in already (R34)."""
    segment = segment_at(customer, as_of)
    if segment == customer.segment:
        return ()
    return (
        SegmentChanged(
            occurred_at=datetime.combine(as_of, time.min),
            from_segment=customer.segment,
            to_segment=segment,
            as_of=as_of,
            orders=customer.orders,
            spent=customer.spent,
        ),
    )


def anonymize(customer: Customer, reason: str, by: str, at: datetime) -> tuple[CustomerAnonymized, ...]:
    """The person asked to be forgotten, and their key is destroyed; nothing if that was told already.

    `reason` and `by` are kept in clear text, for ever; `at` is local time in Brazil, as all times of a person are.
    """
    if customer.is_erasure_told:
        return ()
    return (CustomerAnonymized(occurred_at=at, reason=reason, by=by),)


def due_on(customer: Customer) -> date | None:
    """From which day on an evaluation finds the person churned, if they buy nothing until then.

    None without a purchase, for those whom the last evaluation found churned already, and where no such day is left.
    """
    last = customer.last_purchase_at
    return None if last is None or customer.segment == "CHURNED" else churned_from(last)


def by_order(alias: AliasAddress | AliasSeen) -> tuple[bool, datetime, UUID]:
    """The key that sorts aliases: without an order first, then by its placing, then by alias (R30)."""
    placed_at = alias.placed_at
    return (False, datetime.min, alias.alias) if placed_at is None else (True, placed_at, alias.alias)


def _sighted(customer: Customer, sight: AliasSeen) -> CustomerRegistered | AliasLinked | AliasAmended | None:
    known = customer.aliases.get(sight.alias)
    told = sight.address or known
    if told is None:
        raise DomainError("a new alias comes with its address", "customer", alias=sight.alias)
    now = AliasAddress(sight.alias, told.zip_prefix, told.city, told.state, sight.placed_at)
    if customer.is_anonymized:
        # Compared with what can no longer be read, the address would be amended at every load for ever.
        now = now._replace(zip_prefix=None, city=None)
    if now == known:
        return None
    first_sight = AliasLinked if customer.is_registered else CustomerRegistered
    happened = first_sight if known is None else AliasAmended
    return happened(now.placed_at, now.alias, now.state, now.placed_at, now.zip_prefix, now.city)


def _moved_to(alias: AliasAddress) -> CustomerMoved:
    return CustomerMoved(alias.placed_at, alias.state, alias.placed_at, alias.zip_prefix, alias.city)
