"""The bar over every page: which moment it shows, and the other ones that can be chosen."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

from fastapi import Request

from replayhouse.infra.application.glance import Glance
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.web.wanted import Wanted

_SHOWN = 6
"""So many ends of loads, or of months, stand on the rail."""

_AXIS, _HAPPENED = "axis", "happened"
"""What an address says where the rail is to have the other axis than the moment alone would give it."""


class Stop(NamedTuple):
    """A moment on the rail."""

    label: str
    title: str
    address: str
    is_current: bool


class Axis(NamedTuple):
    """One of several that can be chosen: of the two times of moments, or of sources."""

    label: str
    address: str
    is_current: bool


class Bar(NamedTuple):
    """What the bar says. `mark` is of what the page shows, for to ask whether there is news.

    `sources` are all of them and each, as can be chosen where there are several.
    """

    is_past: bool
    says: str
    details: str
    rail: str
    stops: Sequence[Stop]
    axes: Sequence[Axis]
    back: str
    mark: str
    sources: Sequence[Axis]


class Seal(NamedTuple):
    """What the last verification of the log found, in some words; `holds` is None where nobody has verified it."""

    holds: bool | None
    says: str
    title: str


class _Addresses:
    """Addresses of the same page at other moments: whatever else the address says stays."""

    def __init__(self, request: Request) -> None:
        self._path = quote(request.url.path, safe="/")
        self._source = request.query_params.get("source") or None
        self._others = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name not in ("at", "by", "source", _AXIS)
        ]

    def at(self, at: str | None, by: str | None, axis: str | None = None) -> str:
        return self._address(at, by, self._source, axis)

    def of(self, source: str | None, wanted: Wanted) -> str:
        return self._address(wanted.at, wanted.by, source, None)

    def _address(self, at: str | None, by: str | None, source: str | None, axis: str | None) -> str:
        pairs = (("at", at), ("by", by), ("source", source), (_AXIS, axis))
        query = urlencode([*((name, value) for name, value in pairs if value is not None), *self._others])
        return self._path + ("?" + query if query else "")


def bar_of(glance: Glance, wanted: Wanted, request: Request, *, by_source: bool) -> Bar:
    """The bar over the page that is asked for; `by_source`: the page shows the wanted source alone, if there is one."""
    addresses = _Addresses(request)
    happened = request.query_params.get(_AXIS, _HAPPENED if wanted.by else "") == _HAPPENED
    axes = (
        Axis("As known on", addresses.at(wanted.at, wanted.by, "known" if wanted.by else None), not happened),
        Axis("As happened by", addresses.at(wanted.at, wanted.by, None if wanted.by else _HAPPENED), happened),
    )
    stops = _months(glance, wanted, addresses) if happened else _loads(glance, wanted, addresses)
    says, details = _said(glance, wanted)
    if wanted.source is not None:
        only = f"{wanted.source} alone"
        details.append(f"of {only}" if by_source else f"this page shows all sources, not {only}")
    rail = "Ends of months" if happened else "Ends of loads"
    back = addresses.at(None, None)
    return Bar(
        wanted.is_past,
        says,
        ", ".join(details),
        rail,
        list(stops),
        axes,
        back,
        glance.shown,
        _sources(glance, wanted, addresses),
    )


def _sources(glance: Glance, wanted: Wanted, addresses: _Addresses) -> list[Axis]:
    """All together, and each; none where there is nothing to choose."""
    if len(glance.sources) < 2 and wanted.source is None:
        return []
    of_all = Axis("all", addresses.of(None, wanted), wanted.source is None)
    return [of_all, *(Axis(name, addresses.of(name, wanted), name == wanted.source) for name in glance.sources)]


def _said(glance: Glance, wanted: Wanted) -> tuple[str, list[str]]:
    """What is looked at, and more of it."""
    shown = glance.marts if glance.marts is not None else glance.head.position
    happened = f"what had happened by {wanted.by}"
    if wanted.at is None:
        now = [f"position {shown:,}", *([f"load {glance.ends[-1]}"] if glance.ends else [])]
        return (happened.capitalize(), ["as known now", now[0]]) if wanted.by else ("As known now", now)
    load = next((str(end) for end in glance.ends if str(end.position) == wanted.at), None)
    details = [f"position {_number(wanted.at)}"] if load else []
    details += [happened] if wanted.by else []
    position = f"position {_number(wanted.at)}" if wanted.at.isdecimal() else wanted.at
    return f"As known {'after ' + load if load else 'at ' + position}", details


def _number(digits: str) -> str:
    return f"{int(digits):,}"


def _loads(glance: Glance, wanted: Wanted, addresses: _Addresses) -> Iterator[Stop]:
    newest = glance.ends[-1].position if glance.ends else 0
    current = newest if wanted.at is None else int(wanted.at) if wanted.at.isdecimal() else None
    positions = [end.position for end in glance.ends]
    for place in _around(positions, current):
        end = glance.ends[place]
        at = None if end.position == newest else str(end.position)
        title = f"Load {end}, position {end.position:,}, recorded {end.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        yield Stop(
            str(end), title, addresses.at(at, wanted.by, "known" if wanted.by else None), end.position == current
        )


def _months(glance: Glance, wanted: Wanted, addresses: _Addresses) -> Iterator[Stop]:
    chosen = _day(wanted.by)
    for place in _around([*glance.months, date.max], chosen or date.max)[: _SHOWN - 1]:
        if place < len(glance.months):
            day = glance.months[place]
            title = f"What had happened by the end of {day}"
            yield Stop(f"{day:%b %Y}", title, addresses.at(wanted.at, day.isoformat()), day == chosen)
    yield Stop("All", "Whatever has happened", addresses.at(wanted.at, None, _HAPPENED), wanted.by is None)


def _around(moments: Sequence[int] | Sequence[date], current: int | date | None) -> range:
    """The places of those that the rail shows: the newest, or some around the one that is looked at."""
    last = len(moments)
    if current in moments:
        last = min(last, list(moments).index(current) + _SHOWN // 2)
    last = max(last, min(_SHOWN, len(moments)))
    return range(max(0, last - _SHOWN), last)


def _day(by: str | None) -> date | None:
    try:
        return None if by is None else date.fromisoformat(by)
    except ValueError:
        return None


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
