"""Spans of requests, where a trace is on: FastAPI makes them, below the span that whoever asks may name."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from fastapi.telemetry import TelemetryConfig

from replayhouse.infra.telemetry import trace_context
from replayhouse.infra.telemetry.metrics_process import METHODS

_UNTOLD = ("/healthz", "/readyz", "/metrics")
_FILES = "/static/"


def spans_of_requests() -> TelemetryConfig:
    """What FastAPI is told of telemetry: spans where a trace is on, and no signal of its own besides."""
    provider = None if trace_context.spans is None else trace_context.spans.provider
    return {
        "tracer_provider": provider,
        "tracing": provider is not None,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "operation_spans": False,
        "exclude": is_untold,
    }


def is_untold(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request is of those that machines make all the time, or for a file that never changes."""
    path = scope.get("path", "")
    return path in _UNTOLD or path.startswith(_FILES)


@contextmanager
def each_by_itself() -> Iterator[None]:
    """Requests that are answered in the block have traces of their own: that of the command has no end meanwhile."""
    if trace_context.spans is None:
        yield
        return
    from opentelemetry.context import Context, attach, detach

    token = attach(Context())
    try:
        yield
    finally:
        detach(token)


def method_of(scope: MutableMapping[str, Any]) -> str:
    """The method of a request, if it is one that there is: a request may have any word in its place."""
    method = str(scope.get("method", ""))
    return method if method in METHODS else "other"


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Which view a request has come to, with names in the place of what stands in its path."""
    return str(getattr(scope.get("route"), "path", "none"))
