"""What several commands take: options and arguments, and how ids and times are read from them."""

from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

import typer

from replayhouse.domain.contexts import CONTEXTS, Context
from replayhouse.infra.runtime.errors import UsageError


class HistoryKind(StrEnum):
    """What has a history."""

    ORDER = "order"
    SHIPMENT = "shipment"
    CUSTOMER = "customer"
    REVIEW = "review"
    PRODUCT = "product"
    SELLER = "seller"
    BATCH = "batch"
    ROW = "row"


class RowStatus(StrEnum):
    """What became of a record that was kept apart; `all` for whatever."""

    QUARANTINED = "quarantined"
    RELEASED = "released"
    DISCARDED = "discarded"
    ALL = "all"


ID_DIGITS = 32
SHORTEST_ID = 4
"""So many digits of an id must be given."""

HEXADECIMAL = frozenset("0123456789abcdefABCDEF")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded with the decision.")]

Contexts = Annotated[
    list[Context] | None,
    typer.Argument(metavar="CONTEXT", help="The contexts to do it for; all where none is named."),
]


def chosen(contexts: list[Context] | None) -> tuple[str, ...]:
    """The contexts named, each once and in the usual order; all of them where none is named."""
    return tuple(context for context in CONTEXTS if context in contexts) if contexts else CONTEXTS


def example(*lines: str) -> str:
    """The end of a command's help. The mark keeps the lines from being run together."""
    return "\n".join(("\b", "Examples:" if len(lines) > 1 else "Example:", *(f"  {line}" for line in lines)))


def read_id(text: str) -> UUID:
    """An id with or without hyphens, in either case. Raises UsageError."""
    digits = text.replace("-", "")
    if len(digits) != ID_DIGITS or not all(digit in HEXADECIMAL for digit in digits):
        raise UsageError(f"'{text}' is not an id: an id is 32 hexadecimal digits, with or without hyphens.")
    return UUID(digits)


class IdStart(NamedTuple):
    """How an id begins, and so the first and the last that it may be; one and the same where it is whole."""

    text: str
    first: UUID
    last: UUID

    @property
    def is_whole(self) -> bool:
        """Whether all digits are there."""
        return self.first == self.last


def read_id_start(text: str) -> IdStart:
    """An id, or its first digits, four of them at least. Raises UsageError."""
    found = id_start(text)
    if found is None:
        raise UsageError(
            f"'{text}' is not an id: an id is 32 hexadecimal digits, with or without hyphens; as long as it is "
            f"the only one, the first {SHORTEST_ID} or more will do."
        )
    return found


def id_start(text: str) -> IdStart | None:
    """The same; None of what cannot be an id."""
    digits = text.replace("-", "")
    if not SHORTEST_ID <= len(digits) <= ID_DIGITS or not all(digit in HEXADECIMAL for digit in digits):
        return None
    return IdStart(text, UUID(digits.ljust(ID_DIGITS, "0")), UUID(digits.ljust(ID_DIGITS, "f")))


def read_reason(text: str) -> str:
    """Why somebody decides something, in a word at least. Raises UsageError."""
    if not text.strip():
        raise UsageError("--reason is empty: say why, for those who will ask later.")
    return text.strip()


def read_local_time(text: str) -> datetime:
    """A local time; of a date only, the end of that day (R41). Raises UsageError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise UsageError(f"'{text}' is not a date: write 2018-03-31, or 2018-03-31T12:00:00 for a time of that day.")
    return datetime.combine(at, time.max) if len(text) <= len("2018-03-31") else at
