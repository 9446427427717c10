"""Telling Prometheus of a process that stays, and of commands that end, by files that node_exporter reads."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from replayhouse.infra.application.measuring import measuring
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.files import writing
from replayhouse.infra.telemetry import metrics, metrics_process
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.metrics import Reading
from replayhouse.infra.telemetry.metrics_server import answering
from replayhouse.infra.telemetry.metrics_text import CONTENT_TYPE, of_the_build, text_of, text_of_process

_READ_BY_ALL = 0o644
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.02


@contextmanager
def metrics_told(site: Site, port: int) -> Iterator[str]:
    """While the block runs, `/metrics` is answered at that port of loopback (0: any that is free); gives the address.

    Raises UsageError where the port is not to be had.
    """
    metrics_process.count_from_here()
    measured = measuring(site)
    with answering(port, lambda: text_of_process(measured.now().readings), CONTENT_TYPE, site.warn) as address:
        happened(Happening.SERVER_LISTENING, address=address)
        yield address


def write_metrics(site: Site, folder: Path) -> None:
    """Writes how the warehouse is into `replayhouse_warehouse.prom`, where there is a warehouse.

    Raises UsageError where the file cannot be written.
    """
    if site.settings.database_url is None and not EmbeddedServer(site.settings.home).is_made():
        return
    readings = measuring(site).now().readings
    _write(folder / "replayhouse_warehouse.prom", text_of([of_the_build(), *readings]))


def write_last_run(folder: Path, command: str, exit_code: int, seconds: float) -> None:
    """Writes how a command ended into a file of its own; it is named by its words, such as `audit verify`.

    Raises UsageError where the file cannot be written.
    """
    said: Sequence[tuple[metrics.Metric, float]] = (
        (metrics.COMMAND_END, time.time()),
        (metrics.COMMAND_EXIT_CODE, exit_code),
        (metrics.COMMAND_SECONDS, seconds),
    )
    text = text_of(Reading(metric, (command,), value) for metric, value in said)
    _write(folder / f"replayhouse_command_{command.replace(' ', '_').replace('-', '_')}.prom", text)


def _write(path: Path, text: bytes) -> None:
    """In the place of what is there; who else is writing it is waited for."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with writing(path, replaces=True) as file:
                os.fchmod(file.fileno(), _READ_BY_ALL)
                file.write(text)
        except Conflicting:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
