"""`demo`: the whole road on an extract made up on the spot, from nine files to answers, in a warehouse of its own."""

from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, seconds_so_far

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
    from replayhouse.infra.cli.demo_report import show
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.demo(orders, seed)
    if json:
        told, seconds = report.document(), seconds_so_far()
        print_json({**told, "ingest": {**told["ingest"], "seconds": seconds}, "seconds": seconds})
    else:
        show(report, hides_own_database=warehouse.settings.database_url is not None)
