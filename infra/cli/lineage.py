"""`audit lineage`: from a row of the star schema to the events and the lines of extracts that made it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replayhouse.infra.cli.event_report import say_event, say_pairs
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, shown
from replayhouse.infra.cli.own_keys import IdKind, KeySource, OwnKey, key_given
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.api.warehouse import Warehouse
    from replayhouse.infra.audit.lineage.marts import MartLineage, RowsBehind
    from replayhouse.infra.audit.lineage.sources import Quoted
    from replayhouse.infra.audit.lineage.trace import RowLineage

TableArgument = Annotated[str, typer.Argument(metavar="TABLE", help="The table: sales.fact_order, or fact_order.")]
KeyArgument = Annotated[
    list[str] | None,
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

OwnKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="KEY", help="In place of an id in the key: the key in the source, such as an order's number."
    ),
]

_HINTS = {"not noted": "; --from PATH says where it is"}
"""What this command can do about lines that were not found, by their status."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse audit lineage fact_order e481f51c",
            "replayhouse audit lineage sales.fact_order_item e481f51cbdc54678b7cc49136f2d6af7 1",
            "replayhouse audit lineage fulfillment.dim_geography 01001 --from extracts/2018-03.zip --json",
            "replayhouse audit lineage sales.fact_order_item --key '#1001' 1",
        )
    )(lineage)


def lineage(
    table: TableArgument,
    values: KeyArgument = None,
    own: OwnKeys = None,
    source: KeySource = None,
    id_kind: IdKind = None,
    instead: From = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Show what made a row: its events, and the lines of the extracts that they came from.

    Each event is told with the columns of the row that it made or changed. The text of a line is shown where the
    extract is still at hand and its SHA-256 is that of the load. Of a row of a mart, the rows behind it are shown.
    """
    from replayhouse.infra.audit.lineage.marts import MartLineage
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        key = _key_given(warehouse, table, values or [], own or [], source, id_kind)
        found = warehouse.lineage(table, key, limit=limit, instead=instead)
    if json:
        print_json(found.document())
    elif isinstance(found, MartLineage):
        _show_mart(found)
    else:
        _show(found)


def _key_given(
    warehouse: "Warehouse",
    table: str,
    values: Sequence[str],
    own: Sequence[str],
    source: str | None,
    id_kind: str | None,
) -> Sequence[str]:
    """The key of the row. Raises UsageError where there is none."""
    if not own:
        OwnKey(None, source, id_kind).refuse_without_key()
        if not values:
            raise UsageError("The key of the row is missing: its values, or --key with the key in the source.")
        return values
    return warehouse.row_key(table, [key_given(key) for key in own], values, source=source, id_kind=id_kind)


def _show(found: "RowLineage") -> None:
    row, events = found.row, found.events
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
    for table, key in found.beside:
        say()
        say(f"See also: replayhouse audit lineage {table} {_argument(key)}")


def _cell(value: object) -> str:
    """A value of a row; whole numbers as they are, since many are keys and dates."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else shown(value)


def _show_lines(quoted: "Quoted", told: set[tuple[str, int]]) -> None:
    """The texts of lines, each once: `told` holds those that were shown."""
    if quoted.status != "found":
        say(f"      {quoted.name}:{quoted.lines}  {quoted.said}{_HINTS.get(quoted.status, '')}")
        return
    for line, text in quoted.texts:
        place = (quoted.place or "", line)
        say(f"      {quoted.name}:{line}  {'(as above)' if place in told else text}")
        told.add(place)
    if quoted.left_out:
        say(f"      {quoted.name}  and {count(quoted.left_out, 'line')} more (--limit)")


def _show_mart(found: "MartLineage") -> None:
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
