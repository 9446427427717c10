"""`audit lineage`: from a row of the star schema to the events and the lines of extracts that made it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from replayhouse.infra.cli.event_report import say_event, say_pairs
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import count, print_json, say, shown
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    import psycopg

    from replayhouse.infra.audit.history import HistoricEvent
    from replayhouse.infra.audit.lineage.effects import Effect
    from replayhouse.infra.audit.lineage.marts import RowsBehind, TracedMartRow
    from replayhouse.infra.audit.lineage.rows import TracedRow
    from replayhouse.infra.audit.lineage.sources import Quoted

TableArgument = Annotated[str, typer.Argument(metavar="TABLE", help="The table: sales.fact_order, or fact_order.")]
KeyArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY...",
        help="The row's primary key, value by value; of a mart, its first columns.",
    ),
]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="PATH", help="Where the extract is now, if not where it was loaded from."),
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="So many lines of a file, and rows behind a mart's, at most.")
]

STATUSES = {
    "gone": "the file is gone: {place}",
    "changed": "the file was changed since it was loaded, so its lines prove nothing: {place}",
    "unreadable": "the file cannot be read: {place} ({why})",
    "not noted": "nobody noted where the extract was; --from PATH says where it is",
    "no extract": "no extract: what recorded this event was no load of this file",
}


class TracedEvent(NamedTuple):
    """An event of the row's stream, what it did to the row, and the lines that it names."""

    event: "HistoricEvent"
    effect: "Effect"
    quoted: "list[Quoted]"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse audit lineage fact_order e481f51c",
            "replayhouse audit lineage sales.fact_order_item e481f51cbdc54678b7cc49136f2d6af7 1",
            "replayhouse audit lineage fulfillment.dim_geography 01001 --from extracts/2018-03.zip --json",
        )
    )(lineage)


def lineage(
    table: TableArgument, key: KeyArgument, instead: From = None, limit: Limit = 20, json: Json = False
) -> None:
    """Show what made a row: its events, and the lines of the extracts that they came from.

    Each event is told with the columns of the row that it made or changed. The text of a line is shown where the
    extract is still at hand and its SHA-256 is that of the load. Of a row of a mart, the rows behind it are shown.
    """
    from replayhouse.infra.audit.lineage.marts import find_mart_row, marts
    from replayhouse.infra.audit.lineage.rows import declared_tables, find_row
    from replayhouse.infra.cli.warehouse import open_warehouse

    if instead is not None and not instead.exists():
        raise UsageError(f"{instead} does not exist.")
    with (
        open_warehouse() as warehouse,
        warehouse.database.connect("replayhouse audit lineage", autocommit=True) as connection,
    ):
        known = [*declared_tables(), *marts(connection)]
        table = _with_schema(table, known)
        if table not in declared_tables():
            of_mart = find_mart_row(connection, table, key, limit)
            if json:
                print_json(_mart_document(of_mart))
            else:
                _show_mart(of_mart)
            return
        row = find_row(connection, table, key)
        events = _trace(connection, row, limit, instead)
    if json:
        print_json(_document(row, events))
        return
    _show(row, events)


def _with_schema(table: str, known: Sequence[str]) -> str:
    """The name of a table with its schema, which may be left out where one schema has it. Raises UsageError."""
    meant = [name for name in known if table in (name, name.partition(".")[2])]
    if not meant:
        raise UsageError(f"There is no table {table} whose rows can be traced; there are {', '.join(known)}.")
    if len(meant) > 1:
        raise UsageError(f"There are {' and '.join(meant)}: say which.")
    return meant[0]


def _trace(connection: "psycopg.Connection", row: "TracedRow", limit: int, instead: Path | None) -> list[TracedEvent]:
    """The events of the row's stream that its table shows, with what they did."""
    from replayhouse.infra.audit.history import history_of_stream
    from replayhouse.infra.audit.lineage.effects import effects_on
    from replayhouse.infra.audit.lineage.sources import Sources
    from replayhouse.infra.event_store.store import EventStore

    if row.stream is None:
        return []
    told = [event for event in history_of_stream(connection, row.context, row.stream) if event.position <= row.position]
    stream = EventStore().streams(connection, row.context, [row.stream], row.position)[row.stream]
    effects = effects_on(row.context, row.table, list(row.key.values()), row.stream, stream.events)
    sources = Sources(connection, [(event.batch_id, event.source) for event in told], limit, instead)
    return [
        TracedEvent(event, effect, sources.quote(event.batch_id, event.source))
        for event, effect in zip(told, effects, strict=True)
    ]


def _document(row: "TracedRow", events: Sequence[TracedEvent]) -> dict[str, Any]:
    return {
        "table": row.name,
        "key": row.key,
        "row": row.row,
        "stream": row.stream,
        "note": row.note,
        "beside": [{"table": table, "key": key} for table, key in _beside(row, events)],
        "events": [
            {
                **event.document(),
                "effect": effect.what,
                "columns": effect.columns,
                "lines": [_quoted_document(quoted) for quoted in quotes],
            }
            for event, effect, quotes in events
        ],
    }


def _beside(row: "TracedRow", events: Sequence[TracedEvent]) -> list[tuple[str, str]]:
    """Rows that have to do with this one: what gave a view its other columns, and quarantined rows that were let in."""
    from replayhouse.infra.audit.lineage.sources import released_row

    released = (released_row(event.source) for event, _, _ in events if row.name != "quality.quarantine")
    return [*row.beside, *dict.fromkeys(("quality.quarantine", str(one)) for one in released if one is not None)]


def _quoted_document(quoted: "Quoted") -> dict[str, Any]:
    return {
        "file": quoted.file,
        "lines": quoted.lines,
        "status": quoted.status,
        "place": quoted.place,
        "texts": [{"line": line, "text": text} for line, text in quoted.texts],
        "left_out": quoted.left_out,
    }


def _show(row: "TracedRow", events: Sequence[TracedEvent]) -> None:
    say(f"{row.name} {' '.join(str(value) for value in row.key.values())}")
    say_pairs((name, _cell(value)) for name, value in row.row.items() if name not in row.key)
    say()
    if row.note is not None:
        say(row.note)
    else:
        say(f"Made of the stream {row.stream}: {count(len(events), 'event')} in {row.context}")
    told: set[tuple[str, int]] = set()
    for event, effect, quotes in events:
        say()
        if effect.what == "none":
            say_event(event, [("did", "nothing to this row")], is_brief=True)
            continue
        did = {"made": "made this row", "removed": "removed this row"}
        say_event(event, [("did", did.get(effect.what) or f"changed {', '.join(effect.columns)}")])
        for quoted in quotes:
            _show_lines(quoted, told)
    for table, key in _beside(row, events):
        say()
        say(f"See also: replayhouse audit lineage {table} {_argument(key)}")


def _cell(value: object) -> str:
    """A value of a row; whole numbers as they are, since many are keys and dates."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else shown(value)


def _show_lines(quoted: "Quoted", told: set[tuple[str, int]]) -> None:
    """The texts of lines, each once: `told` holds those that were shown."""
    if quoted.status != "found":
        why = STATUSES[quoted.status].format(place=quoted.place or "", why=quoted.why)
        say(f"      {quoted.file}:{quoted.lines}  {why}")
        return
    for line, text in quoted.texts:
        place = (quoted.place or "", line)
        say(f"      {quoted.file}:{line}  {'(as above)' if place in told else text}")
        told.add(place)
    if quoted.left_out:
        say(f"      {quoted.file}  and {count(quoted.left_out, 'line')} more (--limit)")


def _mart_document(found: "TracedMartRow") -> dict[str, Any]:
    return {
        "table": found.name,
        "key": found.key,
        "rows": found.rows,
        "behind": [
            {"table": behind.table, "by": behind.by, "found": behind.found, "rows": behind.rows}
            for behind in found.behind
        ],
    }


def _show_mart(found: "TracedMartRow") -> None:
    told = ", ".join(f"{column} {shown(value)}" for column, value in found.key.items())
    say(f"{found.name} with {told}: {count(len(found.rows), 'row')}")
    for row in found.rows:
        say_pairs((name, _cell(value)) for name, value in row.items() if name not in found.key)
        say()
    say("It is a view. Of the tables that it reads, these rows have the same values in the columns of its key;")
    say("which of them count in it, and how, its definition says.")
    for behind in found.behind:
        say()
        _show_behind(behind)


def _show_behind(behind: "RowsBehind") -> None:
    if not behind.by:
        say(f"{behind.table}: no column of the key, so its rows cannot be told apart")
        return
    say(f"{behind.table}: {count(behind.found, 'row')} with this {', '.join(behind.by)}")
    for row in behind.rows:
        say(f"  replayhouse audit lineage {behind.table} {_key_of(row)}")
    if behind.found > len(behind.rows):
        say(f"  and {behind.found - len(behind.rows):,} more (--limit)")


def _key_of(row: Mapping[str, Any]) -> str:
    return " ".join(_argument(str(value)) for name, value in row.items() if name != "position")


def _argument(text: str) -> str:
    """A value as it stands on a command line."""
    from shlex import quote

    return quote(text)
