"""`quality`: what the rules found in a load."""

from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli import quarantine
from replayhouse.infra.cli.loads import GOAL, show_missing
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, table
from replayhouse.infra.cli.streams import is_terminal

if TYPE_CHECKING:
    from replayhouse.infra.application.quality_report import QualityReport

app = typer.Typer(name="quality", help="What the rules found in the loads.", rich_markup_mode=None)

BatchArgument = Annotated[
    str | None, typer.Argument(metavar="BATCH", help="The load; by default the newest.", show_default=False)
]


@app.command(
    epilog=example(
        "replayhouse quality report", "replayhouse quality report 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --json"
    )
)
def report(batch: BatchArgument = None, json: Json = False) -> None:
    """Show how each rule fared in a load.

    Told are its score too, what was found in words, and how many records were quarantined by which rule.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.quality_report(batch)
    if json:
        print_json(found.document())
        return
    _show(found)


def _show(found: "QualityReport") -> None:
    batch = found.batch
    say(f"Load {batch.name} ({found.batch_id}): {batch.status}, {batch.rows:,} records")
    if found.score is not None:
        say(f"Quality score: {found.score} of 100 (the goal is above {GOAL}).")
    for reason in batch.reasons:
        say(f"Rejected: {reason}")
    say()
    checks = batch.checks
    if is_terminal():  # where somebody looks, what needs a look comes first
        checks = tuple(sorted(checks, key=lambda check: (check.passed, check.failed == 0)))
    table(
        ("dimension", "rule", "severity", "checked", "failed", "passed"),
        [(it.dimension, it.rule, it.severity, it.checked, it.failed, it.passed) for it in checks],
        alarming=[place for place, check in enumerate(checks) if not check.passed],
    )
    broken = found.findings
    if broken:
        say()
        say("What was found:")
        for rule, failed, checked, sentence in broken:
            say(f"  {sentence} Not so in {failed:,} of {checked:,} ({rule}).")
    say()
    show_missing(found.missing_records or (), found.batch_id, batch.name)
    say(f"Quarantined: {batch.quarantined:,} records.")
    if found.quarantine:
        table(("rule", "new in quarantine"), found.quarantine.items())


quarantine.register(app)
