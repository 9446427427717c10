"""The trace that is on in this process, if one is, and the span that the work of this moment belongs to.

By the API of OpenTelemetry, without its SDK, and nothing of it is imported where no trace is on. A process of a pool
makes its spans itself, and keeps them until they are fetched: its parent, which has the exporter, tells of them.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, TracerProvider

Value = str | int | float | bool
Attributes = dict[str, Value]

_SPAN_BITS = 64


class Ended(NamedTuple):
    """A span that ended: its ids, its name, its times in nanoseconds of the epoch, `error` the class of one."""

    span: int
    parent: int
    name: str
    begun: int
    ended: int
    attributes: Attributes
    error: str | None


class Parent(NamedTuple):
    """A span as another process knows it."""

    trace: int
    span: int
    flags: int


class Spans(Protocol):
    """What makes the spans of this process; `provider` is whose tracers others may use, who make spans too."""

    provider: "TracerProvider | None"

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[None]:
        """One, for the time of a block. What stands in `attributes` when that ends is told with it."""
        ...

    def tell(self, ended: Ended) -> None:
        """Tells of a span of another process, of the trace of this moment."""
        ...


spans: Spans | None = None
"""None where no trace is on."""


def ids() -> Mapping[str, str]:
    """The trace and the span of this moment, as they stand in log lines; nothing where there are none."""
    found = _now()
    if found is None:
        return {}
    return {"trace": f"{found.trace_id:032x}", "span": f"{found.span_id:016x}"}


def parent() -> Parent | None:
    """The span of this moment for another process; None where none is on, or nobody wants to know of it."""
    found = _now()
    if found is None or not found.trace_flags.sampled:
        return None
    return Parent(found.trace_id, found.span_id, int(found.trace_flags))


def leave_spans() -> None:
    """From now on no span is on: a fork has that of the moment when it was made, which may be another one by now."""
    from opentelemetry.context import Context, attach

    attach(Context())


def _now() -> "SpanContext | None":
    if spans is None:
        return None
    from opentelemetry.trace import get_current_span

    found = get_current_span().get_span_context()
    return found if found.is_valid else None


class SpansToFetch:
    """The spans of a process of a pool, below one of its parent."""

    provider: "TracerProvider | None" = None

    def __init__(self, below: Parent) -> None:
        self._below = below
        self._ended: list[Ended] = []

    def fetch(self) -> list[Ended]:
        """Those that have ended since the last time."""
        fetched, self._ended = self._ended, []
        return fetched

    @contextmanager
    def span(self, name: str, attributes: Attributes) -> Iterator[None]:
        """One, for the time of the block."""
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

        above, begun, error = _now(), time.time_ns(), None
        own = random.getrandbits(_SPAN_BITS) or 1
        context = SpanContext(self._below.trace, own, is_remote=False, trace_flags=TraceFlags(self._below.flags))
        try:
            with use_span(NonRecordingSpan(context), record_exception=False, set_status_on_exception=False):
                yield
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            below = self._below.span if above is None else above.span_id
            self._ended.append(Ended(own, below, name, begun, time.time_ns(), attributes, error))

    def tell(self, ended: Ended) -> None:
        """It has no processes of its own."""
        raise NotImplementedError  # nobody brings it spans
