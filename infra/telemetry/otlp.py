"""Spans to a collector, by OTLP over HTTP, where OpenTelemetry's own variables name one.

This needs the extra `telemetry`; nothing of it is imported where no collector is named. Whatever becomes of the
collector, the work goes on: spans are sent by a thread, of a queue that has an end, and a command does not wait longer
for them than FAREWELL_SECONDS. No span has anything that is not in the lists of this room, whoever made it.
"""

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import version

from opentelemetry import context as contexts
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import TracerProvider as ApiProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from replayhouse.infra.telemetry import trace_context
from replayhouse.infra.telemetry.spans import PREFIX
from replayhouse.infra.telemetry.trace_context import Attributes, Ended

FAREWELL_SECONDS = 2.0
"""So long the end of a command waits for spans that are on their way."""

ERROR = PREFIX + "error"
KEPT = frozenset(
    {
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
)
"""What may be said of a span beside what is ours; addresses and queries of requests are not among it."""

_OF_THE_SERVICE = ("service.", "telemetry.sdk.")

_given_id: ContextVar[int | None] = ContextVar("given_id", default=None)


class Sent:
    """How many spans have ended, and how many of them the collector has taken."""

    def __init__(self) -> None:
        self.ended = 0
        self.taken = 0

    @property
    def lost(self) -> int:
        """How many it has not."""
        return self.ended - self.taken


@contextmanager
def sent_to_the_collector() -> Iterator[Sent]:
    """While the block runs, spans go where the environment says. At its end, what is still on its way is waited for.

    Raises ValueError, or what the exporter raises, for settings that make no sense.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    sent = Sent()
    silence = logging.getLogger("opentelemetry")
    silence.addHandler(logging.NullHandler())  # what becomes of the spans is told at the end, once
    silence.propagate = False
    logging.getLogger("urllib3").addHandler(logging.NullHandler())
    batches = _Batches(_Known(OTLPSpanExporter(), sent), sent)
    with spans_to(batches):
        try:
            yield sent
        finally:
            last = threading.Thread(target=batches.shutdown, daemon=True)
            last.start()
            last.join(FAREWELL_SECONDS)


@contextmanager
def spans_to(processor: SpanProcessor) -> Iterator[None]:
    """While the block runs, the spans of this process go to a processor, below the span that TRACEPARENT names."""
    provider = TracerProvider(resource=_resource(), id_generator=_Ids(), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    given = {"traceparent": os.environ.get("TRACEPARENT", ""), "tracestate": os.environ.get("TRACESTATE", "")}
    with ExitStack() as stack:
        before = trace_context.spans
        trace_context.spans = OwnSpans(provider)
        stack.callback(setattr, trace_context, "spans", before)
        stack.callback(contexts.detach, contexts.attach(TraceContextTextMapPropagator().extract(given)))
        yield


class OwnSpans:
    """Makes the spans of a process that has an exporter."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider: ApiProvider | None = provider
        self._tracer = provider.get_tracer("replayhouse", version("replayhouse"))

    @contextmanager
    def span(self, name: str, attributes: Attributes) -> Iterator[None]:
        """One, for the time of the block."""
        made = self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)
        with made as at:
            error = None
            try:
                yield
            except BaseException as raised:
                error = type(raised).__name__
                raise
            finally:
                _say(at, attributes, error)

    def tell(self, ended: Ended) -> None:
        """Tells of a span of another process, with the ids that it has there."""
        now = get_current_span().get_span_context()
        above = SpanContext(now.trace_id, ended.parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        token = _given_id.set(ended.span)
        try:
            at = self._tracer.start_span(
                ended.name, set_span_in_context(NonRecordingSpan(above)), start_time=ended.begun, record_exception=False
            )
        finally:
            _given_id.reset(token)
        _say(at, ended.attributes, ended.error)
        at.end(ended.ended)


def _say(at: Span, attributes: Attributes, error: str | None) -> None:
    at.set_attributes(attributes)
    error = error or (str(attributes[ERROR]) if ERROR in attributes else None)
    if error is not None:
        at.set_attribute("error.type", error)
        at.set_status(StatusCode.ERROR)


class _Ids(RandomIdGenerator):
    """Gives a span the id that it has in another process, where it is told of here."""

    def generate_span_id(self) -> int:
        return _given_id.get() or super().generate_span_id()


class _Batches(SpanProcessor):
    """Sends in batches, from the first span that ends on: a process with a thread could no longer be forked."""

    def __init__(self, exporter: SpanExporter, sent: Sent) -> None:
        self._exporter = exporter
        self._sent = sent
        self._lock = threading.Lock()
        self._batches: BatchSpanProcessor | None = None

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        with self._lock, suppress(ValueError):  # of variables that make no sense: no span is taken, which is told
            self._sent.ended += 1
            self._batches = self._batches or BatchSpanProcessor(self._exporter)
            self._batches.on_end(span)

    def shutdown(self) -> None:
        if self._batches is not None:
            self._batches.shutdown()  # type: ignore[no-untyped-call] # the library gives it no types


class _Known(SpanExporter):
    """Exports of each span what is known to be nobody's personal data."""

    def __init__(self, exporter: SpanExporter, sent: Sent) -> None:
        self._exporter = exporter
        self._sent = sent

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export([known_of(span) for span in spans])
        if result is SpanExportResult.SUCCESS:
            self._sent.taken += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def known_of(span: ReadableSpan) -> ReadableSpan:
    """The same span without events, words of its status, and attributes that are not in the lists."""
    attributes = span.attributes or {}
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        {key: value for key, value in attributes.items() if key in KEPT or key.startswith(PREFIX)},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _resource() -> Resource:
    """What the environment says of this service, which is called replayhouse where it says nothing.

    Detectors that it names find paths, the user and the machine: of what they find nothing is said.
    """
    found = Resource.create({"service.version": version("replayhouse")})
    named = OTELResourceDetector().detect().attributes
    found = Resource(
        {key: value for key, value in found.attributes.items() if key in named or key.startswith(_OF_THE_SERVICE)}
    )
    if str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: "replayhouse"}))
    return found
