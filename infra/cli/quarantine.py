"""`quality quarantine`, `release` and `discard`: the records that were kept apart, and what people decide on them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from replayhouse.infra.cli.options import Force, Json, Reason, RowStatus, example
from replayhouse.infra.cli.output import count, print_json, progress, say, seconds_so_far
from replayhouse.infra.cli.streams import legible
from replayhouse.infra.runtime.csv_cells import harmless
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_reason
from replayhouse.infra.runtime.short_ids import IdStart, read_id_start

if TYPE_CHECKING:
    import psycopg

    from replayhouse.infra.application.release import Decided, Refused
    from replayhouse.infra.cli.warehouse import Warehouse
    from replayhouse.infra.runtime.telling import Tell

FEW = 50
"""So many rows are shown to people who did not say how many."""

TEXT_SHOWN = 200

ROWS = """
    SELECT row_id AS row, batch_id AS batch, file, line, rule, reason, text, status
    FROM quality.quarantine
    WHERE (%(batch)s::uuid IS NULL OR batch_id = %(batch)s)
        AND (%(file)s::text IS NULL OR file = %(file)s)
        AND (%(rule)s::text IS NULL OR rule = %(rule)s)
        AND (%(status)s::text IS NULL OR status = %(status)s)
    ORDER BY file COLLATE "C", line, row_id
    LIMIT %(limit)s
"""
TO_CSV = f"""
    COPY (
        SELECT row_id AS row, batch_id AS batch, file, line, rule, {harmless("reason")} AS reason,
            {harmless("text")} AS text, status
        FROM quality.quarantine
        WHERE (%(batch)s::uuid IS NULL OR batch_id = %(batch)s)
            AND (%(file)s::text IS NULL OR file = %(file)s)
            AND (%(rule)s::text IS NULL OR rule = %(rule)s)
            AND (%(status)s::text IS NULL OR status = %(status)s)
        ORDER BY file COLLATE "C", line, row_id
        LIMIT %(limit)s
    ) TO STDOUT (FORMAT csv, HEADER)
"""
NUMBER = """
    SELECT count(*)
    FROM quality.quarantine
    WHERE (%(batch)s::uuid IS NULL OR batch_id = %(batch)s)
        AND (%(file)s::text IS NULL OR file = %(file)s)
        AND (%(rule)s::text IS NULL OR rule = %(rule)s)
        AND (%(status)s::text IS NULL OR status = %(status)s)
"""
IS_LOAD = "SELECT 1 FROM event_store.batch WHERE batch_id = %s AND kind = 'load'"

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
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.read_models.preparing import prepare
    from replayhouse.infra.read_models.versions import refuse_others

    with (
        open_warehouse() as warehouse,
        warehouse.database.connect("replayhouse quality", autocommit=True) as connection,
    ):
        prepare(connection)
        refuse_others(connection, ["quality"])
        wanted = _wanted(connection, batch, file, rule, status)
        if csv is not None:
            written = _write(connection, csv, {**wanted, "limit": limit}, is_forced=force)
            if not json:
                say(f"{count(written, 'row')} written to {csv}. Their texts may hold personal data.")
                return
        most = FEW if limit is None and not json else limit
        cursor = connection.execute(ROWS.encode(), {**wanted, "limit": most})
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        [(number,)] = connection.execute(NUMBER.encode(), wanted).fetchall()
    if json:
        print_json(rows)
        return
    _show(rows, number, status)


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
    from replayhouse.infra.application.release import Decider, Refused
    from replayhouse.infra.cli.warehouse import open_warehouse

    start, why = read_id_start(key), read_reason(reason)
    with open_warehouse() as warehouse, progress() as tell:
        row_id = _row_named(warehouse, start)
        tell("holding the record against the log", 0, 0)
        with _caught_up(warehouse, tell):
            done = Decider(warehouse.settings, warehouse.database).release(row_id, why, text)
    if isinstance(done, Refused):
        _tell_refusal(done, json=json)
        raise typer.Exit(1)
    if json:
        print_json({**_document(done, "released"), "corrected": text is not None and text != done.row.text})
        return
    told = ", ".join(
        count(number, f"event of {context}", f"events of {context}")
        for context, number in done.events.items()
        if number
    )
    say(f"The row {row_id} ({done.row.file}:{done.row.line}) is let in: {told}.")
    say(f"Head of the chain: position {done.position:,}, {done.chain}")


def discard(key: RowArgument, reason: Reason, json: Json = False) -> None:
    """Give a quarantined record up.

    It stays in the list, as discarded, and the same text in a later extract does not come back.
    """
    from replayhouse.infra.application.release import Decider
    from replayhouse.infra.cli.warehouse import open_warehouse

    start, why = read_id_start(key), read_reason(reason)
    with open_warehouse() as warehouse, progress() as tell:
        row_id = _row_named(warehouse, start)
        with _caught_up(warehouse, tell):
            done = Decider(warehouse.settings, warehouse.database).discard(row_id, why)
    if json:
        print_json(_document(done, "discarded"))
        return
    say(f"The row {row_id} ({done.row.file}:{done.row.line}) is given up.")
    say(f"Head of the chain: position {done.position:,}, {done.chain}")


def _row_named(warehouse: "Warehouse", start: IdStart) -> UUID:
    from replayhouse.infra.audit.kinds import HistoryKind
    from replayhouse.infra.audit.named_streams import stream_named

    if start.is_whole:
        return start.first
    with warehouse.database.connect("replayhouse quality") as connection:
        return stream_named(connection, HistoryKind.ROW, start)


@contextmanager
def _caught_up(warehouse: "Warehouse", tell: "Tell") -> Iterator[None]:
    """Catches the read models up after the block, also where the row was decided on before: by a command, it may be,
    that was killed before it came to that.
    """
    from replayhouse.infra.cli.read_models import catch_up_all

    try:
        yield
    except UsageError:
        catch_up_all(warehouse, tell)
        raise
    catch_up_all(warehouse, tell)


def _wanted(
    connection: "psycopg.Connection", batch: str | None, file: str | None, rule: str | None, status: RowStatus
) -> dict[str, object]:
    """What to ask for. Raises UsageError for a load, a file or a rule that there is not."""
    from replayhouse.domain.quality.rules import RULE
    from replayhouse.infra.loads.names import load_named
    from replayhouse.infra.staging.files import FILES

    batch_id = load_named(connection, batch) if batch is not None else None
    if batch_id is not None and connection.execute(IS_LOAD, [batch_id]).fetchone() is None:
        raise UsageError(f"There is no load {batch_id}: replayhouse batches lists them all.")
    if file is not None and file not in FILES:
        raise UsageError(f"There is no file '{file}': it is one of {', '.join(FILES)}.")
    if rule is not None and rule not in RULE:
        raise UsageError(f"There is no rule '{rule}': replayhouse quality report shows them all.")
    chosen = None if status is RowStatus.ALL else status.value
    return {"batch": batch_id, "file": file, "rule": rule, "status": chosen}


def _write(connection: "psycopg.Connection", path: Path, wanted: Mapping[str, object], *, is_forced: bool) -> int:
    """Streams the rows into a file that only its owner may read; returns how many they are."""
    from replayhouse.infra.runtime.files import writing

    with writing(path, replaces=is_forced) as file, connection.cursor() as cursor:
        with cursor.copy(TO_CSV.encode(), wanted) as copy:
            for block in copy:
                file.write(block)
        return cursor.rowcount


def _show(rows: list[dict[str, Any]], number: int, status: RowStatus) -> None:
    if not rows:
        say(f"No row is {status.value}." if status is not RowStatus.ALL else "No row was ever kept apart.")
        return
    for row in rows:
        say(f"{row['row']}  {row['file']}:{row['line']}  {row['rule']}  {row['status']}")
        say(f"      {row['reason']}")
        say(f"      {_shortened(row['text'])}")
    say()
    if number > len(rows):
        say(f"{len(rows):,} of {number:,} rows; --limit shows more, --csv writes all of them to a file.")
    say("Texts are those of quality.quarantine and may hold personal data.")


def _shortened(text: str | None) -> str:
    if text is None:
        return "(erased)"
    told = legible(text)  # before it is cut off
    return told if len(told) <= TEXT_SHOWN else f"{told[: TEXT_SHOWN - 3]}..."


def _tell_refusal(refused: "Refused", *, json: bool) -> None:
    row = refused.row
    if json:
        print_json(
            {
                "row": refused.row_id,
                "file": row.file,
                "line": row.line,
                "status": row.status,
                "rule": refused.rule,
                "reason": refused.reason,
            }
        )
        return
    say(f"The row {refused.row_id} ({row.file}:{row.line}) does not pass, and nothing was appended.")
    say(f"  {refused.reason} ({refused.rule})")


def _document(done: "Decided", status: str) -> dict[str, Any]:
    row_id: UUID = done.row_id
    return {
        "row": row_id,
        "file": done.row.file,
        "line": done.row.line,
        "status": status,
        "events": done.events,
        "position": done.position,
        "chain": done.chain,
        "seconds": seconds_so_far(),
    }
