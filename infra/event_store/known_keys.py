"""Keys that were looked up, wherever they stand: in the database, or in the file of a backup. Needs neither.

Whose key is destroyed is among them, with None. A subject that is missing is not an erased one: its key is lost.
"""

from collections.abc import Callable, Collection
from uuid import UUID

from replayhouse.infra.runtime.errors import ReplayhouseError

Keys = dict[UUID, bytes | None]
"""By subject; None where the key was destroyed."""

KeysOf = Callable[[Collection[UUID]], Keys]
"""The keys of all these subjects; raises where one has none and was not erased, which ends the reading."""


NOT_GIVEN = "it is not among the keys given. Name a file of keys that was written after its events."


class LostKeys(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """Something was sealed for a subject that has no row of keys. It is the store that is incomplete, not a stream."""


def refuse_lost(subjects: Collection[UUID], keys: Collection[UUID], why: str) -> None:
    """Raises LostKeys, which says `why`, where a subject for which something was sealed is not among the keys."""
    if lost := sorted(subject for subject in subjects if subject not in keys):
        others = f" (and of {len(lost) - 1:,} more)" if len(lost) > 1 else ""
        raise LostKeys(f"The key of the personal fields of {lost[0]}{others} is lost: {why}")
