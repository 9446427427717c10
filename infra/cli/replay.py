"""`replay`: a sealed log folded into Parquet, without a database."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.domain.contexts import Context
from replayhouse.infra.cli.options import Json, MoreContexts, Workers, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table
from replayhouse.infra.cli.time_travel import AsOf, OccurredBefore, ToPosition
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.replay import ReplayReport


class Engine(StrEnum):
    """What folds."""

    POOL = "pool"
    SPARK = "spark"


Log = Annotated[
    str, typer.Argument(metavar="DIR", help="The folder of the sealed log, or a URL, such as s3://bucket/log.")
]
Contexts = Annotated[
    list[Context] | None, typer.Argument(metavar="CONTEXT", help="The contexts to fold; all where none is named.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write to, of its own.")]
Keys = Annotated[
    str | None,
    typer.Option(
        "--keys",
        metavar="URL",
        help="Show personal fields: the URL of the database with their keys, or the file of keys that db backup wrote.",
    ),
]
EngineOption = Annotated[
    Engine,
    typer.Option("--engine", help="What folds: pool, the processes of this machine; or spark, if installed."),
]
Master = Annotated[
    str | None,
    typer.Option("--master", metavar="URL", help="Spark's master, such as spark://host:7077; by default local[*]."),
]
Replaces = Annotated[bool, typer.Option("--force", help="Replace the rows that stand there, as a whole.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse replay sealed --out rows",
            "replayhouse replay sealed sales --out rows --workers 8 --json",
            "replayhouse replay sealed --out march --as-of 2026-03-01T12:00-03:00",
            "replayhouse replay sealed --out rows --force --keys postgresql://replayer@db.example/warehouse",
            "replayhouse replay sealed --out rows --engine spark --master spark://host.example:7077",
        )
    )(replay)


def replay(
    log: Log,
    out: Out,
    contexts: Contexts = None,
    more_contexts: MoreContexts = None,
    workers: Workers = None,
    as_of: AsOf = None,
    to_position: ToPosition = None,
    occurred_before: OccurredBefore = None,
    keys: Keys = None,
    engine: EngineOption = Engine.POOL,
    master: Master = None,
    force: Replaces = False,
    json: Json = False,
) -> None:
    """Fold a sealed log into Parquet, without a database: one folder for each table, and a manifest of digests.

    The digests are those of the live tables at that position. The manifest is written last, and names the files that
    count. Without --keys personal fields are withheld. rebuild --rows takes the result as the next revision.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    wanted = [*(contexts or ()), *(more_contexts or ())] or None
    with named_warehouse() as warehouse:
        report = warehouse.replay(
            log,
            out,
            wanted,
            as_of=as_of,
            to_position=to_position,
            occurred_before=occurred_before,
            keys=keys,
            workers=workers,
            engine=engine,
            master=master,
            force=force,
        )
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    _show(report)


def _show(report: "ReplayReport") -> None:
    told = report.manifest
    table(
        ("table", "rows", "digest"),
        [
            (f"{context}.{name}", rows.rows, rows.digest)
            for context, of_context in told.contexts.items()
            for name, rows in of_context.tables.items()
        ],
    )
    say()
    say(
        f"{count(report.events, 'event')} folded in {seconds_so_far():.1f} s; {report.folder} holds the log up to "
        f"position {told.position:,}."
    )
    if told.withheld:
        say("Withheld are personal fields, so the digests of these tables are not those of the live ones:")
        say(f"  {', '.join(told.withheld)}")
