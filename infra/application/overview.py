"""The overview: answers to several questions as of one moment, and what is kept of them at the moment beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.answers.moment import live_moment, moment_as_of
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import asking_as_of, find_kept, question_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.load_ends import LoadEnd, load_ends


@dataclass(frozen=True)
class Beside:
    """What is kept of the answers at another moment: the end of the load before the last, or now, of a past moment.

    `last` is the newest end of a load; the answers are by number, and none is computed.
    """

    is_now: bool
    last: LoadEnd
    answers: Mapping[int, Answer]


@dataclass(frozen=True)
class Overview:
    """Answers by the numbers of their questions; `beside` is None where there is no other moment to look at."""

    answers: Mapping[int, Answer]
    beside: Beside | None


def overview(
    site: Site, numbers: Sequence[int], at: str | int | datetime | None, occurred_before: str | date | None
) -> Overview | None:
    """Answers questions with their defaults, all at the same position; None where nothing was loaded yet.

    Raises UsageError for a moment that is none.
    """
    wanted = [(asked, read_parameters(asked, {})) for asked in map(question_of, numbers)]
    with asking_as_of(site, at, occurred_before) as session:
        ends = load_ends(session.conn)
        if not ends:
            return None
        answers = dict(zip(numbers, session.answers(wanted), strict=True))
        if not session.is_live:
            other = live_moment(session.conn)
        elif len(ends) > 1:
            other = moment_as_of(session.conn, (), ends[-2].position, None)
        else:
            return Overview(answers, None)
        found = {asked.number: find_kept(session.conn, other, asked, given) for asked, given in wanted}
        kept = {number: one for number, one in found.items() if one is not None}
        return Overview(answers, Beside(not session.is_live, ends[-1], kept))
