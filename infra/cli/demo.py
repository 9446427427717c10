"""`demo`: the whole road on an extract made up on the spot, from nine files to answers, in a warehouse of its own."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, progress, warn
from replayhouse.infra.runtime.errors import Conflicting, UsageError

if TYPE_CHECKING:
    from replayhouse.infra.cli.demo_report import DemoReport
    from replayhouse.infra.runtime.settings import Settings
    from replayhouse.infra.runtime.telling import Tell

MARK = "made-by-replayhouse-demo"
"""A file of this name says that a folder is the demo's, to be made anew by the next one."""

Orders = Annotated[int, typer.Option("--orders", metavar="N", min=1, help="How many orders to make up.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="The same seed makes up the same orders.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=example("replayhouse demo", "replayhouse demo --orders 5000 --seed 3"))(demo)


def demo(orders: Orders = 2_000, seed: Seed = 1, json: Json = False) -> None:
    """See it all at work on an extract made up on the spot.

    The extract is loaded, the star schema folded from its events, and asked three questions. The demo has a
    warehouse of its own, in the folder demo of REPLAYHOUSE_HOME, made anew each time; it touches no other. What it
    prints at the end says how to look around in it.
    """
    from replayhouse.infra.cli.demo_report import document_of, show
    from replayhouse.infra.runtime.settings import load_settings

    given = load_settings()
    home = given.home if (given.home / MARK).exists() else given.home / "demo"
    settings = given.model_copy(update={"home": home, "database_url": None})
    with _alone(home), progress() as tell:
        report = _run(settings, orders, seed, tell)
    if json:
        print_json(document_of(report))
    else:
        show(report, hides_own_database=given.database_url is not None)


def _run(settings: "Settings", orders: int, seed: int, tell: "Tell") -> "DemoReport":
    from replayhouse.infra.application.api.warehouse import Warehouse
    from replayhouse.infra.cli.demo_report import report_on
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.postgres.connection import make_database
    from replayhouse.ingest.synthetic import generate

    tell(f"making {orders:,} orders up and starting a database", 0, 0)
    _make_room(settings.home)
    extract = settings.home / "extract"
    with ThreadPoolExecutor(1) as pool:  # the server needs a second to be made, and no processor of ours
        started = pool.submit(make_database, settings)
        generate(extract, orders, seed, workers=settings.workers)
        started.result()
    with open_warehouse(settings) as warehouse:
        loaded = Warehouse(settings, tell=tell, warn=warn).ingest(extract, "demo")
        tell("asking questions", 0, 0)
        with warehouse.database.connect("replayhouse demo") as connection:
            return report_on(connection, settings.home, loaded)


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
    from replayhouse.infra.postgres.embedded import EmbeddedServer

    if home.exists():
        if not (home / MARK).exists() and any(home.iterdir()):
            raise UsageError(f"The folder {home} holds something that no demo has made: move it away, or remove it.")
        EmbeddedServer(home).stop()
        shutil.rmtree(home)
    home.mkdir(parents=True, mode=0o700)
    (home / MARK).touch()
