"""`ingest` and `batches`: extracts become events, and what became of each load."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import UUID

import typer

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import Tell, count, print_json, progress, say, seconds_so_far, table, warn

if TYPE_CHECKING:
    import psycopg

    from replayhouse.infra.application.ingest import IngestReport
    from replayhouse.infra.cli.warehouse import Warehouse

BATCHES = """
SELECT
    b.batch_id, b.name, b.status, b.opened_at, b.completed_at,
    coalesce((
        SELECT sum(counted.value::bigint)
        FROM event_store.batch_progress AS p, jsonb_each_text(p.events) AS counted
        WHERE p.batch_id = b.batch_id AND counted.key <> 'quality'
    ), 0)::bigint AS events,
    CASE WHEN b.status <> 'rejected' THEN (b.outcome ->> 'score')::float8 END AS score,
    b.run_by, b.run_on, b.program
FROM event_store.batch AS b
WHERE b.kind = 'load'
ORDER BY b.batch_seq
"""

NAMES_TOLD = 12
"""So many files that were passed over are named."""

GOAL = 95
"""The score to be above."""

PathArgument = Annotated[Path, typer.Argument(metavar="PATH", help="A folder or a zip with some of the nine files.")]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="What to call this load; by default, as the path is called."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be appended, and append nothing.")]
NoProject = Annotated[bool, typer.Option("--no-project", help="Leave the read models as they are.")]


class BatchRow(NamedTuple):
    """A load in the list of loads. `events` are those it appended so far, without the quality context's."""

    batch_id: UUID
    name: str
    status: str
    opened_at: datetime
    completed_at: datetime | None
    events: int
    score: float | None
    by: str | None
    machine: str | None
    program: str | None

    def run(self) -> str | None:
        """Who ran it, where, and with which version of the program; None where that was not noted."""
        return None if self.by is None else f"{self.by} on {self.machine}, {self.program}"

    def document(self, *names: str) -> dict[str, object]:
        """The load as JSON shows it: these of its fields, or all."""
        fields = {"batch": self.batch_id, **self._asdict()}
        del fields["batch_id"]
        return {name: fields[name] for name in names or fields}


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        epilog=example(
            "replayhouse ingest extracts/2018-03.zip",
            "replayhouse ingest extracts/2018-03 --name march --dry-run",
        )
    )(ingest)
    app.command(epilog=example("replayhouse batches", "replayhouse batches --json"))(batches)


def ingest(
    path: PathArgument, name: Name = None, dry_run: DryRun = False, no_project: NoProject = False, json: Json = False
) -> None:
    """Load an extract and catch the read models up.

    Only what is new or changed in it becomes an event; the same files again append nothing. Records that cannot be
    read are quarantined and the rest goes on; an extract that is not believable as a whole is rejected (exit code
    1).
    """
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.staging.extract import refuse_what_is_none

    refuse_what_is_none(path)  # first: a mistyped path is no reason to make a warehouse
    with open_warehouse(makes=True) as warehouse, progress() as tell:
        report = load(warehouse, path, name, tell, dry_run=dry_run, leave_read_models=no_project)
    _warn_of_passed_over(report)
    if json:
        print_json(document_of(report))
    else:
        _show(report, is_dry_run=dry_run, is_left=no_project)
    if report.reasons:
        raise typer.Exit(1)


def batches(json: Json = False) -> None:
    """List the loads so far, the oldest first."""
    from replayhouse.infra.cli.warehouse import open_warehouse

    with open_warehouse() as warehouse, warehouse.database.connect("replayhouse batches") as connection:
        rows = all_batches(connection)
    if json:
        print_json([row.document() for row in rows])
        return
    show_batches(rows, with_runs=True)


def load(
    warehouse: "Warehouse", path: Path, name: str | None, tell: Tell, *, dry_run: bool, leave_read_models: bool = False
) -> "IngestReport":
    """Ingests an extract and catches the read models up, also where the extract brought nothing new."""
    from replayhouse.infra.application.ingest import Ingest
    from replayhouse.infra.cli.read_models import catch_up_all

    ingest_it = Ingest(warehouse.settings, warehouse.database, lambda step: tell(*step))
    try:
        report = ingest_it.run(path, name, dry_run=dry_run)
    except KeyboardInterrupt:
        if not dry_run:
            warn("What was appended stays. A load that had begun is open, and the same command goes on with it.")
        raise
    if not dry_run and not leave_read_models:
        catch_up_all(warehouse, tell)
    return report


def document_of(report: "IngestReport") -> dict[str, Any]:
    """The JSON document of `ingest`; `reasons` only where there are some."""
    return {
        "batch": report.batch_id,
        "name": report.name,
        "status": report.status,
        "files": {file: {"rows": records, **_kinds(report, file)} for file, records in rows_by_file(report).items()},
        "events": {context: report.events.get(context, 0) for context in CONTEXTS},
        "position": report.position,
        "chain": report.chain,
        "score": report.score,
        **({"reasons": list(report.reasons)} if report.reasons else {}),
        "seconds": seconds_so_far(),
    }


def rows_by_file(report: "IngestReport") -> dict[str, int]:
    """Records of each of the nine files, quarantined ones too."""
    return {file: sum(_kinds(report, file).values()) for file in report.counts}


def _kinds(report: "IngestReport", file: str) -> dict[str, int]:
    counted = report.counts[file]
    return {
        "new": counted.new,
        "changed": counted.changed,
        "unchanged": counted.unchanged,
        "quarantined": counted.quarantined,
    }


def all_batches(connection: "psycopg.Connection") -> list[BatchRow]:
    """The loads so far, as the write side knows them, the oldest first."""
    return [BatchRow(*row) for row in connection.execute(BATCHES)]


def show_batches(rows: list[BatchRow], *, with_runs: bool = False) -> None:
    """The list of loads for people; `with_runs`, who ran them too, where, and with which version of the program."""
    if not rows:
        say("There is no load yet. To make one: replayhouse ingest PATH.")
        return
    headers = ("batch", "name", "status", "opened (UTC)", "events", "score")
    cells = [(row.batch_id, row.name, row.status, row.opened_at, row.events, _score(row.score)) for row in rows]
    if not with_runs:
        table(headers, cells)
        return
    table((*headers, "run by"), [(*of, row.run()) for of, row in zip(cells, rows, strict=True)])


def _score(score: float | None) -> str | None:
    return None if score is None else f"{score:.2f}"


def _show(report: "IngestReport", *, is_dry_run: bool, is_left: bool) -> None:
    say(_headline(report, is_dry_run=is_dry_run))
    if report.reasons:
        for reason in report.reasons:
            say(f"  {reason}")
    say()
    show_counts(report)
    _show_set_aside(report)
    if report.missing and not report.reasons:
        say(f"The extract holds no {', '.join(report.missing)}; what earlier loads brought of that stays as it is.")
    if report.loaded_before is not None and report.loaded_since is not None:
        before, since = report.loaded_before, report.loaded_since
        say(
            f"These very files were loaded before, as {before.name} ({before.batch_id}), and {since.name} after that. "
            "To load them again is to take back what later loads corrected."
        )
    if report.score is not None:
        say(f"Quality score: {report.score:.2f} of 100 (the goal is above {GOAL}).")
    say(f"Head of the chain: position {report.position:,}, {report.chain}")
    if is_dry_run:
        return
    say()
    say("Next:")
    if is_left:
        say("  replayhouse project               catch the read models up")
    say("  replayhouse status                how far each context is")
    say("  replayhouse quality report        what the rules found")
    if report.set_aside and not report.reasons:
        say("  replayhouse quality quarantine    what was set aside")


def _show_set_aside(report: "IngestReport") -> None:
    """How many records of each file were kept apart, and why the first of them; a rejected load has reasons instead."""
    if report.set_aside and not report.reasons:
        say("Set aside, and kept in quarantine:")
        for some in report.set_aside:
            say(f"  {some.file}: {some.records:,} of {some.of:,}; the first, on line {some.line}: {some.reason}")
        say()


def _warn_of_passed_over(report: "IngestReport") -> None:
    """Names the files that somebody may have meant to be loaded; on standard error, also beside a JSON document."""
    names = report.passed_over
    if names:
        more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
        warn(f"Passed over, for none of the nine files is called so: {', '.join(names[:NAMES_TOLD])}{more}.")


def _headline(report: "IngestReport", *, is_dry_run: bool) -> str:
    told = count(sum(report.events.values()), "event")
    name, batch, seconds = report.name, report.batch_id, f"{seconds_so_far():.1f} s"
    if report.reasons:
        would = "would be" if is_dry_run else "was"
        return f"The extract {name} {would} rejected: nothing of it becomes an event (batch {batch})."
    if report.status == "unchanged":
        return f"Nothing is new, so no event was appended: the load {batch} ({name}) brought these very files."
    if is_dry_run:
        return f"{name} would append {told}. Nothing was appended ({seconds})."
    if not any(events for context, events in report.events.items() if context != "quality"):
        return f"{name} is loaded in {seconds}. Nothing in it is new: no event but those of the load itself ({batch})."
    return f"{name} is loaded: {told} in {seconds} (batch {batch})."


def show_counts(report: "IngestReport") -> None:
    """Records by file, and events by context."""
    table(
        ("file", "records", "new", "changed", "unchanged", "quarantined"),
        [(file, records, *_kinds(report, file).values()) for file, records in rows_by_file(report).items()],
    )
    say()
    if any(report.events.values()):
        table(("context", "events"), [(context, report.events.get(context, 0)) for context in CONTEXTS])
        say()
