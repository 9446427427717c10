"""The overview: answers to several questions as of one moment, and what is kept of them at the moment beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from replayhouse.infra.answers import asking
from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.moment import LIVE, Moment, live_moment, moment_as_of
from replayhouse.infra.answers.open_months import open_months
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import Asking, asking_as_of, find_kept, question_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.load_ends import LoadEnd, load_before, load_ends
from replayhouse.projections.questions import Question
from replayhouse.projections.questions.question import Value


@dataclass(frozen=True)
class Beside:
    """What is kept of the answers at another moment: the end of the load before the last, or now, of a past moment.

    `last` is the newest end of a load, and `since` that with which the earlier of the two moments ended: None where no
    load ended then. The answers are by number, and none is computed.
    """

    is_now: bool
    since: int | None
    last: LoadEnd
    answers: Mapping[int, Answer]


@dataclass(frozen=True)
class Overview:
    """Answers by the numbers of their questions; `beside` is None where there is no other moment to look at.

    `open_months` are told of the newest moment.
    """

    answers: Mapping[int, Answer]
    beside: Beside | None
    open_months: frozenset[str]

    @property
    def currency(self) -> str:
        """The code of the currency of all amounts."""
        return next(iter(self.answers.values())).currency


def overview(
    site: Site,
    numbers: Sequence[int],
    at: str | int | datetime | None,
    occurred_before: str | date | None,
    source: str | None = None,
) -> Overview | None:
    """Answers questions with their defaults, all at the same position; None where nothing was loaded yet.

    Of a source alone there is no other moment to look at. Raises UsageError for a moment or a source that is none.
    """
    wanted = [(asked, read_parameters(asked, {})) for asked in map(question_of, numbers)]
    with asking_as_of(site, at, occurred_before, source) as session:
        ends = load_ends(session.conn)
        if not ends:
            return None
        answers = dict(zip(numbers, session.answers(wanted), strict=True))
        if source is not None:
            return Overview(answers, None, frozenset())
        if not session.is_live:
            shown = answers[numbers[0]].position
            since = shown if occurred_before is None and shown in {end.position for end in ends[:-1]} else None
            known = _kept(session, live_moment(session.conn), wanted)
            return Overview(answers, Beside(True, since, ends[-1], known), frozenset())
        still_open = asking.in_one_moment(session.conn, LIVE, lambda: open_months(session.conn))
        before = load_before(ends, answers[numbers[0]].position)
        if before is None:
            return Overview(answers, None, still_open)
        known = _kept(session, moment_as_of(session.conn, (), before.position, None), wanted)
        return Overview(answers, Beside(False, before.position, ends[-1], known), still_open)


def _kept(
    session: Asking, moment: Moment, wanted: Sequence[tuple[Question, Mapping[str, Value]]]
) -> Mapping[int, Answer]:
    found = {asked.number: find_kept(session.conn, moment, asked, given) for asked, given in wanted}
    return {number: one for number, one in found.items() if one is not None}
