"""`quality quarantine`, `release` and `discard`: the records that were kept apart, and what people decide on them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Force, Json, Reason, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far
from replayhouse.infra.cli.streams import legible
from replayhouse.infra.read_models.quarantine import RowStatus
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.quarantine import Quarantine
    from replayhouse.infra.application.release import Refused

FEW = 50
"""So many rows are shown to people who did not say how many."""

TEXT_SHOWN = 200

RowArgument = Annotated[str, typer.Argument(metavar="ROW", help="The row's id, as quality quarantine shows it.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        epilog=example(
            "replayhouse quality quarantine --rule values_readable",
            "replayhouse quality quarantine --file order_items --csv rows.csv",
        )
    )(quarantine)
    app.command(
        epilog=example(
            'replayhouse quality release 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --reason "the order came by mail"',
            "replayhouse quality release 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --text "
            '"20000000000000000000000000000001,1,credit_card,3,110.00"',
        )
    )(release)
    app.command(
        epilog=example('replayhouse quality discard 6f1c1d3a-0c6e-5a43-9f0e-3c1b8a1d2e4f --reason "a test order"')
    )(discard)


def quarantine(
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="B", help="Only those that this load was the first to keep apart.")
    ] = None,
    file: Annotated[str | None, typer.Option("--file", metavar="F", help="Only those of this file.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="R", help="Only those that broke this rule.")] = None,
    status: Annotated[RowStatus, typer.Option("--status", help="Only those with this status.")] = RowStatus.QUARANTINED,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=0, help="At most so many.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all of them, texts whole, to a CSV file.")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """List the records that were kept apart.

    They are shown as the table quality.quarantine has them, with their texts, which may hold personal data: of somebody
    erased they are gone. Without --limit a list for people is short; --json and --csv give all.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        if csv is not None:
            written = warehouse.write_quarantine(csv, batch, file, rule, status, limit, force=force)
            if not json:
                say(f"{count(written, 'row')} written to {csv}. Their texts may hold personal data.")
                return
        found = warehouse.quarantine(batch, file, rule, status, FEW if limit is None and not json else limit)
    if json:
        print_json(found.document())
        return
    _show(found, status)


def release(
    key: RowArgument,
    text: Annotated[
        str | None, typer.Option("--text", metavar="CORRECTED", help="The record as it should have been.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded with the decision.")
    ] = "let in by hand",
    json: Json = False,
) -> None:
    """Let a quarantined record in, corrected or as it is.

    It goes the way of every record of an extract. If it does not pass even so, nothing is appended and the exit code is
    1. What is let in stays: the same bad text in a later extract neither comes back nor undoes it; only a good record
    that says something new changes it.
    """
    from replayhouse.infra.application.release import Refused
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        done = warehouse.release(key, text, reason)
    if isinstance(done, Refused):
        _tell_refusal(done, json=json)
        raise typer.Exit(1)
    if json:
        document = done.document()
        corrected = document.pop("corrected")
        print_json({**document, "seconds": seconds_so_far(), "corrected": corrected})
        return
    told = ", ".join(
        count(number, f"event of {context}", f"events of {context}")
        for context, number in done.events.items()
        if number
    )
    say(f"The row {done.row_id} ({done.row.file}:{done.row.line}) is let in: {told}.")
    say(f"Head of the chain: position {done.position:,}, {done.chain}")


def discard(key: RowArgument, reason: Reason, json: Json = False) -> None:
    """Give a quarantined record up.

    It stays in the list, as discarded, and the same text in a later extract does not come back.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        done = warehouse.discard(key, reason)
    if json:
        print_json({**done.document(), "seconds": seconds_so_far()})
        return
    say(f"The row {done.row_id} ({done.row.file}:{done.row.line}) is given up.")
    say(f"Head of the chain: position {done.position:,}, {done.chain}")


def _show(found: "Quarantine", status: RowStatus) -> None:
    if not found.rows:
        say(f"No row is {status.value}." if status is not RowStatus.ALL else "No row was ever kept apart.")
        return
    for row in found.rows:
        say(f"{row.row}  {found.place(row)}  {row.rule}  {row.status}")
        say(f"      {row.reason}")
        say(f"      {_shortened(row.text)}")
    say()
    if found.number > len(found.rows):
        say(f"{len(found.rows):,} of {found.number:,} rows; --limit shows more, --csv writes all of them to a file.")
    say("Texts are those of quality.quarantine and may hold personal data.")


def _shortened(text: str | None) -> str:
    if text is None:
        return "(erased)"
    told = legible(text)  # before it is cut off
    return told if len(told) <= TEXT_SHOWN else f"{told[: TEXT_SHOWN - 3]}..."


def _tell_refusal(refused: "Refused", *, json: bool) -> None:
    row = refused.row
    if json:
        print_json(refused.document())
        return
    say(f"The row {refused.row_id} ({row.file}:{row.line}) does not pass, and nothing was appended.")
    say(f"  {refused.reason} ({refused.rule})")
