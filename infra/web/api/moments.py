"""`/api/moments`: the moments that stand, and making another one."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.web.api.documents import FAULTS, Json
from replayhouse.infra.web.jobs import Job, State, TheJobs
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.wanted import Wanted

router = APIRouter(prefix="/api/moments", tags=["moments"], responses=FAULTS)


class LoadMoment(BaseModel):
    """The end of a load, or of its being taken back.

    Where it `is_made`, every question is answered as of it; else those, with their defaults, whose `answers` are kept.
    """

    at: str
    load: str
    source: str
    is_retraction: bool
    recorded_at: datetime
    is_made: bool
    answers: int


class MonthMoment(BaseModel):
    """The end of a month, by business time."""

    by: date
    is_made: bool
    answers: int


class StandingMoment(BaseModel):
    """What stands beside the live read models."""

    at: str
    by: str | None
    source: str | None
    position: int
    made_at: datetime


class Revision(BaseModel):
    """A revision of a context that is live or kept."""

    at: str
    context: str
    position: int | None
    status: str


class Moments(BaseModel):
    """The moments: the head of the log, the position that is shown live, and what can be chosen."""

    position: int
    shown: int | None
    loads: list[LoadMoment]
    months: list[MonthMoment]
    made: list[StandingMoment]
    prefixes: list[StandingMoment]
    revisions: list[Revision]


class WantedMoment(BaseModel):
    """A moment to make: `at` as known on, `by` as happened by, of one `source` alone, or several of these."""

    at: Annotated[str | None, Field(max_length=200)] = None
    by: Annotated[str | None, Field(max_length=40)] = None
    source: Annotated[str | None, Field(max_length=40)] = None


class JobState(BaseModel):
    """A moment in the making: `done` of `of` parts of what it is `doing`; `error` says why it failed."""

    id: str
    at: str | None
    by: str | None
    source: str | None
    state: State
    doing: str
    done: int
    of: int
    error: str | None
    began_at: datetime
    ended_at: datetime | None


@router.get("", response_model=Moments, summary="The moments that can be asked as of")
def moments(warehouse: Lent) -> Json:
    """Ends of loads and of months, what stands beside the live read models, and revisions."""
    return Json(warehouse.moments().document())


@router.post("", status_code=202, summary="Make a moment, as a job")
def make(warehouse: Lent, jobs: TheJobs, wanted: WantedMoment, response: Response) -> JobState:
    """Begins to make a moment; the header Location names the job. One is made at a time."""
    at, by, source = wanted.at or None, wanted.by or None, wanted.source or None
    if at is None and by is None and source is None:
        raise UsageError("Name a moment: at, a position of the log or a recorded time; by, a business day; or both.")
    warehouse.look_up_moment(at, occurred_before=by, source=source)
    job = jobs.start(at, by, Wanted(at, by, source).link("/"), source)
    response.headers["location"] = f"/api/moments/jobs/{job.id}"
    return _state(job)


@router.get("/jobs/{job}", summary="How far a job is")
def job_state(jobs: TheJobs, job: str) -> JobState:
    """How far a job is, or what came of it."""
    return _state(jobs.job(job))


@router.delete("/jobs/{job}", summary="Cancel a job")
def cancel(jobs: TheJobs, job: str) -> JobState:
    """Ends a job that is running, and waits until nothing is left of it; one that is over stays as it is."""
    return _state(jobs.cancel(job))


def _state(job: Job) -> JobState:
    return JobState.model_validate(job, from_attributes=True)
