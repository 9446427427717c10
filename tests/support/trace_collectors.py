"""A collector on loopback: takes spans by OTLP over HTTP, as the installed program sends them; or fails to, as told."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Taken(NamedTuple):
    """A span as the collector has it; ids in hexadecimal, times in nanoseconds."""

    name: str
    trace: str
    span: str
    parent: str
    begun: int
    ended: int
    attributes: dict[str, Any]
    is_error: bool
    events: int


class Collector:
    """What a collector has taken so far. `answer` is the status with which it answers; None: it never does."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        self.spans: list[Taken] = []
        self.services: set[str] = set()
        self.texts: list[bytes] = []
        self.over = threading.Event()
        self.endpoint = ""

    def take(self, body: bytes) -> None:
        """Takes what a request brings."""
        self.texts.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            said = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(said["service.name"])
            for scope in resource.scope_spans:
                self.spans += [_taken(span) for span in scope.spans]

    def named(self, name: str) -> list[Taken]:
        """The spans of a name, in the order of their beginnings."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.begun)


def _taken(span: Any) -> Taken:
    attributes = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
    return Taken(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        attributes,
        span.status.code == span.status.STATUS_CODE_ERROR,
        len(span.events),
    )


@contextmanager
def collecting(answer: int | None = 200) -> Iterator[Collector]:
    """A collector for the time of the block, at its `endpoint`."""
    collector = Collector(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.answer is None:
                collector.over.wait()
                return
            if collector.answer == 200:
                collector.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(collector.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield collector
        finally:
            collector.over.set()
            server.shutdown()
            serving.join()
