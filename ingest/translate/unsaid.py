"""What an extract does not say, because it lacks an optional column, is no change of what is known (R6)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

Facts = TypeVar("Facts")


def as_known(shown: Facts, unsaid: Sequence[str], known: object | None) -> Facts:
    """The facts of a row, those of columns that the extract lacks as they are known; None where nothing is.

    `shown` is a dataclass or a named tuple, `known` has fields of the same names. An empty cell of a column that the
    extract has is said, and corrects to nothing what was known (R4).
    """
    if not unsaid or known is None:
        return shown
    facts: Any = shown
    as_it_was = {name: getattr(known, name) for name in unsaid}
    completed: Facts = facts._replace(**as_it_was) if hasattr(facts, "_replace") else replace(facts, **as_it_was)
    return completed
