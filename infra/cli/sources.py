"""`sources`: mappings by which extracts of another shape are loaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.by_default import listing_by_default
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table, warn
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.sources import Checked, CheckedFile, CheckedRecords, KeptApart, Shown

LIST = "list"

app = typer.Typer(
    name="sources",
    cls=listing_by_default(LIST),
    help="Mappings by which extracts of another shape are loaded. Without a command, lists those that come with the "
    "program.",
    epilog=example(
        "replayhouse sources",
        "replayhouse sources new mappings/shop exports/2018-03",
        "replayhouse sources check mappings/shop exports/2018-03",
    ),
    rich_markup_mode=None,
)

Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="Folder of a mapping, or the name of one that comes with the program."),
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder for the mapping; made where it is missing.")]
Load = Annotated[str, typer.Argument(metavar="BATCH", help="The load: its id or name, or how either begins.")]
Extract = Annotated[Path, typer.Argument(metavar="PATH", help="An extract of that kind: a folder or a zip.")]


@app.command(LIST, epilog=example("replayhouse sources list", "replayhouse sources --json"))
def list_all(json: Json = False) -> None:
    """List the mappings that come with the program, and where they are."""
    from replayhouse.infra.application.sources import list_sources

    found = list_sources()
    if json:
        print_json([one.document() for one in found])
        return
    table(("source", "folder"), [(one.name, one.folder) for one in found])


@app.command(
    epilog=example(
        "replayhouse sources check mappings/shop exports/2018-03",
        "replayhouse sources check olist-spreadsheet exports/2018-03.zip --json",
    )
)
def check(source: Source, path: Extract, json: Json = False) -> None:
    """Try a mapping: what it makes of an extract, and what of it would be quarantined.

    Nothing is loaded, and no warehouse is looked at. Cells that may be personal are not shown. An extract that would
    be rejected is exit code 1.
    """
    from replayhouse.infra.application.sources import check_source

    checked = check_source(source, path, tell=_tell)
    if json:
        print_json({**checked.document(), "seconds": seconds_so_far()})
    else:
        _show(checked, f"replayhouse ingest {path} --source {source}")
    if checked.reasons:
        raise typer.Exit(1)


@app.command(epilog=example("replayhouse sources new mappings/shop exports/2018-03"))
def new(folder: Folder, path: Extract, json: Json = False) -> None:
    """Write a first mapping for extracts of a new kind, as far as their files tell.

    Where they do not tell enough, "?" stands in it, and beside it what is to be written there. A mapping that is there
    is never overwritten.
    """
    from replayhouse.infra.application.sources import new_source

    made = new_source(folder, path)
    if json:
        print_json({"file": str(made), "seconds": seconds_so_far()})
        return
    say(f'{made} is written: fill in where "?" stands, and see whether the rest is right. Then:')
    say(f"  replayhouse sources check {folder} {path}")


@app.command(epilog=example("replayhouse sources show 2018-03", "replayhouse sources show 6f1c1d3a --json"))
def show(batch: Load, json: Json = False) -> None:
    """Show the mapping by which the records of a load were made, as it was then.

    One whose files do not have the hash any more to which the log binds the load was changed: exit code 1.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        kept = warehouse.load_mapping(batch)
    if json:
        print_json({**kept.document(), "seconds": seconds_so_far()})
    else:
        say(f"The mapping of the source {kept.source} by which the load {kept.batch_id} was made: {kept.sha256}")
        for name, text in kept.files.items():
            say()
            say(f"-- {name}")
            for line in text.splitlines():
                say(line)
    if not kept.is_intact:
        warn("Its files have another hash: what is kept of it was changed since.")
        raise typer.Exit(1)


def _tell(doing: str, _done: int, _of: int) -> None:
    warn(f"{doing} ...")


def _show(checked: "Checked", command: str) -> None:
    for file in checked.files:
        _show_file(file)
    for records in checked.records:
        _show_records(records)
    for record in checked.left_out:
        say(f"records {record}: none, for no file that they are made from is there")
        say()
    if checked.reasons:
        say("A load of it would be rejected:")
        for reason in checked.reasons:
            say(f"  {reason}")
        return
    if not any(records.records for records in checked.records):
        say("No record is made of these files: look whether they have rows, and what the mapping leaves out.")
    say(f"Quality score: {checked.score:.2f} of 100. Nothing was loaded. To load it: {command}")


def _show_file(file: "CheckedFile") -> None:
    if not file.is_there:
        say(f"file {file.name}: not there; none fits {file.file}, and it is not required")
        say()
        return
    say(f"file {file.name}: {count(file.rows, 'row')} of {file.file}")
    if file.malformed:
        say(f"  {count(file.malformed, 'row')} with too few or too many cells")
    if file.absent:
        say(f"  lacks the optional {', '.join(file.absent)}")
    if file.unused:
        say(f"  not used: {', '.join(file.unused)}")
    _show_rows(file.shown)


def _show_records(made: "CheckedRecords") -> None:
    say(f"records {made.record}: {count(made.records, 'record')} from {made.file}")
    if made.repeated:
        say(f"  {count(made.repeated, 'identical repetition')}, which count once")
    for one in made.kept_apart:
        say(f"  quarantined for {one.rule}: {one.records:,}; the first, on line {one.line}: {one.reason}")
        if (expectation := _expectation_about(one)) is not None:
            say(f"    what is true of this source, [expectations] of the mapping says: {expectation}")
    _show_rows(made.shown)


def _expectation_about(bad: "KeptApart") -> str | None:
    """What a mapping may say so that such records are let in; None where there is nothing."""
    if bad.rule == "statuses_known":
        return "statuses, which of the eight each of its words means"
    return 'zips = "text"' if bad.reason.endswith("zip_code_prefix is not one to five digits") else None


def _show_rows(shown: "Shown") -> None:
    for line, cells in (row for row in shown.rows if row[1]):
        told = ", ".join(f"{name} {'-' if cell is None else cell}" for name, cell in cells.items())
        say(f"  line {line}: {told}")
    if shown.rows and shown.withheld:
        say(f"  not shown, for they may be personal: {', '.join(shown.withheld)}")
    say()
