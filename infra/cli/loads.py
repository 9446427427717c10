"""`ingest` and `batches`: extracts become events, and what became of each load."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table, warn
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from uuid import UUID

    from replayhouse.infra.application.batches import Batch
    from replayhouse.infra.application.ingest_report import IngestReport
    from replayhouse.infra.loads.missing_kinds import LoadNamed, MissingKind

NAMES_TOLD = 12
"""So many files that were passed over are named."""

GOAL = 95
"""The score to be above."""

PathArgument = Annotated[Path, typer.Argument(metavar="PATH", help="A folder or a zip with some of the nine files.")]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="What to call this load; by default, as the path is called."),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="Of an extract of another shape: folder of its mapping, a name of `sources`, or a source loaded before.",
    ),
]
OfSource = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="Those of this source alone; olist is the nine files'."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be appended, and append nothing.")]
NoProject = Annotated[bool, typer.Option("--no-project", help="Leave the read models as they are.")]
Answers = Annotated[bool, typer.Option("--answers", help="Then answer all business questions, and keep the answers.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        epilog=example(
            "replayhouse ingest extracts/2018-03.zip",
            "replayhouse ingest extracts/2018-03 --name march --dry-run",
            "replayhouse ingest exports/2018-03 --source mappings/shop",
        )
    )(ingest)
    app.command(epilog=example("replayhouse batches", "replayhouse batches --source shop --json"))(batches)


def ingest(
    path: PathArgument,
    name: Name = None,
    source: Source = None,
    dry_run: DryRun = False,
    no_project: NoProject = False,
    answers: Answers = False,
    json: Json = False,
) -> None:
    """Load an extract and catch the read models up.

    Only what is new or changed in it becomes an event; the same files again append nothing. Records that cannot be
    read are quarantined and the rest goes on; an extract that is not believable as a whole is rejected (exit code
    1).
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.ingest(path, name, source=source, dry_run=dry_run, project=not no_project, answers=answers)
    _warn_of_passed_over(report)
    _warn_of_nothing(report)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
    else:
        _show(report, is_dry_run=dry_run, is_left=no_project)
    if report.reasons:
        raise typer.Exit(1)


def batches(source: OfSource = None, json: Json = False) -> None:
    """List the loads so far, the oldest first."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        rows = warehouse.batches(source)
    if json:
        print_json([row.document() for row in rows])
        return
    show_batches(rows, with_runs=True)


def show_batches(rows: "list[Batch]", *, with_runs: bool = False) -> None:
    """The list of loads for people; `with_runs`, their source too, and who ran them, where, by which version."""
    if not rows:
        say("There is no load yet. To make one: replayhouse ingest PATH.")
        return
    headers = ("status", "opened (UTC)", "events", "score")
    cells = [(row.status, row.opened_at, row.events, _score(row.score)) for row in rows]
    if not with_runs:
        table(("batch", "name", *headers), [(r.batch_id, r.name, *of) for of, r in zip(cells, rows, strict=True)])
        return
    table(
        ("batch", "name", "source", *headers, "run by"),
        [(row.batch_id, row.name, row.source, *of, _run(row)) for of, row in zip(cells, rows, strict=True)],
    )


def _run(row: "Batch") -> str | None:
    """Who ran it, where, and with which version of the program; None where that was not noted."""
    return None if row.by is None else f"{row.by} on {row.machine}, {row.program}"


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
    if not report.reasons:
        show_missing(report.missing_records or (), report.batch_id, report.name)
    if report.absent:
        say(f"Not there, as the mapping allows: {', '.join(report.absent)}.")
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
    if report.answers is not None:
        made, kept, failed = report.answers
        lacking = f"; {count(failed, 'question')} could not be answered" if failed else ""
        say(f"Answers of record: {made:,} made now, {kept:,} kept from before{lacking}.")
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
    if not (is_left or report.reasons):
        say("  replayhouse ask 1                 how revenue grows; replayhouse questions lists what else is answered")


def _show_set_aside(report: "IngestReport") -> None:
    """How many records of each file were kept apart, and why the first of them; a rejected load has reasons instead."""
    if report.set_aside and not report.reasons:
        say("Set aside, and kept in quarantine:")
        for some in report.set_aside:
            say(f"  {some.file}: {some.records:,} of {some.of:,}; the first, on line {some.line}: {some.reason}")
        say()


def _loads_told(kinds: "Sequence[MissingKind]") -> "Iterator[LoadNamed]":
    for kind in kinds:
        yield from (place.load for place in kind.first)
        yield from (since.last_in for since in kind.since)


def show_missing(kinds: "Sequence[MissingKind]", batch: "UUID", name: str) -> None:
    """What earlier loads of the source brought and this one, of that id and name, lacks, and an empty line after it;
    nothing if it is all there. Loads of one name are told apart by how their ids begin.
    """
    from replayhouse.infra.loads.missing_kinds import LoadNamed

    this = LoadNamed(batch, name)
    if not kinds:
        return
    say("Missing, though earlier loads of this source brought them (nothing of them is changed):")
    names = Counter(named.name for named in {*_loads_told(kinds), this})

    def called(load: "LoadNamed") -> str:
        return load.name if names[load.name] == 1 else f"{load.name} ({str(load.batch)[:8]})"

    for kind in kinds:
        first = ", ".join(f"{place.of_file} of {called(place.load)}" for place in kind.first)
        say(f"  {kind.file}: {kind.missing:,} of {kind.known:,}; the first: {first}")
        for since in kind.since:
            say(f"    {since.records:,} stood last in {called(since.last_in)}{' and are new here' * since.is_new}")
        if kind.unreadable:
            say(f"    {count(kind.unreadable, 'record')} of which no key can be read may be some of them")
    say()


def _warn_of_passed_over(report: "IngestReport") -> None:
    """Names the files that somebody may have meant to be loaded; on standard error, also beside a JSON document."""
    names = report.passed_over
    if names:
        more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
        warn(f"Passed over, for none of the nine files is called so: {', '.join(names[:NAMES_TOLD])}{more}.")


def _warn_of_nothing(report: "IngestReport") -> None:
    """Says that an extract has no record at all, with which no rule finds anything wrong; on standard error, too."""
    if not report.reasons and not any(report.rows.values()):
        warn(f"{report.name} holds no record: its files are headers alone. Look whether that is what was meant.")


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
        [(file, records, *report.kinds[file].values()) for file, records in report.rows.items()],
    )
    say()
    if any(report.events.values()):
        table(("context", "events"), [(context, report.events.get(context, 0)) for context in CONTEXTS])
        say()
