"""The bar over every page: which moment it shows, and the other ones that can be chosen."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from replayhouse.infra.application.glance import Glance
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.web.wanted import Wanted

_SHOWN = 6
"""So many ends of loads stand on the rail."""


class Stop(NamedTuple):
    """A moment on the rail."""

    label: str
    title: str
    address: str
    is_current: bool


class Bar(NamedTuple):
    """What the bar says."""

    is_past: bool
    says: str
    details: str
    stops: Sequence[Stop]
    back: str


class Seal(NamedTuple):
    """What the last verification of the log found, in some words; `holds` is None where nobody has verified it."""

    holds: bool | None
    says: str
    title: str


def bar_of(glance: Glance, wanted: Wanted, path: str) -> Bar:
    """The bar over the page at a path."""
    live, newest = Wanted(), glance.ends[-1].position if glance.ends else 0
    stops = []
    for end in glance.ends[-_SHOWN:]:
        at = None if end.position == newest else str(end.position)
        title = f"Load {end}, position {end.position:,}, recorded {end.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        stops.append(Stop(str(end), title, Wanted(at, wanted.by).link(path), wanted.at == at))
    load = next((str(end) for end in glance.ends if str(end.position) == wanted.at), None)
    position = glance.marts if glance.marts is not None else glance.head.position
    if not wanted.is_past:
        latest = f", load {glance.ends[-1]}" if glance.ends else ""
        return Bar(False, "As known now", f"position {position:,}{latest}", stops, live.link(path))
    happened = f"what had happened by {wanted.by}"
    if wanted.at is None:
        return Bar(True, happened.capitalize(), f"as known now, position {position:,}", stops, live.link(path))
    details = [f"position {int(wanted.at):,}"] if wanted.at.isdecimal() else []
    details += [happened] if wanted.by else []
    says = f"As known after {load}" if load else f"As known at {wanted.at}"
    return Bar(True, says, ", ".join(details), stops, live.link(path))


def seal_of(glance: Glance) -> Seal:
    """The badge of the log."""
    found = glance.verified
    if found is None:
        return Seal(None, "Log not verified yet", "replayhouse audit verify recomputes its chain")
    title = f"Verified {found.verified_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, up to position {found.position:,}"
    if found.reason is not None:
        return Seal(False, "Log does not hold", f"{title}: {found.reason}")
    return Seal(True, f"Log verified {_ago(found.verified_at)}", title)


def _ago(at: datetime) -> str:
    minutes = int((datetime.now(UTC) - at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, word in ((24 * 60, "day"), (60, "hour")):
        if minutes >= size:
            return f"{count(minutes // size, word)} ago"
    return f"{minutes} min ago"
