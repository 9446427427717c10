"""`quality`: what the rules found in a load."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import UUID

import typer

from replayhouse.infra.cli import quarantine
from replayhouse.infra.cli.loads import GOAL
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, table
from replayhouse.infra.cli.streams import is_terminal
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    import psycopg

    from replayhouse.domain.quality.batch import Batch

app = typer.Typer(name="quality", help="What the rules found in the loads.", rich_markup_mode=None)

QUARANTINED = """
SELECT convert_from(state, 'UTF8')::jsonb ->> 'rule' AS rule, count(*)
FROM event_store.quality_events
WHERE batch_id = %s AND topic LIKE 'quality.RowQuarantined.%%'
GROUP BY rule
ORDER BY count(*) DESC, rule
"""

BatchArgument = Annotated[
    str | None, typer.Argument(metavar="BATCH", help="The load; by default the newest.", show_default=False)
]


class QualityReport(NamedTuple):
    """A load with what the rules found. `quarantine`: by rule, how many records this load was first to keep apart."""

    batch_id: UUID
    batch: "Batch"
    quarantine: Mapping[str, int]

    @property
    def score(self) -> Decimal | None:
        """None of a load that was rejected: what could be checked of it says little about the rest."""
        return None if self.batch.status == "rejected" else self.batch.score


@app.command(
    epilog=example(
        "replayhouse quality report", "replayhouse quality report 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --json"
    )
)
def report(batch: BatchArgument = None, json: Json = False) -> None:
    """Show how each rule fared in a load.

    Told are its score too, what was found in words, and how many records were quarantined by which rule.
    """
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.loads.names import load_named

    with open_warehouse() as warehouse, warehouse.database.connect("replayhouse quality") as connection:
        wanted = load_named(connection, batch) if batch is not None else None
        found = quality_of(connection, wanted)
    if json:
        print_json(_document(found))
        return
    _show(found)


def quality_of(connection: "psycopg.Connection", batch_id: UUID | None) -> QualityReport:
    """The report of a load, by default of the newest, from its stream. Raises UsageError if there is no such load."""
    from replayhouse.domain.quality.batch import batch_of
    from replayhouse.infra.application.batches import all_batches
    from replayhouse.infra.event_store.store import EventStore

    if batch_id is None:
        loads = all_batches(connection)
        if not loads:
            raise UsageError("There is no load yet: ingest an extract first (replayhouse ingest PATH).")
        batch_id = loads[-1].batch_id
    stream = EventStore().streams(connection, "quality", [batch_id]).get(batch_id)
    batch = batch_of(stream.effective_events) if stream is not None else None
    if batch is None or not batch.is_opened:
        raise UsageError(f"There is no load {batch_id}: replayhouse batches lists them all.")
    return QualityReport(batch_id, batch, dict(connection.execute(QUARANTINED, [batch_id]).fetchall()))


def findings(found: QualityReport) -> list[tuple[str, int, int, str]]:
    """What records broke: rule, failed, checked and the rule's sentence; the graver first, then the more frequent."""
    from replayhouse.domain.quality.rules import RULE, WEIGHTS, Severity

    broken = sorted(
        (check for check in found.batch.checks if check.failed),
        key=lambda check: (-WEIGHTS[Severity(check.severity)], -check.failed, check.rule),
    )
    return [
        (check.rule, check.failed, check.checked, RULE[check.rule].sentence if check.rule in RULE else check.rule)
        for check in broken
    ]


def _document(found: QualityReport) -> dict[str, Any]:
    from replayhouse.domain.quality.rules import RULE

    batch = found.batch
    return {
        "batch": found.batch_id,
        "name": batch.name,
        "status": batch.status,
        "opened_at": batch.opened_at,
        "score": found.score,
        "rows": batch.rows,
        "quarantined": batch.quarantined,
        "reasons": batch.reasons,
        "checks": [
            {
                "rule": check.rule,
                "sentence": RULE[check.rule].sentence if check.rule in RULE else None,
                "dimension": check.dimension,
                "severity": check.severity,
                "checked": check.checked,
                "failed": check.failed,
                "passed": check.passed,
            }
            for check in batch.checks
        ],
        "quarantine": found.quarantine,
    }


def _show(found: QualityReport) -> None:
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
    broken = findings(found)
    if broken:
        say()
        say("What was found:")
        for rule, failed, checked, sentence in broken:
            say(f"  {sentence} Not so in {failed:,} of {checked:,} ({rule}).")
    say()
    say(f"Quarantined: {batch.quarantined:,} records.")
    if found.quarantine:
        table(("rule", "new in quarantine"), found.quarantine.items())


quarantine.register(app)
