"""A collector of OpenLineage on this machine, and the specification's schemas against which its events are held."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SCHEMAS = Path(__file__).parents[1] / "openlineage"
FACETS = ("facets", "inputFacets", "outputFacets")


class Collector:
    """What came in, in order, and where to send it; it answers with `status`."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.events: list[Any] = []
        self.url = ""

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Job and type of each event."""
        return [(event["job"]["name"], event["eventType"]) for event in self.events]

    def ended(self, job: str) -> Any:
        """The one event with which a run of a job has ended."""
        [event] = [one for one in self.events if one["job"]["name"] == job and one["eventType"] != "START"]
        return event


@contextmanager
def collecting(status: int = 201) -> Iterator[Collector]:
    """A collector that listens for the time of the block."""
    collector = Collector(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.events.append(json.loads(body))
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


@cache
def _registry() -> Registry[Any]:
    schemas = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(SCHEMAS.glob("*.json"))]
    return Registry().with_resources((one["$id"], DRAFT202012.create_resource(one)) for one in schemas)


def _validate(value: Any, url: str) -> None:
    schema = {"$ref": url}
    Draft202012Validator(schema, registry=_registry(), format_checker=FormatChecker()).validate(value)


def validate(event: Any) -> None:
    """Raises ValidationError where an event, or a facet of it, is not as the specification has it."""
    _validate(event, event["schemaURL"])
    for facet in facets_of(event):
        _validate(facet, facet["_schemaURL"])


def facets_of(part: Any) -> Iterator[Any]:
    """All facets in an event."""
    if isinstance(part, list):
        for one in part:
            yield from facets_of(one)
    elif isinstance(part, dict):
        for name, one in part.items():
            if name in FACETS:
                yield from one.values()
            else:
                yield from facets_of(one)
