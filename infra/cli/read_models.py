"""`status`, `project`, `rebuild` and `digest`: the read models, how far they are, and how they are made anew."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.options import CONTEXTS, Contexts, Json, chosen, example
from infra.cli.output import count, print_json, progress, say, seconds_so_far, table

if TYPE_CHECKING:
    from infra.cli.warehouse import Warehouse

RetryParked = Annotated[
    bool, typer.Option("--retry-parked", help="Try the streams again that could not be folded the last time.")
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Processes to share the work; by default REPLAYHOUSE_WORKERS."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog=example("replayhouse status", "replayhouse status --json"))(status)
    app.command(epilog=example("replayhouse project", "replayhouse project sales customer"))(project)
    app.command(epilog=example("replayhouse rebuild", "replayhouse rebuild sales --workers 4 --json"))(rebuild)
    app.command(epilog=example("replayhouse digest", "replayhouse digest sales --json"))(digest)


def catch_up_all(warehouse: "Warehouse") -> None:
    """Brings every context's live read model up to the head of the log."""
    from infra.postgres.read_models.live import catch_up

    catch_up(warehouse.database)


def status(json: Json = False) -> None:
    """Show how far each context's read model is behind the log, and the loads so far."""
    from infra.cli.loads import all_batches, show_batches
    from infra.cli.warehouse import open_warehouse
    from infra.postgres.read_models.status import status as read_status

    with open_warehouse() as warehouse:
        found = read_status(warehouse.database)
        with warehouse.database.connect("replayhouse status") as connection:
            loads = all_batches(connection)


def project(contexts: Contexts = None, retry_parked: RetryParked = False, json: Json = False) -> None:
    """Catch the read models up with the log: fold the streams that new events touched, write the rows that differ."""
    from infra.cli.warehouse import open_warehouse
    from infra.postgres.read_models.live import catch_up

    with open_warehouse() as warehouse, progress() as tell:
        tell("catching up", 0, 0)
        events = catch_up(warehouse.database, chosen(contexts), retry_parked=retry_parked)
    if json:
        print_json({"contexts": {context: {"events": done} for context, done in events.items()}, "seconds": seconds_so_far()})
        return
    table(("context", "events projected"), events.items())


def rebuild(contexts: Contexts = None, workers: Workers = None, json: Json = False) -> None:
    """Fold everything again into the next revision, beside the live one, and swap it in."""


def digest(contexts: Contexts = None, json: Json = False) -> None:
    """Print the digest and the number of rows of each read-model table."""
