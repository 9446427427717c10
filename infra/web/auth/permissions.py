"""Which role may open what: one table, by the beginning of the path. What stands in no area is opened by nobody.

It goes by paths and not by views, so that a page which somebody adds is closed until it is given a place here.
"""

from typing import NamedTuple

from replayhouse.infra.runtime.identity import Role

_EVERYBODY = frozenset(Role)
_DETAIL = frozenset({Role.OWNER, Role.READER, Role.ANALYST, Role.AUDITOR})
_LOG = frozenset({Role.OWNER, Role.READER, Role.AUDITOR})
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Area(NamedTuple):
    """Paths, between blanks, that the same roles may open: each with all that begins so; `*` is any one part.

    `changes`: only requests that change something; the area without it has the others.
    """

    name: str
    paths: str
    roles: frozenset[Role]
    changes: bool = False


_FIGURES = "/ /questions /terms /moments /find /news /api/questions /api/moments /api/status /api/openapi.json /metrics"
_ROWS = (
    "/questions/*/rows /orders /customers /sellers /products /reviews /shipments /loads /changes "
    "/api/questions/*/rows /api/questions/*/changes /api/things /api/lineage /api/changes"
)
_LOGGED = "/log /api/log /loads/*/mapping /api/loads/*/mapping"
_QUALITY = "/quality /api/quality /api/things/row /api/lineage/quality.quarantine /api/lineage/quarantine"

AREAS = (
    Area("figures: overview, questions, terms, moments, search", _FIGURES, _EVERYBODY),
    Area("rows and things: rows behind a figure, orders, customers and their like, lineage, changes", _ROWS, _DETAIL),
    Area("log and proofs: commits, events, mappings of loads", _LOGGED, _LOG),
    Area("quality and quarantined records", _QUALITY, _DETAIL | {Role.STEWARD}),
    Area("making a moment", "/moments /api/moments", _DETAIL, changes=True),
)
"""What there is to open, and who may."""

_PLACES = [([part for part in one.split("/") if part], area) for area in AREAS for one in area.paths.split()]
"""The areas by the parts of their paths."""

OPEN = ("/healthz", "/readyz", "/static", "/login", "/logout")
"""What is answered to whoever asks: that tells nothing of what the warehouse holds."""


def is_open(path: str) -> bool:
    """Whether nobody is asked who he is."""
    return any(_fits(_parts(one), _parts(path)) for one in OPEN)


def area_of(path: str, method: str = "GET") -> Area | None:
    """Where a path belongs: to the area that says most of it."""
    asked, changes = _parts(path), method in _CHANGING
    places = [(len(pattern), area) for pattern, area in _PLACES if area.changes == changes and _fits(pattern, asked)]
    return max(places, key=lambda place: place[0])[1] if places else None


def may(role: Role, path: str, method: str = "GET") -> bool:
    """Whether a role may open a path."""
    area = area_of(path, method)
    return area is not None and role in area.roles


def matrix() -> list[tuple[str, ...]]:
    """The table as the page on security shows it: an area, and for each role whether it may open it."""
    return [(area.name, *("yes" if role in area.roles else "-" for role in Role)) for area in AREAS]


def _parts(path: str) -> list[str]:
    """As the router reads a path: the `$` that ends its patterns fits before a line feed, too."""
    return [part for part in path.removesuffix("\n").split("/") if part]


def _fits(pattern: list[str], path: list[str]) -> bool:
    """Whether a path begins so; `.json` or `.csv` beside a page is that page. The root begins nothing but itself."""
    if not pattern:
        return not path
    if len(path) < len(pattern):
        return False
    return all(
        wanted in ("*", found, found.removesuffix(".json").removesuffix(".csv"))
        for wanted, found in zip(pattern, path, strict=False)
    )
