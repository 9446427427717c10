"""`retract`: a load is taken back, and the read models follow."""

from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, shown, table
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.retract import RetractReport, TakenBack
    from replayhouse.infra.loads.retraction_preview import Change

BatchArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="BATCH", help="The load: its name or id, or how that begins; replayhouse batches lists them."
    ),
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why. It is recorded, with who has decided so.")
]
Cascade = Annotated[bool, typer.Option("--cascade", help="Take all later loads back before it, the newest first.")]


Source = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="NAME", help="In the place of a load: all loads of this source, the newest first."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell which rows would change, and take nothing back.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            'replayhouse retract 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --reason "prices in cents"',
            "replayhouse retract 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --dry-run",
            'replayhouse retract 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --cascade --reason "wrong shop"',
            'replayhouse retract --source shop --reason "a test"',
        )
    )(retract)


def retract(
    batch: BatchArgument = None,
    reason: Reason = None,
    source: Source = None,
    cascade: Cascade = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Take the newest load back, or all loads of a source, and catch the read models up.

    The log keeps what the load brought; each stream that it touched gets one more event, after which what the load
    brought counts no longer. The read models are then as if it had never been there, and the same files can be loaded
    again. A killed retraction goes on when the same command is run again. With --dry-run, nothing is taken back: it
    tells which rows of which tables would change.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.retract(batch, reason, source=source, cascade=cascade, dry_run=dry_run)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
    elif dry_run:
        _show_plan(report)
    else:
        _show(report)


def _show(report: "RetractReport") -> None:
    for taken in report.loads:
        say(_headline(taken))
    for decided in report.decisions:
        say(f"A decision that was recorded before it was finished counts no longer: {decided}.")
    say()
    table(("context", "events"), [(context, report.events[context]) for context in CONTEXTS])
    say()
    say(f"Head of the chain: position {report.position:,}, {report.chain}")
    say()
    say("Next:")
    say("  replayhouse ingest PATH       load a good extract: it appends what is missing")
    say("  replayhouse batches           the loads, and which count")


def _show_plan(report: "RetractReport") -> None:
    for taken in report.loads:
        load = f"{taken.load.name} ({taken.load.batch_id})"
        say(f"Of the load {load}, {count(sum(taken.events.values()), 'event')} would count no longer.")
    say("Nothing was taken back.")
    say()
    table(
        ("table", "added", "changed", "removed"),
        [(name, told.added, told.changed, told.removed) for name, told in report.tables.items()],
    )
    say()
    say("For example:")
    for name, told in report.tables.items():
        for change in told.examples:
            _show_change(name, change)


def _show_change(name: str, change: "Change") -> None:
    document = change.document()
    key = ", ".join(f"{column} {value}" for column, value in document["key"].items())
    say(f"  {name} {key}: {change.kind}")
    if change.kind == "changed":
        for column, values in document["columns"].items():
            say(f"    {column}: {shown(values['from'])} -> {shown(values['to'])}")


def _headline(taken: "TakenBack") -> str:
    load = f"{taken.load.name} ({taken.load.batch_id})"
    if taken.status == "rejected":
        return f"The load {load} had been rejected before its process was killed: it is closed now."
    told = count(sum(taken.events.values()), "event")
    return f"The load {load} is taken back: {told} of it count no longer."
