"""The one list of bounded contexts. Whatever there is one of for each context takes its names and order from here.

A context has a package of its name here, with its events as `events.EVENTS`, and a module of its name in `projections`,
with its tables and fold. Its table of the log is made by a migration.
"""

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from replayhouse.domain.kernel.events import DomainEvent


class Context(StrEnum):
    """A bounded context by its name; the members stand in the order in which reports name them.

    `shows` says what its read model holds: the comment of its schema.
    """

    shows: str

    def __new__(cls, name: str, shows: str = "") -> Self:
        """Makes a member; who looks one up gives its name alone, `Context("sales")`."""
        context = str.__new__(cls, name)
        context._value_ = name
        context.shows = shows
        return context

    SALES = "sales", "Orders, their lines and payments"
    FULFILLMENT = "fulfillment", "Deliveries and geography"
    CUSTOMER = "customer", "People, their addresses and segments, reviews"
    MARKETPLACE = "marketplace", "Products, sellers and categories"
    QUALITY = "quality", "Loads, what their rules found, and rows that were kept apart"

    @property
    def events(self) -> "tuple[type[DomainEvent], ...]":
        """The classes of its events. Imported on demand: most who ask for names need no events."""
        events: tuple[type[DomainEvent], ...] = import_module(f"{__package__}.{self.value}.events").EVENTS
        return events


CONTEXTS = tuple(context.value for context in Context)
"""The names, as they stand in topics, tables, schemas and reports."""
