"""What differs between two answers to the same question: rows are matched by their key."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.asking import Row


class Differing(NamedTuple):
    """A row that came (`was` is None), went (`now` is None), or has other figures."""

    key: Row
    was: Row | None
    now: Row | None

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return self._asdict()


def rows_by_key(answer: Answer) -> Mapping[Row, Row]:
    """The rows of an answer by their key."""
    size = len(answer.question.key)
    return {tuple(row[:size]): row for row in answer.rows}


def differing_rows(was: Answer, now: Answer) -> list[Differing]:
    """The rows that differ, in the order of the newer answer; those that went come last."""
    former, present = rows_by_key(was), rows_by_key(now)
    found = [Differing(key, former.get(key), row) for key, row in present.items() if former.get(key) != row]
    return found + [Differing(key, row, None) for key, row in former.items() if key not in present]
