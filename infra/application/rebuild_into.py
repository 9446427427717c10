"""Rebuilding beside the live read models: the warehouse as it was, under a prefix."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.own_segments import own_segments
from replayhouse.infra.application.rebuild import RebuildReport
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.source_names import known_source
from replayhouse.infra.read_models.snapshots import time_travel
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_business_time, read_recorded_time


@dataclass(frozen=True)
class RebuildIntoReport(RebuildReport):
    """What `rebuild_into` answers: under which prefix the tables stand, and by which limits of the log."""

    prefix: str
    limits: Limits

    @property
    def position(self) -> int:
        """Up to where the log is shown."""
        return max(rebuilt.position for rebuilt in self.contexts.values())


def rebuild_into(
    site: Site,
    prefix: str,
    contexts: Iterable[str] | None,
    *,
    as_of: str | datetime | None,
    to_position: int | None,
    occurred_before: str | date | None,
    source: str | None = None,
    workers: int | None,
) -> RebuildIntoReport:
    """Folds the streams of these contexts (or all), as far as the limits go, into the schemas of a prefix.

    With `source`, what tells of that source. Raises Unknown where nothing was loaded of it.
    """
    limits = limits_of(as_of, to_position, occurred_before)
    wanted = chosen(contexts)
    with site.prepare_workers(workers):
        database, processes = site.database, workers or site.settings.workers
        if source is not None:
            with database.connect("replayhouse rebuild", autocommit=True) as conn:
                limits = replace(limits, source=known_source(conn, source))
        telling(site)(0, 0)
        found = time_travel.rebuild_into(
            database, prefix, wanted, limits, processes, tell=telling(site), segments=own_segments(site)
        )
    return RebuildIntoReport(found, prefix, limits)


def telling(site: Site) -> Callable[[int, int], None]:
    """Takes how much of a rebuild is folded; when all is, what follows from that is made."""

    def tell(done: int, of: int) -> None:
        if done < of or not of:
            site.tell("folding every stream as far as the limits go", done, of)
        else:
            site.tell("making the calendar and the marts", 0, 0)

    return tell


def limits_of(as_of: str | datetime | None, to_position: int | None, occurred_before: str | date | None) -> Limits:
    """The limits of a rebuild: a recorded time, which has an offset, a position, a business time, which has none.

    Of a date, the end of that day. Raises UsageError for what is none of these.
    """
    if to_position is not None and to_position < 0:
        raise UsageError(f"The log has no position {to_position:,}: name 0 or more.")
    return Limits(
        to_position,
        None if as_of is None else read_recorded_time(_as_text(as_of)),
        None if occurred_before is None else read_business_time(_as_text(occurred_before)),
    )


def _as_text(given: str | date) -> str:
    """A time as it is written; what a caller from Python gives in its place is written too, and refused as text."""
    return given.isoformat() if isinstance(given, date) else str(given)
