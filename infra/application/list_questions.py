"""The business questions that there are."""

from dataclasses import dataclass
from typing import Any

from replayhouse.infra.application.site import Site
from replayhouse.projections.questions import Question, questions


@dataclass(frozen=True)
class Listed:
    """A question as it is listed."""

    question: Question

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        one = self.question
        return {
            "question": one.number,
            "title": one.title,
            "group": one.group,
            "columns": [column._asdict() for column in one.columns],
            "parameters": {parameter.name: parameter.default for parameter in one.parameters},
            "chart": one.chart["kind"],
            "definition": one.definition,
            "caveat": one.caveat,
            "terms": one.terms,
        }


def list_questions(_site: Site, search: str) -> list[Listed]:
    """The questions in whose title, group, definition or columns all words of a search stand, by number.

    Small and capital letters are the same. A number finds the question of that number.
    """
    words = search.casefold().split()
    return [Listed(one) for one in questions() if _has_all(one, words)]


def _has_all(one: Question, words: list[str]) -> bool:
    if words == [str(one.number)]:
        return True
    columns = " ".join(column.name for column in one.columns)
    text = " ".join((one.title, one.group, one.definition, one.caveat, columns)).casefold()
    return all(word in text for word in words)
