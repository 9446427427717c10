"""Ids that were not written out: how they are read, and that they stand for one thing only."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from replayhouse.infra.runtime.errors import Unknown, UsageError

NAMED = 5
"""So many are named where several are meant."""
ID_DIGITS = 32
SHORTEST_ID = 4
"""So many digits of an id must be given."""

HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


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


def one_of(found: Sequence[UUID], what: str) -> UUID:
    """The one id that was found. Raises Unknown where there is none, UsageError where there are several."""
    if not found:
        raise Unknown(f"There is no {what}.")
    if len(found) > 1:
        raise UsageError(f"There is more than one {what}: {listed(list(map(str, found)))}. Write more of it.")
    return found[0]


def listed(names: Sequence[str]) -> str:
    """The first of them, for people."""
    return ", ".join(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
