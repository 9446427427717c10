"""Spans: pieces of work that take a while, as a trace shows them, and the happening that the end of one may be.

Where no trace is on, a span is two looks at a clock. What a process of a pool does are spans of the same trace:
`traced` goes with the work, `brought` takes them out of what comes back, and no such process needs an exporter.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, NamedTuple, Self, TypeVar, Unpack

from replayhouse.infra.runtime import column_folds
from replayhouse.infra.telemetry import log_lines, trace_context
from replayhouse.infra.telemetry.happenings import Facts, Happening, happened, is_anybody_listening, plain
from replayhouse.infra.telemetry.trace_context import Attributes, Ended, Parent, SpansToFetch

if TYPE_CHECKING:
    from replayhouse.infra.runtime.crews import Worker

Task = TypeVar("Task")
Found = TypeVar("Found")

PREFIX = "replayhouse."
"""Before what is said of a span, so that it is told apart from OpenTelemetry's own."""


class Work(StrEnum):
    """What is a span, by its name; `meaning` says what it takes in."""

    meaning: str

    def __new__(cls, name: str, meaning: str = "") -> Self:
        """Makes a member."""
        work = str.__new__(cls, name)
        work._value_ = name
        work.meaning = meaning
        return work

    COMMAND = "command", "A command, from its first moment to its exit code."
    LOAD_STAGING = "load.staging", "The files of an extract are read, held against the log and judged."
    LOAD_PLANNING = "load.planning", "What is new is cut into units."
    LOAD_APPENDING = "load.appending", "All units are decided on and appended."
    LOAD_UNIT = "load.unit", "One unit of them, perhaps in a process of its own."
    LOAD_CHUNK = "load.chunk", "One transaction of it."
    CATCH_UP = "read_model.catch_up", "The read models follow the log to its head."
    CATCH_UP_CONTEXT = "read_model.catch_up_context", "One context of them, window by window."
    MARTS = "marts.make", "The marts are made anew."
    RETRACTION = "retraction", "A load is taken back."
    REBUILD = "rebuild", "Read models are folded again beside the live ones, and swapped in."
    REBUILD_FILLING = "rebuild.filling", "All streams are folded, range by range."
    REBUILD_RANGE = "rebuild.range", "One range of them, perhaps in a process of its own."
    REBUILD_SWAP = "rebuild.swap", "What was folded last, and the exchange of tables."
    VERIFICATION = "verification", "The hash chain of a log is recomputed."
    PUBLISHING = "publish.window", "A relay publishes a window of events."
    EXPORT = "export", "The star schema is written into a folder."
    REPLAY = "replay", "A sealed log is folded into files."
    REPLAY_PART = "replay.part", "One part of it, perhaps in a process of its own."


class Done:
    """What is said of a span, which may be added to until it ends."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def tell(self, **facts: Unpack[Facts]) -> None:
        """Says more of it."""
        self.facts.update(facts)


@contextmanager
def span(work: Work, ends: Happening | None = None, **facts: Unpack[Facts]) -> Iterator[Done]:
    """The block is a span; once it is done without an error, `ends` has happened, with its seconds."""
    done, spans = Done(facts), trace_context.spans
    if spans is None and not is_anybody_listening():
        yield done
        return
    attributes: Attributes = {}
    begun = time.perf_counter()
    with nullcontext() if spans is None else spans.span(work.value, attributes):
        try:
            yield done
            if ends is not None:
                said: Facts = {**done.facts, "seconds": time.perf_counter() - begun}
                happened(ends, **said)
        finally:
            attributes.update((PREFIX + key, plain(value)) for key, value in done.facts.items())


@dataclass(frozen=True)
class Handed:
    """What a process of a pool is told by its parent: below which span it works, and whether it writes log lines."""

    parent: Parent | None
    writes: bool

    def __call__(self) -> None:
        """In the process: from now on it is so."""
        if self.parent is None:
            trace_context.spans = None
        else:
            trace_context.spans = SpansToFetch(self.parent)
            trace_context.leave_spans()
        if self.writes:
            log_lines.write_to_the_end()


def handed() -> Handed:
    """What is so at this moment."""
    return Handed(trace_context.parent(), is_anybody_listening())


class Brought(NamedTuple, Generic[Found]):
    """What a process of a pool found, the spans that ended meanwhile, and what was noted of columns."""

    found: Found
    spans: list[Ended]
    on_columns: Mapping[str, column_folds.Counts]


def bring(found: Found) -> Brought[Found]:
    """What was found, wherever that was, with the spans and the notes that only this process knows of."""
    spans = trace_context.spans
    return Brought(found, spans.fetch() if isinstance(spans, SpansToFetch) else [], column_folds.taken())


def fetched(brought: Brought[Found]) -> Found:
    """What was found; the spans are told of, and what was noted is noted here."""
    for what, counts in brought.on_columns.items():
        column_folds.note(what, counts)
    if trace_context.spans is not None:
        for ended in brought.spans:
            trace_context.spans.tell(ended)
    return brought.found


@dataclass(frozen=True)
class traced(Generic[Task, Found]):  # noqa: N801 - reads as the function that it is, and can be sent to a process
    """What makes the workers of a crew whose results are to be `brought`."""

    make: "Callable[[], Worker[Task, Found]]"

    def __call__(self) -> "Worker[Task, Brought[Found]]":
        """Makes one."""
        return _Traced(self.make())


class _Traced(Generic[Task, Found]):
    def __init__(self, worker: "Worker[Task, Found]") -> None:
        self._worker = worker
        self.close = worker.close

    def do(self, task: Task) -> Brought[Found]:
        return bring(self._worker.do(task))


def brought(results: Iterable[tuple[Task, Brought[Found]]]) -> Iterator[tuple[Task, Found]]:
    """The results of a crew of `traced` workers, each as `fetched`."""
    for task, result in results:
        yield task, fetched(result)
