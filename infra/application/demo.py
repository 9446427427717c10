"""The whole road on an extract made up on the spot, from nine files to answers, in a warehouse of its own."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from replayhouse.infra.application.demo_answers import Answers, answers_of, latest_delivery, rows_by_table
from replayhouse.infra.application.ingest import ingest
from replayhouse.infra.application.ingest_report import IngestReport
from replayhouse.infra.application.quality_report import Finding, quality_report
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres.connection import make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.infra.runtime.subprocesses import workers_without_data
from replayhouse.ingest.synthetic import generate

MARK = "made-by-replayhouse-demo"
"""A file of this name says that a folder is the demo's, to be made anew by the next one."""


class DemoReport(NamedTuple):
    """All that the demo tells. `home` is the folder of its warehouse; `tables`: rows by table.

    `latest_order` is the order whose delivery was the latest after its promise: one worth a look.
    """

    home: Path
    loaded: IngestReport
    tables: dict[str, int]
    found: list[Finding]
    answers: Answers
    latest_order: str

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "home": str(self.home),
            "ingest": self.loaded.document(),
            "findings": [{"rule": it.rule, "failed": it.failed, "checked": it.checked} for it in self.found],
            "tables": self.tables,
            "answers": self.answers._asdict(),
        }


def demo(site: Site, orders: int, seed: int) -> DemoReport:
    """Makes an extract up, loads it, and asks three questions, in the folder `demo` of the home, which is made anew.

    Raises UsageError where that folder holds something else, and for no orders; Conflicting where another demo works
    in it.
    """
    if orders < 1:
        raise UsageError(f"An extract needs at least 1 order, not {orders}.")
    given = site.settings.home
    home = given if (given / MARK).exists() else given / "demo"
    settings = site.settings.model_copy(update={"home": home, "database_url": None})
    with _alone(home):
        return _run(Site(settings, site.tell, site.warn), orders, seed)


def _run(site: Site, orders: int, seed: int) -> DemoReport:
    settings, home = site.settings, site.settings.home
    site.tell(f"making {orders:,} orders up and starting a database", 0, 0)
    _make_room(home)
    extract = home / "extract"
    with ThreadPoolExecutor(1) as pool:  # the server needs a second to be made, and no processor of ours
        started = pool.submit(make_database, settings)
        generate(extract, orders, seed, workers=settings.workers, pool=workers_without_data)
        started.result()
    loaded = ingest(site, extract, "demo", dry_run=False, project=True)
    site.tell("asking questions", 0, 0)
    found = quality_report(site, str(loaded.batch_id)).findings
    with site.database.connect("replayhouse demo") as connection:
        answers = answers_of(connection)
        return DemoReport(home, loaded, rows_by_table(connection), found, answers, latest_delivery(connection))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """No other demo works in that folder while the block runs. Raises Conflicting where one does."""
    home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(home.with_name(f"{home.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Conflicting(
            f"Another replayhouse demo is at work in {home}: wait until it has ended, or set REPLAYHOUSE_HOME to "
            "another folder."
        ) from error
    finally:
        os.close(handle)


def _make_room(home: Path) -> None:
    """An empty folder for the demo, where the one before may still be running."""
    if home.exists():
        if not (home / MARK).exists() and any(home.iterdir()):
            raise UsageError(f"The folder {home} holds something that no demo has made: move it away, or remove it.")
        EmbeddedServer(home).stop()
        shutil.rmtree(home)
    home.mkdir(parents=True, mode=0o700)
    (home / MARK).touch()
