"""An answer, and beside it what was said at another moment: at the load before; of the past, what is known now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from replayhouse.infra.answers import asking
from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.differing import Differing, differing_rows
from replayhouse.infra.answers.moment import LIVE, moment_as_of
from replayhouse.infra.answers.open_months import open_months
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import Asking, asking_as_of, find_kept, origin_in, question_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.load_ends import LoadEnd, load_before, load_ends
from replayhouse.infra.read_models.kept_answers import Origin
from replayhouse.projections.questions import Question
from replayhouse.projections.questions.question import Value

At = str | int | datetime | None


@dataclass(frozen=True)
class Beside:
    """An answer, and the other one: None where that is not kept.

    The other is as of the end of `load`, or as of now where that is None. `open_months` are told of the newest moment.
    """

    answer: Answer
    other: Answer | None
    load: LoadEnd | None
    open_months: frozenset[str]


def ask_beside(
    site: Site,
    number: int,
    given: Mapping[str, object],
    at: At,
    occurred_before: str | date | None,
    source: str | None = None,
) -> Beside:
    """Answers a question as `ask` does. The answer at the load before is found, not computed.

    Beside that of a source alone there is none: others would be of other loads, or of all.
    """
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    with asking_as_of(site, at, occurred_before, source) as session:
        found = session.answer(asked, parameters)
        if source is not None:
            return Beside(found, None, None, frozenset())
        if not session.is_live:
            return Beside(found, session.answer_now(asked, parameters), None, frozenset())
        load, other = _at_the_load_before(session, found, asked, parameters)
        still_open = asking.in_one_moment(session.conn, LIVE, lambda: open_months(session.conn))
        return Beside(found, other, load, still_open)


def _at_the_load_before(
    session: Asking, found: Answer, asked: Question, parameters: Mapping[str, Value]
) -> tuple[LoadEnd | None, Answer | None]:
    load = load_before(load_ends(session.conn), found.position)
    if load is None:
        return None, None
    return load, find_kept(session.conn, moment_as_of(session.conn, (), load.position, None), asked, parameters)


@dataclass(frozen=True)
class AnswerChanges:
    """Two answers to a question, and the rows that differ."""

    was: Answer
    now: Answer

    @property
    def rows(self) -> list[Differing]:
        """The rows that differ."""
        return differing_rows(self.was, self.now)


def answer_changes(
    site: Site, number: int, given: Mapping[str, object], since: At, until: At, source: str | None = None
) -> AnswerChanges:
    """What differs between the answers at two moments. Raises UsageError for what is no question, or no moment."""
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    with asking_as_of(site, since, None, source) as session:
        was = session.answer(asked, parameters)
    with asking_as_of(site, until, None, source) as session:
        return AnswerChanges(was, session.answer(asked, parameters))


class Told(NamedTuple):
    """An answer, and what it follows from where it is one of record; the answer is None where that is known already."""

    answer: Answer | None
    origin: Origin | None


def ask_unless_known(
    site: Site,
    number: int,
    given: Mapping[str, object],
    at: At,
    occurred_before: str | date | None,
    known: Collection[str],
    source: str | None = None,
) -> Told:
    """Answers a question as `ask` does, but for those whose tag (see `tag_of`) is known: no rows are read then."""
    asked = question_of(number)
    parameters = read_parameters(asked, given)
    with asking_as_of(site, at, occurred_before, source) as session:
        moment = session.recorded()
        origin = None if moment is None else origin_in(moment, asked, parameters)
        if origin is not None and origin.tag in known:
            return Told(None, origin)
        found = session.answer(asked, parameters)
        return Told(found, origin if found.origin == origin else None)
