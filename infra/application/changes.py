"""What the log's growth from the end of one load to that of another changed: figures, answers, and what we believed."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.answers.answer import Answer, restored
from replayhouse.infra.answers.moment import moment_as_of
from replayhouse.infra.answers.movements import FOLLOWED_QUESTIONS, Moved, RowsChanged, moved, rows_changed
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import make_ready, origin_in
from replayhouse.infra.application.moments import read_moment
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.between import months_of_orders
from replayhouse.infra.audit.corrections import Correction, corrections
from replayhouse.infra.audit.growth import growth_between, orders_by_month
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.loads.load_ends import LoadEnd, load_ends
from replayhouse.infra.read_models import kept_answers
from replayhouse.infra.read_models.currency import currency_of
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.questions import questions

_NAME = "replayhouse changes"


@dataclass(frozen=True)
class Changes:
    """What changed after one position, up to another.

    `ends` are the ends of all loads, `old` and `new` those two among them; `old` is None at the beginning of the log.
    `events` are counted by topic, `touched` are orders, by the month in which they were placed and what happened to
    them: of the months whose figures moved. Of `corrections` the first are there, `corrected` is how many there are,
    and `months` are those in which the corrected orders were placed.
    `lacking` are the positions as of which not all answers are kept: questions that miss one of both are left out.
    """

    ends: Sequence[LoadEnd]
    old: LoadEnd | None
    new: LoadEnd
    events: Mapping[str, int]
    moved: Sequence[Moved]
    touched: Mapping[tuple[str, str], int]
    corrections: Sequence[Correction]
    corrected: int
    months: Mapping[UUID, str]
    answers: Sequence[RowsChanged]
    lacking: Sequence[int]
    currency: str = BRL
    """The code of the currency of all amounts."""

    @property
    def loads(self) -> list[LoadEnd]:
        """The loads that were completed or taken back in between."""
        return [end for end in self.ends if self.start < end.position <= self.new.position]

    @property
    def of_quality(self) -> int:
        """How many of the events are of the quality context, which tells of the loads themselves."""
        return sum(number for topic, number in self.events.items() if topic.startswith("quality."))

    @property
    def start(self) -> int:
        """The position after which it begins."""
        return 0 if self.old is None else self.old.position

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "from": self.start,
            "to": self.new.position,
            "loads": [
                {"position": end.position, "load": end.load, "is_retraction": end.is_retraction} for end in self.loads
            ],
            "moved": [
                {
                    "figure": one.figure.name,
                    "question": one.figure.question,
                    "column": one.figure.column,
                    "month": one.month,
                    "was": one.was,
                    "now": one.now,
                    "change": one.change,
                }
                for one in self.moved
            ],
            "corrections": [one.document() for one in self.corrections],
            "corrected": self.corrected,
            "answers": [one.document() for one in self.answers if one.is_any],
            "events": self.events,
            "lacking": self.lacking,
        }


def changes(site: Site, old: int | None, new: int | None, at: str | int | datetime | None) -> Changes | None:
    """What changed between two ends of loads: by default, with the load that ended at `new`.

    By default that is the newest, as of the moment `at`. Position 0 is the beginning of the log. None where nothing was
    loaded yet. Raises UsageError for a position at which no load ends, and for what is no moment.
    """
    with site.as_reader.connect(_NAME, autocommit=True) as conn, ExitStack() as stack:
        make_ready(site, conn)
        ends = load_ends(conn)
        if not ends and not old and new is None:
            return None
        wanted = read_moment(conn, at, None) if new is None else None
        known = [end for end in ends if not isinstance(wanted, Limits) or end.position <= (wanted.position or 0)]
        start, end = _read(known, old, new)
        first = 0 if start is None else start.position
        before, after = (_Kept(conn, position) for position in (first, end.position))
        figures = moved(before.followed(), after.followed())
        # What is counted is kept, and readers keep nothing.
        own = conn if site.is_for_owner else stack.enter_context(site.as_program.connect(_NAME, autocommit=True))
        growth = growth_between(own, first, end.position)
        shown = corrections(conn, growth)
        return Changes(
            ends=ends,
            old=start,
            new=end,
            events=growth.events,
            moved=figures,
            touched=orders_by_month(own, first, end.position) if figures else {},
            corrections=shown,
            corrected=growth.corrected,
            months=months_of_orders(conn, {one.key for one in shown if one.kind is HistoryKind.ORDER}),
            answers=[
                rows_changed(one, before.found[one.number], after.found[one.number])
                for one in questions()
                if one.number in before.found and one.number in after.found
            ],
            lacking=[position for position, kept in ((first, before), (end.position, after)) if kept.lacks],
            currency=currency_of(conn),
        )


def count_growth(conn: psycopg.Connection) -> None:
    """Counts what the newest load brought, so that nobody waits for that who asks what it changed."""
    ends = [end.position for end in load_ends(conn)]
    if ends:
        old, new = ends[-2] if len(ends) > 1 else 0, ends[-1]
        growth_between(conn, old, new)
        if old:
            orders_by_month(conn, old, new)


def _read(ends: Sequence[LoadEnd], old: int | None, new: int | None) -> tuple[LoadEnd | None, LoadEnd]:
    """The two ends of loads that are meant. Raises UsageError."""
    known = {end.position: end for end in ends}
    for position in (old or None, new):
        if position is not None and position not in known:
            there = ", ".join(f"{end.position} ({end})" for end in ends[-8:]) or "none"
            raise UsageError(f"No load ends at position {position}. Ends of loads are {there}.")
    if not ends:
        raise UsageError("No load had ended by then.")
    end = ends[-1] if new is None else known[new]
    earlier = [one for one in ends if one.position < end.position]
    start = known.get(old) if old is not None else earlier[-1] if earlier else None
    if start is not None and start.position >= end.position:
        raise UsageError(f"Position {start.position} does not come before position {end.position}: exchange them.")
    return start, end


class _Kept:
    """The answers that are kept as of a position, by the numbers of their questions."""

    def __init__(self, conn: psycopg.Connection, position: int) -> None:
        moment = moment_as_of(conn, (), position, None)
        self.origins = {one.number: origin_in(moment, one, read_parameters(one, {})) for one in questions()}
        found = kept_answers.find_all(conn, self.origins, self.origins)
        self.found = {kept.question: kept for kept in found}
        self.lacks = position > 0 and len(self.found) < len(self.origins)

    def followed(self) -> dict[int, Answer]:
        """Those of whose figures each is followed."""
        asked = [one for one in questions() if one.number in FOLLOWED_QUESTIONS and one.number in self.found]
        return {one.number: restored(one, self.origins[one.number], self.found[one.number]) for one in asked}
