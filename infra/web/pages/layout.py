"""How every page is made: the templates, what stands around the content, and the page that tells of an error."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.runtime.identity import Identity
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.web.assets import address
from replayhouse.infra.web.auth.asker import asker_of
from replayhouse.infra.web.auth.permissions import may
from replayhouse.infra.web.closed_links import without_closed
from replayhouse.infra.web.pages.moment_bar import bar_of, seal_of
from replayhouse.infra.web.wanted import Wanted

PARTS = (
    ("/", "Overview"),
    ("/questions", "Questions"),
    ("/changes", "Changes"),
    ("/quality", "Quality"),
    ("/log", "Log"),
)
"""The parts of the site that the head of a page names, to whom they are open."""

NOTHING = "–"
_SHORT_ID = 8


def cell(value: object) -> str:
    """A value as a person reads it: thousands are grouped, minus is a minus, null a dash, times are UTC."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal | float):
        return f"{value:,}".replace("-", "\N{MINUS SIGN}")
    if isinstance(value, datetime):
        at = value if value.tzinfo is None else value.astimezone(UTC)
        return f"{at:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def short(value: object) -> str:
    """The first digits of an id or a hash."""
    return (value.hex if isinstance(value, UUID) else str(value))[:_SHORT_ID]


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(cell=cell, short=short)
    made.globals.update(asset=address, count=count, parts=PARTS)
    return made


_TEMPLATES = _environment()


def page(
    request: Request,
    warehouse: Warehouse,
    wanted: Wanted,
    template: str,
    *,
    title: str,
    here: str = "",
    by_source: bool = False,
    **context: object,
) -> HTMLResponse:
    """A page from its template, with the moment bar over it; `by_source`: it shows what is of the wanted source alone.

    `title` is the window's, `here` the part of the site (see PARTS) that the page belongs to. Templates are given
    `link(path, **values)`, which makes an address at the same moment, and what stands in `context`.
    """
    began = time.perf_counter()
    glance = warehouse.glance()
    bar = bar_of(glance, wanted, request, by_source=by_source)
    around = {"bar": bar, "seal": seal_of(glance), "head": glance.head, "wanted": wanted, "link": wanted.link}
    around["is_shared"] = len(glance.sources) > 1
    text = _text(template, asker_of(request), title=title, here=here, **around, **context)
    spent = (time.perf_counter() - getattr(request.state, "began", began)) * 1_000
    return HTMLResponse(text, headers={"server-timing": f"page;dur={spent:.1f}"})


def part(template: str, **context: object) -> str:
    """A part of a page, for a page that asks for it again."""
    return _TEMPLATES.get_template(template).render(**context)


def _text(template: str, asker: Identity | None, **context: object) -> str:
    """A page as whoever asks is shown it: nothing leads to what they may not open. Of None, nobody was asked."""
    if asker is None:
        return _TEMPLATES.get_template(template).render(asker=None, **context)
    parts = [(href, name) for href, name in PARTS if may(asker.role, href)]
    text = _TEMPLATES.get_template(template).render(asker=asker, parts=parts, **context)
    return without_closed(text, asker.role)


def bare_page(
    template: str,
    status: int,
    *,
    title: str,
    headers: Mapping[str, str] | None = None,
    asker: Identity | None = None,
    **context: object,
) -> HTMLResponse:
    """A page without a moment, which needs no database, and which nobody keeps."""
    around = {"bar": None, "seal": None, "head": None, "wanted": Wanted(), "link": Wanted().link}
    text = _text(template, asker, title=title, here="", status=status, **around, **context)
    return HTMLResponse(text, status, headers={"cache-control": "no-store", **(headers or {})})


def fault_page(request: Request, status: int, text: str) -> HTMLResponse:
    """A page that tells of an error."""
    return bare_page("fault.html", status, title=HTTPStatus(status).phrase, asker=asker_of(request), text=text)
