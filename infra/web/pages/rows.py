"""The rows behind a figure, and that they add up to it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from replayhouse.infra.application.figure_rows import MOST, Brought, FigureRows
from replayhouse.infra.web.api import questions as api
from replayhouse.infra.web.api.documents import NO_STORE
from replayhouse.infra.web.asked import Given, Number
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page, short
from replayhouse.infra.web.wanted import Chosen, Wanted

router = APIRouter()

Pages = Annotated[int, Query(alias="page", ge=1, le=2_000_000)]

_THINGS = {
    "sales.fact_order": "/orders",
    "sales.fact_order_item": "/orders",
    "sales.fact_payment": "/orders",
    "fulfillment.fact_delivery": "/shipments",
    "customer.dim_customer": "/customers",
    "customer.fact_review": "/reviews",
    "marketplace.dim_seller": "/sellers",
    "marketplace.dim_product": "/products",
}
"""Where the page of the thing is that a row tells of: by the first value of its key."""

_FACTS = {
    "sales.fact_order": ("status", "placed_at", "total"),
    "sales.fact_order_item": ("status", "product_id", "price", "freight"),
    "sales.fact_payment": ("method", "installments", "amount"),
    "fulfillment.fact_delivery": ("placed_at", "promised_by", "delivered_at", "days_late"),
    "customer.dim_customer": ("orders", "segment"),
    "customer.fact_review": ("score", "created_at"),
    "marketplace.dim_seller": ("state",),
    "marketplace.dim_product": ("category", "photos"),
}
"""What is shown of a row besides its key, where rows of one table stand behind a figure."""

_SHORT, _ID = 8, 32
_WIDEST = 10
"""Steps of the bars beside parts that are not all the same."""


class Row(NamedTuple):
    """A row of the page."""

    key: str
    address: str | None
    table: str
    facts: Sequence[Any]
    part: int | Decimal
    bar: int
    brought: Brought


@router.get("/questions/{number}/rows.json")
def rows_as_json(
    warehouse: Lent,
    wanted: Chosen,
    number: Number,
    given: Given,
    column: api.Figured,
    key: api.Key,
    limit: api.Limit = 100,
    offset: api.Offset = 0,
) -> Response:
    """The same for programs."""
    return api.rows_behind(warehouse, wanted, number, given, column, key, limit, offset)


@router.get("/questions/{number}/rows")
def rows(
    request: Request,
    warehouse: Lent,
    wanted: Chosen,
    number: Number,
    given: Given,
    column: api.Figured,
    key: api.Key,
    page_number: Pages = 1,
) -> HTMLResponse:
    """The rows behind the figure of a column in the answer's row with a key."""
    found = warehouse.figure_rows(
        number,
        key,
        column,
        given,
        at=wanted.at,
        occurred_before=wanted.by,
        limit=MOST,
        offset=(page_number - 1) * MOST,
        source=wanted.source,
    )
    made = page(
        request,
        warehouse,
        wanted,
        "rows.html",
        title=f"{column} of {' / '.join(found.key)}",
        here="/questions",
        by_source=True,
        question=found.answer.question,
        found=found,
        beyond=found.answer.question.beyond.get(column),
        new=sum(row.is_new for row in found.rows),
        page_number=page_number,
        **_table(found, wanted),
        **_addresses(found, given, wanted, page_number),
    )
    if found.tells_of_people:
        made.headers.update(NO_STORE)
    return made


def _table(found: FigureRows, wanted: Wanted) -> dict[str, object]:
    """The rows as they are shown, what is shown of them, and of which tables they are."""
    tables = {row.behind.table for row in found.rows}
    facts = _FACTS.get(min(tables), ()) if len(tables) == 1 else ()
    longest = _longest([row.behind.part for row in found.rows])
    return {"facts": facts, "tables": tables, "rows": [_row(one, facts, longest, wanted) for one in found.rows]}


def _addresses(found: FigureRows, given: Mapping[str, str], wanted: Wanted, number: int) -> dict[str, object]:
    """Where the page of a number leads to: its neighbours, the parts of the figure, the question, the same as JSON."""
    question = f"/questions/{found.answer.question.number}"
    path, here = f"{question}/rows", {"key": found.key, **given}
    pages = max(-(-found.number // MOST), 1)

    def at_page(one: int) -> str:
        return wanted.link(path, **here, column=found.column, page=None if one == 1 else one)

    return {
        "made_of": {name: wanted.link(path, **here, column=name) for name in found.made_of},
        "back": wanted.link(question, **given),
        "as_json": wanted.link(f"{path}.json", **here, column=found.column),
        "pages": pages,
        "earlier": at_page(number - 1) if number > 1 else None,
        "later": at_page(number + 1) if number < pages else None,
    }


def _row(one: Brought, facts: Sequence[str], longest: int | Decimal, wanted: Wanted) -> Row:
    behind = one.behind
    first, *_ = parts = behind.key.split("/")
    address = wanted.link(f"{_THINGS[behind.table]}/{first}") if behind.table in _THINGS else None
    shown = "/".join(part[:_SHORT] if len(part) == _ID else part for part in parts)
    values = [short(value) if isinstance(value, UUID) else value for value in map(one.row.get, facts)]
    bar = max(round(_WIDEST * behind.part / longest), 1) if longest else 0
    return Row(shown, address, behind.table, values, behind.part, bar, one)


def _longest(parts: Sequence[int | Decimal]) -> int | Decimal:
    """The part whose bar is the longest; 0 where bars would tell nothing: all are the same, or one is below nothing."""
    return max(parts) if len(set(parts)) > 1 and min(parts) >= 0 else 0
