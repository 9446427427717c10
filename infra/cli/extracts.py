"""`generate`: extracts that nobody had to hand out."""

from pathlib import Path
from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table, warn
from replayhouse.infra.runtime.telling import count

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; it is made where it is missing.")]
Orders = Annotated[
    int,
    typer.Option(
        "--orders",
        metavar="N",
        min=1,
        help="How many orders the extract holds; with --until, how many the whole one holds.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="The same seed gives the same bytes.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the files of an extract that stand in the folder.")]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="As the extract would have looked at the end of that day, or then."),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse generate extracts/full --orders 20000 --seed 7",
            "replayhouse generate extracts/2018-03 --orders 20000 --seed 7 --until 2018-03-31",
        )
    )(generate)


def generate(
    directory: Directory,
    orders: Orders = 2_000,
    seed: Seed = 1,
    until: Until = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write nine CSV files, shaped and as dirty as the Olist dataset.

    With the same seed and number of orders, extracts of different dates belong together: a later one shows how the
    orders of an earlier one went on. A folder that holds an extract is left as it is, unless --force is given.
    """
    from replayhouse.infra.application.generate import generate as write

    def tell(doing: str, _done: int, _of: int) -> None:
        warn(f"{doing} ...")

    written = write(directory, orders, seed, until, force=force, tell=tell)
    records = written.records
    if json:
        print_json({**written.document(), "seconds": seconds_so_far()})
        return
    table(("file", "records"), records.items())
    say()
    told = f"{records['orders']:,} of {orders:,} orders" if written.until else count(orders, "order")
    say(f"{told}, {sum(records.values()):,} records in {seconds_so_far():.1f} s.")
    say(f"To load them: replayhouse ingest {directory}")
