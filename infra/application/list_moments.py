"""The moments that can be asked as of: ends of loads and of months, and what stands beside the live read models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from replayhouse.infra.answers.moment import moment_as_of
from replayhouse.infra.application.moments import is_made_to_be_asked, name_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.loads.load_ends import LoadEnd, load_ends
from replayhouse.infra.read_models import kept_answers, marts_shown, months, prefixes
from replayhouse.infra.read_models.prefixes import Prefix
from replayhouse.infra.read_models.rebuild.revisions import ListedRevision, listed
from replayhouse.projections.questions import questions
from replayhouse.projections.warehouse import PROJECTIONS


class EndOfLoad(NamedTuple):
    """The end of a load, or of its being taken back: whether it stands, and how many questions have a kept answer."""

    end: LoadEnd
    is_made: bool
    answers: int


class EndOfMonth(NamedTuple):
    """The last day of a month in which something was ordered; the same as of that business time, and as known now."""

    day: date
    is_made: bool
    answers: int


@dataclass(frozen=True)
class Moments:
    """The moments: `shown` is the position that the live marts show, None where there are none.

    `made` are those that were made to be asked, `prefixes` what people have made stand; `revisions` those that are live
    or kept.
    """

    head: int
    shown: int | None
    loads: Sequence[EndOfLoad]
    months: Sequence[EndOfMonth]
    made: Sequence[Prefix]
    prefixes: Sequence[Prefix]
    revisions: Sequence[ListedRevision]

    def document(self) -> dict[str, Any]:
        """As JSON shows it: `at` and `by` are what names a moment."""
        return {
            "position": self.head,
            "shown": self.shown,
            "loads": [
                {
                    "at": str(one.end.position),
                    "load": one.end.load,
                    "source": one.end.source,
                    "is_retraction": one.end.is_retraction,
                    "recorded_at": one.end.recorded_at,
                    "is_made": one.is_made,
                    "answers": one.answers,
                }
                for one in self.loads
            ],
            "months": [
                {"by": one.day.isoformat(), "is_made": one.is_made, "answers": one.answers} for one in self.months
            ],
            "made": [_document(one, at=str(one.position)) for one in self.made],
            "prefixes": [_document(one, at=one.prefix) for one in self.prefixes],
            "revisions": [
                {"at": f"r{one.revision}", "context": one.context, "position": one.position, "status": one.status}
                for one in self.revisions
            ],
        }


def by_of(before: datetime | None) -> str | None:
    """How a business time is written in an address: the end of a day as the day."""
    if before is None:
        return None
    return before.date().isoformat() if before.time() == time.max else before.isoformat()


def _document(one: Prefix, at: str) -> dict[str, Any]:
    by = by_of(one.occurred_before)
    return {"at": at, "by": by, "source": one.source, "position": one.position, "made_at": one.made_at}


def list_moments(site: Site) -> Moments:
    """Looks, and changes nothing."""
    with site.as_reader.connect("replayhouse moments", autocommit=True) as conn:
        head, shown, standing = read_head(conn).position, marts_shown.noted(conn), prefixes.prefixes(conn)
        names, any_one = {one.prefix for one in standing}, moment_as_of(conn, (), 0, None)
        live = None if shown is None else shown.position
        days = [] if shown is None else months.last_days(conn)
        kept = kept_answers.counted(conn, [any_one.definition_of(one) for one in questions()], any_one.erasures)

        def is_made(position: int, before: datetime | None = None) -> bool:
            return name_of(any_one._replace(position=position, occurred_before=before)) in names

        return Moments(
            head,
            live,
            [
                EndOfLoad(end, end.position == live or is_made(end.position), kept.get((end.position, None), 0))
                for end in load_ends(conn)
            ],
            [
                EndOfMonth(before.date(), is_made(head, before), kept.get((head, before), 0))
                for before in (datetime.combine(day, time.max) for day in days)
            ],
            [one for one in standing if is_made_to_be_asked(one.prefix)],
            [one for one in standing if not is_made_to_be_asked(one.prefix)],
            [one for one in listed(conn, list(PROJECTIONS)) if one.status in ("live", "kept")],
        )
