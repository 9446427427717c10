"""`export`: the star schema as Parquet files and a DuckDB file."""

from pathlib import Path
from typing import Annotated

import typer

from replayhouse.infra.cli.options import Contexts, Json, MoreContexts, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table, warn
from replayhouse.infra.runtime.telling import count

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; it is made if need be.")]
WithholdPersonal = Annotated[
    bool, typer.Option("--withhold-personal", help="Leave the columns empty that show personal fields.")
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="MOMENT",
        help="As of a moment: a revision (r3), a prefix, a position, a recorded time with its offset.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an export of something else.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse export reports",
            "replayhouse export reports --withhold-personal",
            "replayhouse export march sales customer --at 2026-03-01T12:00-03:00",
        )
    )(export)


def export(
    folder: FolderArgument,
    contexts: Contexts = None,
    more_contexts: MoreContexts = None,
    withhold_personal: WithholdPersonal = False,
    at: At = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write the star schema into a folder: a Parquet file a table, and a DuckDB file with all of them.

    All files show one moment; manifest.json tells which, and names every file with its digest. Run again, it writes
    what has changed, and those who read meanwhile see the old files or the new. An export is no backup: the log is
    not in it.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    wanted = [*(contexts or ()), *(more_contexts or ())] or None
    with named_warehouse() as warehouse:
        report = warehouse.export(folder, wanted, withhold_personal=withhold_personal, at=at, force=force)
    told = report.manifest
    for name, why in told.left_out.items():
        warn(f"{name} is left out: {why}")
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    if report.is_unchanged:
        say(f"Nothing has changed: {folder} shows the log up to position {told.position:,} already.")
        return
    rows = [
        (f"{place}.{name}", one.rows, one.bytes, one.digest)
        for place, exported in told.places.items()
        for name, one in exported.tables.items()
    ]
    table(("table", "rows", "bytes", "digest"), rows)
    say()
    say(
        f"{count(len(rows), 'table')} in {folder}, in {seconds_so_far():.1f} s; the log is shown up to position "
        f"{told.position:,}."
    )
    if told.withheld:
        say(f"Personal columns are empty: {', '.join(told.withheld)}.")
