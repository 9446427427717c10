"""What a use case did, told to whoever collects events of OpenLineage, once it is done.

It is told from what `--json` prints of it. Whatever becomes of the telling, the use case is what it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from inspect import getdoc, signature
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar
from uuid import UUID

from replayhouse.domain.quality.rules import TARGETS, Dimension, Severity
from replayhouse.infra.application.quality_report import quality_report
from replayhouse.infra.application.site import Site
from replayhouse.infra.openlineage import datasets, facets
from replayhouse.infra.openlineage.datasets import Store
from replayhouse.infra.openlineage.facets import Document
from replayhouse.infra.openlineage.runs import Outcome, Run, events_of, namespace_of
from replayhouse.infra.openlineage.sending import send
from replayhouse.infra.read_models.status import status
from replayhouse.infra.runtime.errors import ReplayhouseError

P = ParamSpec("P")
R = TypeVar("R")

_REJECTED = "The load was rejected: it is not believable as a whole. replayhouse quality report says why."


class _Report(Protocol):
    def document(self) -> Mapping[str, Any]: ...


class _Done(NamedTuple):
    """A use case that has come to its end: where it worked, with what, when, and what it answers."""

    site: Site
    store: Store
    run: Run
    given: Mapping[str, Any]
    told: Mapping[str, Any]

    def renamed(self, **told: Any) -> Run:
        """The run, with what is known of it."""
        return replace(self.run, **told)


def run_and_tell(site: Site, use_case: Callable[Concatenate[Site, P], R], *args: P.args, **given: P.kwargs) -> R:
    """Runs a use case, and tells of it where it is one of those that are told of."""
    job = _JOBS.get(use_case.__name__)
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
        run = Run(job.name, job.does, begun, ended)
        return job.runs(_Done(site, store, run, bound.arguments, report.document()))

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
        why = f"OpenLineage was not told of this ({type(error).__name__}). The command itself is done."
    if why is not None:
        site.warn(why)


def _ended_by(error: BaseException) -> tuple[Outcome, str]:
    """How a run ended. What is said of an error is said of its kind: its own text may quote a cell, or a path."""
    if isinstance(error, KeyboardInterrupt):
        return "ABORT", "It was interrupted."
    if isinstance(error, ReplayhouseError):
        return "FAIL", f"{(getdoc(type(error)) or '').partition(chr(10))[0]} ({type(error).__name__})"
    return "FAIL", f"The program failed, by a fault of its own. ({type(error).__name__})"


# --- loads ----------------------------------------------------------------------------------------------------------


def _of_ingest(done: _Done) -> list[Run]:
    """The load, and the catching up that belongs to it; nothing of a plan, and of an extract that brings nothing."""
    told, path = done.told, done.given["path"]
    if told["status"] not in ("completed", "rejected"):
        return []
    batch = UUID(str(told["batch"]))
    is_rejected = told["status"] == "rejected"
    load = done.renamed(
        run_id=batch,
        outcome="FAIL" if is_rejected else "COMPLETE",
        error=_REJECTED if is_rejected else None,
        inputs=[
            datasets.read(datasets.extract(path), facets.assertions(_assertions(done.site, batch))),
            *(
                datasets.read(datasets.extract_file(path, file), facets.input_statistics(counted["rows"]))
                for file, counted in told["files"].items()
                if counted["rows"]
            ),
        ],
        outputs=[_log_after(done)],
    )
    moved = [context for context, events in told["events"].items() if events]
    return [load, *(_caught_up(done, moved, load) if done.given["project"] else [])]


def _assertions(site: Site, batch: UUID) -> list[Document]:
    """What the rules of quality found in a load, by rule."""
    return [
        facets.assertion(
            check["rule"],
            check["sentence"] or check["rule"],
            passed=check["passed"],
            blocks=check["severity"] == Severity.CRITICAL,
            percent=str(TARGETS[Dimension(check["dimension"])]),
            checked=check["checked"],
            failed=check["failed"],
        )
        for check in quality_report(site, str(batch)).document()["checks"]
    ]


def _log_after(done: _Done) -> Document:
    """The log as an output: how many events were added to it, and how it is now."""
    added = sum(done.told["events"].values())
    log = datasets.log(done.store, datasets.version_of(done.told))
    return datasets.written(log, facets.output_statistics(added))


# --- read models ----------------------------------------------------------------------------------------------------


def _caught_up(done: _Done, contexts: Sequence[str], part_of: Run | None = None) -> list[Run]:
    """The catching up of contexts in which something moved, as far as they show the log now."""
    positions = {context: told.projected for context, told in status(done.site.database).items() if context in contexts}
    return _projected(done, positions, part_of)


def _projected(done: _Done, positions: Mapping[str, int], part_of: Run | None = None) -> list[Run]:
    if not positions:
        return []
    job = _JOBS["project"]
    outputs = [
        datasets.table(done.store, context, name, facets.dataset_version(str(positions[context])))
        for context, name in datasets.tables_of(positions)
    ]
    run = Run(job.name, job.does, done.run.begun, done.run.ended)
    return [replace(run, inputs=[datasets.log(done.store)], outputs=outputs, part_of=part_of)]


def _of_project(done: _Done) -> list[Run]:
    """Nothing where nothing moved."""
    contexts = done.told["contexts"]
    return _projected(done, {context: told["projected"] for context, told in contexts.items() if told["events"]})


class _Job(NamedTuple):
    """What is told of a use case: the name of its job, what that does, and its runs."""

    name: str
    does: str
    runs: Callable[[_Done], Sequence[Run]]


_JOBS: Mapping[str, _Job] = {
    "ingest": _Job("ingest", "Loads an extract: its records become events of the log.", _of_ingest),
    "project": _Job("project", "Catches the read models up with the log.", _of_project),
}
"""By the name of the use case."""
