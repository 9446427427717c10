"""Answers: the business questions, now or as of a moment, and the rows behind every figure.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.answers.answer import Answer
    from replayhouse.infra.answers.asking import FaultyQuestion
    from replayhouse.infra.application.answer_history import History
    from replayhouse.infra.application.ask import Figure
    from replayhouse.infra.application.ask_beside import AnswerChanges, Beside, Told
    from replayhouse.infra.application.changes import Changes
    from replayhouse.infra.application.figure_rows import FigureRows
    from replayhouse.infra.application.list_moments import Moments
    from replayhouse.infra.application.list_questions import Listed
    from replayhouse.infra.application.make_moment import MomentToAsk
    from replayhouse.infra.application.overview import Overview

At = str | int | datetime | None


class Answers(Base):
    """The methods that have to do with questions and their answers.

    `at` is a moment: None or "live", a position of the log, a recorded time with its offset, a prefix, or a revision
    ("r3"). `occurred_before`: only what had happened by then, a business time, local to Brazil; of a date, up to the
    end of that day. `source`: of what the loads of that source brought alone, by its name; it goes with live, a
    position and a recorded time.
    """

    def questions(self, search: str = "") -> "list[Listed]":
        """The business questions whose title, group or definition has all the words of `search`, by number."""
        from replayhouse.infra.application.list_questions import list_questions

        return self._do(list_questions, search)

    def ask(
        self,
        question: int,
        parameters: Mapping[str, object] | None = None,
        *,
        at: At = None,
        occurred_before: str | date | None = None,
        source: str | None = None,
    ) -> "Answer":
        """Answers a question: `rows` under `columns`, and a `finding`; `parameters` take the place of its defaults.

        An answer that is kept is found, another is computed, and kept. Raises UsageError for a number, a parameter, a
        value or a moment that is none, FaultyQuestion where the question's SQL fails.
        """
        from replayhouse.infra.application.ask import ask

        return self._do(ask, question, parameters or {}, at, occurred_before, source)

    def ask_all(
        self, *, at: At = None, occurred_before: str | date | None = None, source: str | None = None
    ) -> "Generator[Answer | FaultyQuestion]":
        """Answers all questions with their defaults, one after the other; where one fails, why stands in its place."""
        from replayhouse.infra.application.ask import ask_all

        return self._each(ask_all, at, occurred_before, source)

    def rows_behind(
        self,
        question: int,
        key: str | Sequence[object],
        column: str,
        parameters: Mapping[str, object] | None = None,
        *,
        at: At = None,
        occurred_before: str | date | None = None,
        source: str | None = None,
    ) -> "Figure":
        """The rows behind the figure of a column, in the answer's row with this key: their parts add up to it.

        `key` has the values of the first columns, where there are several. Raises UsageError where there is no such
        row or column.
        """
        from replayhouse.infra.application.ask import rows_behind

        parts = [key] if isinstance(key, str) else [str(part) for part in key]
        return self._do(rows_behind, question, parts, column, parameters or {}, at, occurred_before, source)

    def figure_key(self, question: int, key: Sequence[str], source: str | None = None) -> list[str]:
        """The key of an answer's row for `rows_behind`, where things in it may be called by the keys of their sources.

        Such a key, of `source` if it is given, is replaced by the id; what no source has stays as it is. Raises
        UsageError where several have one.
        """
        from replayhouse.infra.application.figure_key import figure_key

        return self._do(figure_key, question, key, source)

    def make_moment(
        self, at: At = None, *, occurred_before: str | date | None = None, source: str | None = None
    ) -> "MomentToAsk":
        """Makes a moment stand, so that every question is answered as of it at once; five that were made so are kept.

        Nothing is made of one that stands. Raises UsageError where there could be no such moment, and what
        `rebuild_into` does.
        """
        from replayhouse.infra.application.make_moment import make_moment

        return self._do(make_moment, at, occurred_before, source)

    def look_up_moment(
        self, at: At = None, *, occurred_before: str | date | None = None, source: str | None = None
    ) -> "MomentToAsk":
        """Which moment is meant, and whether it stands. Raises UsageError where there could be no such moment."""
        from replayhouse.infra.application.make_moment import look_up_moment

        return self._do(look_up_moment, at, occurred_before, source)

    def moments(self) -> "Moments":
        """The moments at which the warehouse was complete, and those that stand: whether each can be asked at once."""
        from replayhouse.infra.application.list_moments import list_moments

        return self._do(list_moments)

    def answer_history(self, question: int, parameters: Mapping[str, object] | None = None) -> "History":
        """The answers of record to a question, load by load: what was said of it, and when."""
        from replayhouse.infra.application.answer_history import answer_history

        return self._do(answer_history, question, parameters or {})

    def overview(
        self,
        questions: Sequence[int],
        *,
        at: At = None,
        occurred_before: str | date | None = None,
        source: str | None = None,
    ) -> "Overview | None":
        """Answers to several questions as of one position, and what is kept of them at the moment beside that.

        None where nothing was loaded yet.
        """
        from replayhouse.infra.application.overview import overview

        return self._do(overview, questions, at, occurred_before, source)

    def findings_kept(
        self, *, at: At = None, occurred_before: str | date | None = None, source: str | None = None
    ) -> "Mapping[int, Answer]":
        """The answers of record to all questions with their defaults, by number; only charts of lines have rows."""
        from replayhouse.infra.application.findings_kept import findings_kept

        return self._do(findings_kept, at, occurred_before, source)

    def ask_beside(
        self,
        question: int,
        parameters: Mapping[str, object] | None = None,
        *,
        at: At = None,
        occurred_before: str | date | None = None,
        source: str | None = None,
    ) -> "Beside":
        """Answers a question, and beside that as of the load before; as of a past moment, what is known now."""
        from replayhouse.infra.application.ask_beside import ask_beside

        return self._do(ask_beside, question, parameters or {}, at, occurred_before, source)

    def ask_unless_known(
        self,
        question: int,
        parameters: Mapping[str, object] | None = None,
        *,
        at: At = None,
        occurred_before: str | date | None = None,
        known: Collection[str] = (),
        source: str | None = None,
    ) -> "Told":
        """Answers a question, but for an answer of record whose tag is among those that are known."""
        from replayhouse.infra.application.ask_beside import ask_unless_known

        return self._do(ask_unless_known, question, parameters or {}, at, occurred_before, known, source)

    def answer_changes(
        self,
        question: int,
        parameters: Mapping[str, object] | None = None,
        *,
        since: At = None,
        until: At = None,
        source: str | None = None,
    ) -> "AnswerChanges":
        """What differs between the answers to a question at two moments."""
        from replayhouse.infra.application.ask_beside import answer_changes

        return self._do(answer_changes, question, parameters or {}, since, until, source)

    def figure_rows(
        self,
        question: int,
        key: Sequence[str],
        column: str,
        parameters: Mapping[str, object] | None = None,
        *,
        at: At = None,
        occurred_before: str | date | None = None,
        limit: int = 500,
        offset: int = 0,
        source: str | None = None,
    ) -> "FigureRows":
        """Some of the rows behind a figure, the largest parts first, each with the load that brought it."""
        from replayhouse.infra.application.figure_rows import figure_rows

        moment = (at, occurred_before)
        return self._do(figure_rows, question, key, column, parameters or {}, *moment, limit, offset, source)

    def changes(self, old: int | None = None, new: int | None = None, *, at: At = None) -> "Changes | None":
        """What changed between the ends of two loads, given by their positions: by default, with the newest load.

        `at` is a moment as of which that is the newest. Figures of months that were over, answers, and corrections
        of what was believed before. None where nothing was loaded yet. Raises UsageError for a position at which no
        load ends.
        """
        from replayhouse.infra.application.changes import changes

        return self._do(changes, old, new, at)
