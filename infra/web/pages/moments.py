"""Moments: those that stand, making another one, and whether there is news."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from replayhouse.infra.application.list_moments import by_of
from replayhouse.infra.application.moments import NotMade
from replayhouse.infra.read_models.prefixes import Prefix
from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError
from replayhouse.infra.web.auth.permissions import area_of
from replayhouse.infra.web.closed_links import leads
from replayhouse.infra.web.forms import Fields, place_on_this_site
from replayhouse.infra.web.jobs import Job, State, TheJobs
from replayhouse.infra.web.lending import Lent, asked_in
from replayhouse.infra.web.pages.layout import fault_page, page, part
from replayhouse.infra.web.wanted import Chosen, Wanted, read_chosen

router = APIRouter()

_SEE_OTHER = 303

Seen = Annotated[str, Query(max_length=60)]


@router.get("/moments")
def moments(request: Request, warehouse: Lent, wanted: Chosen, jobs: TheJobs) -> HTMLResponse:
    """The moments that can be asked as of, and a form to make another one."""
    newest, found = jobs.newest(), warehouse.moments()
    beside = [*((str(one.position), one) for one in found.made), *((one.prefix, one) for one in found.prefixes)]
    return page(
        request,
        warehouse,
        wanted,
        "moments.html",
        title="Moments",
        moments=found,
        beside=beside,
        address=_address_of,
        may_make=_may_make(request),
        job=newest if newest is not None and newest.is_running else None,
    )


@router.post("/moments")
def make(warehouse: Lent, jobs: TheJobs, fields: Fields) -> RedirectResponse:
    """Makes a moment as a job, and goes to see how far it is; where the moment stands, to the page itself."""
    at, by = fields.get("at", "").strip() or None, fields.get("by", "").strip() or None
    source = fields.get("source", "").strip() or None
    if at is None and by is None and source is None:
        raise UsageError("Name a moment: a position of the log or a recorded time, a business day, or both.")
    to = place_on_this_site(fields.get("to", ""), Wanted(at, by, source).link("/"))
    if warehouse.look_up_moment(at, occurred_before=by, source=source).is_made:
        return RedirectResponse(to, _SEE_OTHER)
    return RedirectResponse(_address(jobs.start(at, by, to, source)), _SEE_OTHER)


@router.get("/moments/jobs/{number}", response_model=None)
def job(request: Request, warehouse: Lent, jobs: TheJobs, number: str) -> Response:
    """How far a job is; once it is done, the page for which the moment was made."""
    found = jobs.job(number)
    if found.state is State.DONE:
        return RedirectResponse(_goes_on_to(request, found), _SEE_OTHER)
    return page(
        request,
        warehouse,
        Wanted(),
        "job.html",
        title="Making a moment",
        job=found,
        to=found.to,
        may_make=_may_make(request),
    )


@router.get("/moments/jobs/{number}/state")
def state(request: Request, jobs: TheJobs, number: str) -> HTMLResponse:
    """The same as a part of that page, which asks for it again and again."""
    found = jobs.job(number)
    to = _goes_on_to(request, found)
    headers = {} if found.is_running else {"x-go-on": to} if found.state is State.DONE else {"x-last": "yes"}
    told = part("job_state.html", job=found, to=to, may_make=_may_make(request))
    return HTMLResponse(told, headers=headers)


@router.post("/moments/jobs/{number}/cancel")
def cancel(jobs: TheJobs, number: str) -> RedirectResponse:
    """Cancels a job."""
    return RedirectResponse(_address(jobs.cancel(number)), _SEE_OTHER)


@router.get("/news")
def news(warehouse: Lent, seen: Seen = "") -> HTMLResponse:
    """A note, where the live read models show something else than the page that asks; else nothing."""
    found = warehouse.news(seen)
    if found is None or not seen:
        return HTMLResponse(status_code=204)
    return HTMLResponse(part("news.html", before=seen.partition(".")[0], now=found.position))


def _may_make(request: Request) -> bool:
    """Whether who asks may make a moment."""
    area = area_of("/moments", "POST")
    return area is not None and request.state.identity.role in area.roles


def _goes_on_to(request: Request, job: Job) -> str:
    """Where a job leads that is done: to the page that it was begun for, or to the first for who may not open that."""
    may_open = leads(request.state.identity.role, job.to.partition("?")[0])
    return job.to if may_open else Wanted(job.at, job.by, job.source).link("/")


def _address_of(at: str, one: Prefix) -> str:
    """The overview as of what stands: what people have made by business time says so itself."""
    if not at.isdecimal():
        return Wanted(at).link("/")
    return Wanted(at, by_of(one.occurred_before), one.source).link("/")


def _address(job: Job) -> str:
    return f"/moments/jobs/{job.id}"


def not_made_page(request: Request, error: NotMade) -> Response:
    """Offers to make the moment that a page was to show."""
    query = request.query_params
    try:
        wanted = read_chosen(query.get("at", ""), query.get("by", ""), query.get("source", ""))
        with request.app.state.warehouses.lend(asked_in(request)) as warehouse:
            made = page(
                request,
                warehouse,
                wanted,
                "not_made.html",
                title="This moment is not made yet",
                by_source=True,
                text=str(error),
                may_make=_may_make(request),
                to=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            )
    except ReplayhouseError:  # the database has gone meanwhile; what was asked for is answered all the same
        return fault_page(request, 409, str(error))
    made.status_code = 409
    return made
