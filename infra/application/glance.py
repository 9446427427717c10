"""What stands over every page: how far the log is, at which moments it was complete, and whether it was verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit import verifications
from replayhouse.infra.audit.verifications import Verification
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.loads.load_ends import LoadEnd, load_ends
from replayhouse.infra.loads.source_names import source_names
from replayhouse.infra.read_models import marts_shown, months
from replayhouse.infra.read_models.marts_shown import MartsShown


@dataclass(frozen=True)
class Glance:
    """The head of the log; up to which position the live marts show it (None: there are none); the ends of loads.

    `sources` are the names of those that there are loads of.

    `shown` tells these marts from others, see `news`. `months` are the last days of those in which something was
    ordered. `verified` is None where nobody has verified the log yet.
    """

    head: Head
    marts: int | None
    shown: str
    ends: Sequence[LoadEnd]
    months: Sequence[date]
    verified: Verification | None
    sources: Sequence[str]


def glance(site: Site) -> Glance:
    """Looks, in some milliseconds, and changes nothing."""
    with site.as_reader.connect("replayhouse glance") as conn:
        shown = marts_shown.noted(conn)
        return Glance(
            read_head(conn),
            None if shown is None else shown.position,
            mark_of(shown),
            load_ends(conn),
            [] if shown is None else months.last_days(conn),
            verifications.latest(conn),
            source_names(conn),
        )


def mark_of(shown: MartsShown | None) -> str:
    """A mark of what the live marts show, with its position: another one as soon as they show something else."""
    return "" if shown is None else f"{shown.position}.{shown.made_at.timestamp() * 1_000_000:.0f}"


class News(NamedTuple):
    """Which position the live marts show now; and the mark of that."""

    position: int
    mark: str


def news(site: Site, mark: str) -> News | None:
    """What the live marts show, where it is something else than what had a mark."""
    with site.as_reader.connect("replayhouse news", autocommit=True) as conn:
        shown = marts_shown.noted(conn)
    return None if shown is None or mark_of(shown) == mark else News(shown.position, mark_of(shown))
