"""What log lines and a trace cost: loads and rebuilds with both, and with neither, one after the other.

Processor time of the command and of the processes that it started and waited for counts; the server is not in it, nor
is the collector, a thread of this process that takes what it is sent and forgets it.
"""

import resource
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from bench.timing import NotMeasured
from bench.warehouse import Warehouse

RUNS = 5
"""Pairs of runs, each of them with and without, in turns first."""

_COMMANDS = ("ingest", "rebuild")


@dataclass
class Used:
    """Seconds of processor time of one command: of runs without, and of the run with both beside each."""

    without: list[float] = field(default_factory=list)
    with_both: list[float] = field(default_factory=list)

    @property
    def more(self) -> float:
        """How much more it is with both, as a share: the median of the pairs."""
        return median(told / untold - 1 for told, untold in zip(self.with_both, self.without, strict=True))

    def __str__(self) -> str:
        pairs = sorted(told / untold - 1 for told, untold in zip(self.with_both, self.without, strict=True))
        return (
            f"{median(self.without):.2f} s without and {median(self.with_both):.2f} s with both (medians of "
            f"{len(pairs)}); {self.more:+.1%} by the median of the pairs, which are from {pairs[0]:+.1%} to "
            f"{pairs[-1]:+.1%}"
        )


def measure(warehouse: Warehouse, extract: Path) -> dict[str, Used]:
    """What loading an extract into an empty database takes, and rebuilding it, by command."""
    used = {command: Used() for command in _COMMANDS}
    with _collector() as (endpoint, taken):
        both = {"REPLAYHOUSE_LOG": "json", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        for number in range(RUNS + 1):
            for settings in ({}, both) if number % 2 else (both, {}):
                url = warehouse.fresh_database("telemetry")
                environment = {**warehouse.environment, "REPLAYHOUSE_DATABASE_URL": url, **settings}
                for command, arguments in (("ingest", (str(extract), "--no-project")), ("rebuild", ())):
                    seconds = _processor_seconds(environment, command, *arguments)
                    if number:  # the first pair warms up
                        (used[command].with_both if settings else used[command].without).append(seconds)
    if not taken:
        raise NotMeasured("No span has reached the collector.")
    warehouse.drop_database("telemetry")
    return used


def _processor_seconds(environment: dict[str, str], *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(Warehouse.command(*arguments), env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise NotMeasured(f"replayhouse {' '.join(arguments)} exited with {done.returncode}: {done.stderr[-500:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@contextmanager
def _collector() -> Iterator[tuple[str, list[int]]]:
    """Where it listens, and how many bytes each request has brought."""
    taken: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", taken
        finally:
            server.shutdown()
            serving.join()
