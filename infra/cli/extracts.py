"""`generate`: extracts that nobody had to hand out."""

from pathlib import Path
from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import count, print_json, say, seconds_so_far, table, warn
from replayhouse.infra.runtime.given_texts import read_local_time

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
    from replayhouse.infra.runtime.settings import load_settings
    from replayhouse.ingest.synthetic import generate as write

    _refuse_extract(directory, replaces=force)
    moment = read_local_time(until) if until is not None else None
    warn(f"writing to {directory} ...")
    records = write(directory, orders, seed, moment, load_settings().workers)
    if json:
        document = {"directory": str(directory), "seed": seed, "until": moment, "records": records}
        print_json({**document, "seconds": seconds_so_far()})
        return
    table(("file", "records"), records.items())
    say()
    written = f"{records['orders']:,} of {orders:,} orders" if moment else count(orders, "order")
    say(f"{written}, {sum(records.values()):,} records in {seconds_so_far():.1f} s.")
    say(f"To load them: replayhouse ingest {directory}")


def _refuse_extract(directory: Path, *, replaces: bool) -> None:
    """Raises UsageError where there is no folder, or one with files that a load would take for those of an extract."""
    from replayhouse.infra.runtime.errors import UsageError
    from replayhouse.infra.staging.files import SHORT_NAMES

    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file: name a folder, which is made where there is none.")
    found = sorted(path.name for path in directory.glob("*") if path.name.lower() in SHORT_NAMES)
    if found and not replaces:
        named = f"{found[0]} and {len(found) - 1} more" if len(found) > 1 else found[0]
        raise UsageError(
            f"The folder {directory} holds an extract already ({named}), and these may be somebody's data: name "
            "another folder, or say --force to replace them."
        )
