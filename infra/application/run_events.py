"""What a use case did, told to whoever collects events of OpenLineage, once it is done.

It is told from what `--json` prints of it (`runs_told`). Whatever becomes of the telling, the use case is what it was.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from inspect import getdoc, signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from replayhouse.infra.application.runs_told import JOBS, Done
from replayhouse.infra.application.site import Site
from replayhouse.infra.openlineage import datasets
from replayhouse.infra.openlineage.runs import Outcome, Run, events_of, namespace_of
from replayhouse.infra.openlineage.sending import send
from replayhouse.infra.runtime.errors import ReplayhouseError

P = ParamSpec("P")
R = TypeVar("R")


def run_and_tell(site: Site, use_case: Callable[Concatenate[Site, P], R], *args: P.args, **given: P.kwargs) -> R:
    """Runs a use case, and tells of it where it is one of those that are told of."""
    job = JOBS.get(use_case.__name__)
    if job is None:
        return use_case(site, *args, **given)
    begun = datetime.now(UTC)
    try:
        result = use_case(site, *args, **given)
    except BaseException as error:
        outcome, why = _ended_by(error)
        _tell(site, lambda: [Run(job.name, job.does, begun, datetime.now(UTC), outcome, error=why)])
        raise
    ended = datetime.now(UTC)

    def runs() -> Sequence[Run]:
        bound = signature(use_case).bind(site, *args, **given)
        bound.apply_defaults()
        report: Any = result
        store = datasets.store_of(site.settings.database_url, namespace_of())
        return job.runs(Done(site, store, Run(job.name, job.does, begun, ended), bound.arguments, report.document()))

    _tell(site, runs)
    return result


def _tell(site: Site, runs: Callable[[], Sequence[Run]]) -> None:
    """Sends what there is to tell; what goes wrong is said in a sentence, and that is all."""
    try:
        events = [event for run in runs() for event in events_of(run)]
        why = send(events) if events else None
    except KeyboardInterrupt:  # the work is done, and whoever presses Ctrl-C now waits for nothing but this
        return
    except Exception as error:
        why = f"OpenLineage was not told of this ({type(error).__name__}). The command itself has ended as it says."
    if why is not None:
        site.warn(why)


def _ended_by(error: BaseException) -> tuple[Outcome, str]:
    """How a run ended. What is said of an error is said of its kind: its own text may quote a cell, or a path."""
    if isinstance(error, KeyboardInterrupt):
        return "ABORT", "It was interrupted."
    if isinstance(error, ReplayhouseError):
        return "FAIL", f"{(getdoc(type(error)) or '').partition(chr(10))[0]} ({type(error).__name__})"
    return "FAIL", f"The program failed, by a fault of its own. ({type(error).__name__})"
