"""How an answer changed from load to load: the answers of record to one question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from replayhouse.infra.answers.answer import Answer, restored
from replayhouse.infra.answers.asking import Cell
from replayhouse.infra.answers.findings import place_of
from replayhouse.infra.answers.moment import live_moment
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import make_ready, origin_in, question_of, row_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.load_ends import LoadEnd, load_ends
from replayhouse.infra.read_models import kept_answers
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.questions import Question


@dataclass(frozen=True)
class History:
    """The answers of record to a question, by position, and the ends of loads of which none is kept."""

    question: Question
    answers: Sequence[Answer]
    ends: Mapping[int, LoadEnd]

    @property
    def lacking(self) -> list[LoadEnd]:
        """The ends of loads, and of their being taken back, of which no answer is kept."""
        kept = {answer.position for answer in self.answers}
        return [end for end in self.ends.values() if end.position not in kept]

    def findings(self) -> list[tuple[int, str, datetime, str]]:
        """Of each answer its position, the load that ended there, when it was made, and its finding."""
        return [(one.position, self._load(one), one.made_at, one.finding) for one in self.answers]

    def figures(self, key: Sequence[str], column: str) -> list[tuple[int, str, datetime, Cell]]:
        """The same with the figure of a column in the row with a key; None where the answer has no such row.

        Raises UsageError for a column that is none.
        """
        names = [one.name for one in self.question.columns]
        if column not in names:
            raise UsageError(f"Question {self.question.number} has no column '{column}': there are {', '.join(names)}.")
        found = [(one, row_of(one.rows, key)) for one in self.answers]
        place = place_of(self.question, column)
        return [(one.position, self._load(one), one.made_at, None if row is None else row[place]) for one, row in found]

    def _load(self, one: Answer) -> str:
        end = self.ends.get(one.position)
        return "-" if end is None else str(end)

    def document_of(self, key: Sequence[str], column: str) -> dict[str, Any]:
        """As JSON shows the figures of a column. Raises UsageError for a column that is none."""
        found = zip(self.document()["answers"], self.figures(key, column), strict=True)
        answers = [
            {**{name: value for name, value in one.items() if name != "rows"}, "figure": figure}
            for one, (_, _, _, figure) in found
        ]
        return {**self.document(), "column": column, "key": list(key), "answers": answers}

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "question": self.question.number,
            "title": self.question.title,
            "columns": [column._asdict() for column in self.question.columns],
            "answers": [
                {
                    "position": one.position,
                    "load": None if one.position not in self.ends else self.ends[one.position].load,
                    "made_at": one.made_at,
                    "finding": one.finding,
                    "rows": one.rows,
                }
                for one in self.answers
            ],
            "lacking": [{"position": end.position, "load": end.load} for end in self.lacking],
        }


def answer_history(site: Site, number: int, given: Mapping[str, object]) -> History:
    """The answers of record to a question with these parameters, by the definition in force, by position."""
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    with site.as_reader.connect("replayhouse ask", autocommit=True) as conn:
        make_ready(site, conn)
        origin = origin_in(live_moment(conn), asked, parameters)
        kept = kept_answers.history(conn, asked.number, origin)
        ends = {end.position: end for end in load_ends(conn)}
        return History(asked, [restored(asked, origin, one) for one in kept], ends)
