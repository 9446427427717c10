"""Answering the business questions: what is kept is found, the rest is computed, and kept."""

import json
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import psycopg

from replayhouse.infra.answers import asking, findings
from replayhouse.infra.answers.answer import Answer, as_texts, people_named, restored
from replayhouse.infra.answers.asking import Behind, Cell, FaultyQuestion, Row
from replayhouse.infra.answers.moment import LIVE, Moment, has_own_marts, live_moment
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application import access, moments
from replayhouse.infra.application.prepared import prepared
from replayhouse.infra.application.project import catch_up_all
from replayhouse.infra.application.rows_shown import ids_in
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models import kept_answers
from replayhouse.infra.read_models.kept_answers import Origin
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.runtime.errors import Forbidden, Unknown
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.telemetry import metrics_process
from replayhouse.projections.questions import Question, question, questions
from replayhouse.projections.questions.question import Value

T = TypeVar("T")

_NAME = "replayhouse ask"


@dataclass(frozen=True)
class Figure:
    """A figure of an answer, and the rows behind it, whose parts add up to it.

    Of a figure that is no sum, `made_of` names the columns and measures that it is made of, with the sum of each; there
    are no rows then: ask for one of those.
    """

    question: Question
    column: str
    key: tuple[str, ...]
    value: Cell
    rows: Sequence[Behind]
    made_of: Mapping[str, int | Decimal]

    def document(self) -> dict[str, Any]:
        """As JSON shows it; `made_of` only where there are no rows of its own."""
        return {
            "question": self.question.number,
            "column": self.column,
            "figure": self.value,
            "rows": [row._asdict() for row in self.rows],
            **({"made_of": self.made_of} if self.made_of else {}),
        }


def ask(
    site: Site,
    number: int,
    given: Mapping[str, object],
    at: str | int | datetime | None,
    occurred_before: str | date | None,
    source: str | None = None,
) -> Answer:
    """Answers a question as of a moment. Raises UsageError for an unknown number, parameter, moment or source."""
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    with asking_as_of(site, at, occurred_before, source) as session:
        return session.answer(asked, parameters)


def ask_all(
    site: Site, at: str | int | datetime | None, occurred_before: str | date | None, source: str | None = None
) -> Generator[Answer | FaultyQuestion]:
    """Answers all questions with their defaults; where the SQL of one fails, what is wrong stands in its place."""
    with asking_as_of(site, at, occurred_before, source) as session:
        for one in questions():
            try:
                yield session.answer(one, read_parameters(one, {}))
            except FaultyQuestion as error:
                yield error


def rows_behind(
    site: Site,
    number: int,
    key: Sequence[str],
    column: str,
    given: Mapping[str, object],
    at: str | int | datetime | None,
    occurred_before: str | date | None,
    source: str | None = None,
) -> Figure:
    """The rows behind the figure of a column in the answer's row with a key.

    Where they tell of personal fields, they are noted in the access log before they are told, and told to those only
    who may see people. Raises UsageError where the answer has no such row or column.
    """
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    refuse_people(site, asked, column)
    with asking_as_of(site, at, occurred_before, source) as session:
        found = session.figure(asked, parameters, key, column)
    note_people(site, asked, column, found.rows)
    return found


def tells_of_people(asked: Question, column: str) -> bool:
    """Whether personal fields say which rows stand behind a figure, so that each row tells of these."""
    return asked.is_of_people and column not in asked.made_of


def refuse_people(site: Site, asked: Question, column: str) -> None:
    """Raises Forbidden where rows behind a figure tell of people, and whoever asks may not see these."""
    if tells_of_people(asked, column) and not access.asking(site).by.sees_people:
        raise Forbidden(
            f"Personal fields say which rows stand behind a figure of question {asked.number}: who may not see these "
            "is told the figures only."
        )


def note_people(site: Site, asked: Question, column: str, rows: Sequence[Behind]) -> None:
    """Notes rows behind a figure that are about to be told, where they tell of people."""
    if tells_of_people(asked, column):
        subjects = ids_in(one.key.split("/") for one in rows)
        access.note_access(site, "figure rows", f"rows behind {column} of question {asked.number}", subjects)


@contextmanager
def asking_as_of(
    site: Site, at: str | int | datetime | None, occurred_before: str | date | None, source: str | None = None
) -> "Generator[Asking]":
    """Lets questions be asked as of a moment, on one connection. Raises UsageError for what is no moment.

    With `source`, of what its loads brought alone.

    Figures are everybody's: whoever asks, it is a reader's connection.
    """
    with site.as_reader.connect(_NAME, autocommit=True) as conn, ExitStack() as stack:
        make_ready(site, conn)
        yield Asking(site, conn, moments.read_moment(conn, at, occurred_before, source), stack)


def make_ready(site: Site, conn: psycopg.Connection) -> None:
    """Makes the live marts where there are none, or those of another version of the program."""
    if not has_own_marts(conn):
        prepared(site, conn)
        catch_up_all(site)


class Asking:
    """Asking as of one moment. Where that does not stand, it is made when the first answer is not kept."""

    def __init__(
        self, site: Site, conn: psycopg.Connection, wanted: moments.Standing | Limits, stack: ExitStack
    ) -> None:
        self.conn = conn
        self._site = site
        self._wanted = wanted
        self._stack = stack
        self._made: Moment | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is the live moment."""
        return self._wanted is None

    def answer(self, asked: Question, parameters: Mapping[str, Value]) -> Answer:
        """The answer to one question."""
        return self.answers([(asked, parameters)])[0]

    def answers(self, wanted: Sequence[tuple[Question, Mapping[str, Value]]]) -> list[Answer]:
        """The answers to several questions, all as of the same position."""
        if isinstance(self._wanted, Limits):
            recorded = moments.recorded(self.conn, self._wanted)
            kept = [found for one in wanted if (found := find_kept(self.conn, recorded, *one)) is not None]
            if len(kept) == len(wanted):
                for _ in kept:
                    metrics_process.answered("kept")
                return kept
        return self._answers(self._moment(), wanted)

    def answer_now(self, asked: Question, parameters: Mapping[str, Value]) -> Answer:
        """The answer to one question as of the live moment, whichever is asked as of."""
        return self._answers(live_moment(self.conn), [(asked, parameters)])[0]

    def _answers(self, moment: Moment, wanted: Sequence[tuple[Question, Mapping[str, Value]]]) -> list[Answer]:
        found, shown = _in_one_moment(self.conn, moment, wanted)
        new = [one for one in found if not one.is_kept]
        if new and self._site.is_for_owner:
            keep_all(self.conn, new, shown)
        elif new and shown.is_record:
            with self._site.as_program.connect(_NAME, autocommit=True) as own:  # a reader's connection keeps nothing
                keep_all(own, new, shown)
        return found

    def recorded(self) -> Moment | None:
        """The moment as which answers are kept; None of what stands, and is no record of the log."""
        if isinstance(self._wanted, Limits):
            return moments.recorded(self.conn, self._wanted)
        found = live_moment(self.conn) if self.is_live else None
        return found if found is not None and found.is_record else None

    def figure(self, asked: Question, parameters: Mapping[str, Value], key: Sequence[str], column: str) -> "Figure":
        """The rows behind a figure."""
        conn, moment = self.conn, self._moment()
        return asking.in_one_moment(conn, moment.schemas, lambda: figure(conn, asked, parameters, key, column))

    def in_moment(self, work: Callable[[Moment], T]) -> T:
        """Does some work that reads the marts of the moment, which it is given; it writes nothing."""
        moment = self._moment()

        def on_what_is_shown() -> T:
            return work(live_moment(self.conn) if moment.schemas == LIVE else moment)

        return asking.in_one_moment(self.conn, moment.schemas, on_what_is_shown)

    def _moment(self) -> Moment:
        if self._made is None:
            self._made = self._stack.enter_context(moments.made(self._site, self.conn, self._wanted))
        return self._made


def question_of(number: int) -> Question:
    """The question of a number. Raises UsageError, which says what there is."""
    found = question(number) if type(number) is int else None
    if found is None:
        numbers = [one.number for one in questions()]
        raise Unknown(
            f"There is no question {number}: they are numbered {min(numbers)} to {max(numbers)}. "
            "replayhouse questions lists them."
        )
    return found


def answer(conn: psycopg.Connection, moment: Moment, asked: Question, parameters: Mapping[str, Value]) -> Answer:
    """The answer as of a moment: the one that is kept, or else a new one, which is kept where it can be."""
    return answers(conn, moment, [(asked, parameters)])[0]


def answers(
    conn: psycopg.Connection, moment: Moment, wanted: Sequence[tuple[Question, Mapping[str, Value]]]
) -> list[Answer]:
    """The same of several questions, in one transaction."""
    found, shown = _in_one_moment(conn, moment, wanted)
    keep_all(conn, found, shown)
    return found


def _in_one_moment(
    conn: psycopg.Connection, moment: Moment, wanted: Sequence[tuple[Question, Mapping[str, Value]]]
) -> tuple[list[Answer], Moment]:
    """Answers to several questions, in one transaction, and the moment as of which they are; none is kept by this.

    Of the live moment, what the marts show by the time that they are read counts.
    """

    def work() -> tuple[list[Answer], Moment]:
        shown = live_moment(conn) if moment.schemas == LIVE else moment
        return [kept_or_computed(conn, shown, *one) for one in wanted], shown

    return asking.in_one_moment(conn, moment.schemas, work)


def kept_or_computed(
    conn: psycopg.Connection, moment: Moment, asked: Question, parameters: Mapping[str, Value]
) -> Answer:
    """The answer as of a moment, within `in_one_moment`; it is not kept by this."""
    kept = find_kept(conn, moment, asked, parameters)
    if kept is None:
        return _computed(conn, moment, asked, parameters)
    metrics_process.answered("kept")
    return kept


def find_kept(
    conn: psycopg.Connection, moment: Moment, asked: Question, parameters: Mapping[str, Value]
) -> Answer | None:
    """The answer of record as of a moment, if there is one."""
    origin = origin_in(moment, asked, parameters)
    kept = kept_answers.find(conn, asked.number, origin) if moment.is_record else None
    return None if kept is None else restored(asked, origin, kept, moment.currency)


def _computed(conn: psycopg.Connection, moment: Moment, asked: Question, parameters: Mapping[str, Value]) -> Answer:
    begun = time.perf_counter()
    rows = asking.compute(conn, asked, parameters)
    finding = findings.find(asked, rows, asking.backtest(conn, asked, parameters), moment.currency)
    metrics_process.computed(asked.number, time.perf_counter() - begun)
    metrics_process.answered("computed")
    origin, made_at = origin_in(moment, asked, parameters), datetime.now(UTC)
    return Answer(asked, rows, origin, finding, made_at, is_kept=False, currency=moment.currency)


def origin_in(moment: Moment, asked: Question, parameters: Mapping[str, Value]) -> Origin:
    """What an answer follows from as of a moment."""
    return Origin(moment.definition_of(asked), parameters, moment.position, moment.occurred_before, moment.erasures)


def keep_all(conn: psycopg.Connection, made: Sequence[Answer], moment: Moment) -> None:
    """Keeps answers as `keep` does."""
    for one in made:
        keep(conn, one, moment)


def keep(conn: psycopg.Connection, made: Answer, moment: Moment) -> None:
    """Keeps an answer that was computed now, where it follows from the log alone; `conn` in autocommit."""
    if moment.is_record and not made.is_kept:
        named_people = people_named(made.question, made.rows)
        kept_answers.keep(conn, made.question.number, made.origin, as_texts(made.rows), made.finding, named_people)


def figure(
    conn: psycopg.Connection, asked: Question, parameters: Mapping[str, Value], key: Sequence[str], column: str
) -> Figure:
    """The rows behind a figure, within `in_one_moment`; the same as `rows_behind`."""
    told, value = row_and_value(asked, asking.compute(conn, asked, parameters), key, column)
    if column in asked.made_of:
        parts = {
            part: sum((one.part for one in asking.behind(conn, asked, parameters, told, part)), start=0)
            for part in asked.made_of[column]
        }
        return Figure(asked, column, told, value, [], parts)
    found = asking.behind(conn, asked, parameters, told, column)
    if not is_column(asked, column):
        value = sum((one.part for one in found), start=0)
    return Figure(asked, column, told, value, found, {})


def is_column(asked: Question, column: str) -> bool:
    """Whether the answer shows it: it does not show what some figures are made of."""
    return any(one.name == column for one in asked.columns)


def row_and_value(
    asked: Question, rows: Sequence[Row], key: Sequence[str], column: str
) -> tuple[tuple[str, ...], Cell]:
    """The key of the row that is meant, and its value in a column: None of one that the answer does not show.

    Raises Unknown where there is no such row or column.
    """
    measures = (*asked.measures, *dict.fromkeys(part for parts in asked.made_of.values() for part in parts))
    columns = [one.name for one in asked.columns if one.name not in asked.key]
    if column not in columns and column not in measures:
        raise Unknown(f"Question {asked.number} has no figure '{column}': there are {', '.join(columns)}.")
    row = row_of(rows, key) if len(key) == len(asked.key) else None
    if row is None:
        raise Unknown(_no_row(asked, rows, key))
    value = row[[one.name for one in asked.columns].index(column)] if column in columns else None
    return tuple(map(str, row[: len(key)])), value


def row_of(rows: Sequence[Row], key: Sequence[str]) -> Row | None:
    """The row whose first values are a key; also where that is spelt another way, if no other row can be meant."""
    found = [row for row in rows if list(map(str, row[: len(key)])) == list(key)]
    found = found or [row for row in rows if [_spelt(str(cell)) for cell in row[: len(key)]] == list(map(_spelt, key))]
    return found[0] if len(found) == 1 else None


def _spelt(value: str) -> str:
    """One spelling of what people write in several: ids with hyphens, capital letters, numbers as 01 or 1.0."""
    text = value.strip().casefold()
    bare = text.replace("-", "")
    if len(bare) == 32 and set(bare) <= set("0123456789abcdef"):
        return bare
    if text.isascii() and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return f"{Decimal(text).normalize():f}"
    return text


def _no_row(asked: Question, rows: Sequence[Row], key: Sequence[str]) -> str:
    size = len(asked.key)
    if not rows:
        return f"The answer to question {asked.number} has no rows."
    if len(key) != size:
        example = json.dumps([str(cell) for cell in rows[0][:size]], ensure_ascii=False)
        one = f"{example[1:-1]} is one" if size == 1 else f"write them as a JSON list, as in '{example}'"
        return (
            f"A row of question {asked.number} is known by {' and '.join(asked.key)}, {count(size, 'value')}, and "
            f"{len(key)} stand here: {one}."
        )
    some = ", ".join("/".join(map(str, one[:size])) for one in rows[:8])
    return (
        f"The answer to question {asked.number} has no row {'/'.join(key)}: there are "
        f"{some}{', ...' if len(rows) > 8 else ''}."
    )
