"""`audit compare`: what differs between two read models, and row by row how."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import count, print_json, progress, say, seconds_so_far, shown, table
from replayhouse.infra.cli.time_travel import read_recorded_time

if TYPE_CHECKING:
    from replayhouse.infra.cli.warehouse import Warehouse
    from replayhouse.infra.read_models.snapshots.diff import Comparison, DifferentRow
    from replayhouse.infra.read_models.snapshots.diff_sources import Wanted
    from replayhouse.infra.runtime.telling import Tell

_SIDE = "live, a revision (r2, or sales:r2), a prefix, a position of the log, or a recorded time with its offset."

A = Annotated[str, typer.Argument(metavar="A", help=f"The old side: {_SIDE}")]
B = Annotated[str, typer.Argument(metavar="B", help="The new side, likewise.")]
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="T", help="Only this table (fact_order, or sales.fact_order); may be repeated."),
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=0, help="Rows to show of each table; the counts are complete.")
]
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", dir_okay=False, help="Write every difference there as CSV.")
]
WithPosition = Annotated[
    bool, typer.Option("--with-position", help="Compare the column position too, which is left out otherwise.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Processes to fold positions and times with.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse audit compare r1 live",
            "replayhouse audit compare 41027 live --table fact_order --limit 20",
            "replayhouse audit compare 2026-03-01T12:00-03:00 live --csv since-march.csv",
        )
    )(compare)


def compare(
    a: A,
    b: B,
    tables: Tables = None,
    limit: Limit = 5,
    csv: Csv = None,
    force: Force = False,
    with_position: WithPosition = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Compare two read models: rows added, removed and changed from A to B, column by column.

    A position or a recorded time is folded for the occasion, beside the live tables, and removed afterwards. The
    column position, by which a row leads back to the log, is not compared. The exit code is 0 whether anything differs
    or not.
    """
    from replayhouse.infra.cli.warehouse import open_warehouse

    wanted = _wanted(a), _wanted(b)
    with open_warehouse() as warehouse, progress() as tell, _writing(csv, is_forced=force) as file:
        found, missing = _compared(warehouse, wanted, tables or [], limit, file, with_position, workers, tell)
    if json:
        print_json(_document(a, b, found, missing))
        return
    _show(a, b, found, missing)
    if csv is not None:
        say()
        say(f"Every difference stands in {csv}.")


def _wanted(text: str) -> "Wanted":
    """A position is written in digits; what reads as a time is one, and needs an offset; all else is a name."""
    from replayhouse.infra.read_models.snapshots.diff_sources import Wanted
    from replayhouse.infra.read_models.snapshots.time_travel import Limits

    if text.isascii() and text.isdigit():
        return Wanted(text, Limits(position=int(text)))
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return Wanted(text, None)
    return Wanted(text, Limits(as_of=read_recorded_time(text)))


def _compared(
    warehouse: "Warehouse",
    wanted: "tuple[Wanted, Wanted]",
    names: list[str],
    limit: int,
    file: IO[bytes] | None,
    with_position: bool,
    workers: int | None,
    tell: "Tell",
) -> "tuple[list[Comparison], list[str]]":
    """The comparison of each table, and the tables that one side lacks; writes all differences into the file."""
    from replayhouse.infra.read_models.preparing import prepare
    from replayhouse.infra.read_models.snapshots.diff import TableOfTwo, is_there, one_moment, write_header
    from replayhouse.infra.read_models.snapshots.diff_sources import two_sides

    database, processes = warehouse.database, workers or warehouse.settings.workers
    with database.connect("replayhouse audit compare", autocommit=True) as conn:
        prepare(conn)
        with two_sides(database, conn, wanted, names, processes, lambda doing: tell(doing, 0, 0)) as (a, b, tables):
            both = [one for one in tables if all(is_there(conn, side, *one) for side in (a, b))]
            missing = [f"{context}.{one.name}" for context, one in tables if (context, one) not in both]
            found: list[Comparison] = []
            if file is not None:
                write_header(file)
            with one_moment(conn, (a, b), both):
                for context, one in both:
                    tell("comparing", len(found), len(both))
                    of_two = TableOfTwo(conn, a, b, context, one, with_position=with_position)
                    found.append(of_two.compare(limit))
                    if file is not None and not found[-1].is_equal:
                        of_two.write(file)
    return found, missing


@contextmanager
def _writing(path: Path | None, *, is_forced: bool) -> Iterator[IO[bytes] | None]:
    """A file that takes its name only when it is complete."""
    if path is None:
        yield None
        return
    from replayhouse.infra.runtime.files import writing

    with writing(path, replaces=is_forced) as file:
        yield file


def _document(a: str, b: str, found: "list[Comparison]", missing: list[str]) -> dict[str, Any]:
    return {
        "a": a,
        "b": b,
        "equal": all(one.is_equal for one in found),
        "tables": {
            one.table: {
                "added": one.added,
                "removed": one.removed,
                "changed": one.changed,
                "columns": one.columns,
                "columns_of_one_side": one.left_out,
                "rows": [
                    {
                        "kind": row.kind,
                        "key": row.key,
                        "columns": {name: {"old": old, "new": new} for name, (old, new) in row.columns.items()},
                    }
                    for row in one.rows
                ],
            }
            for one in found
        },
        "tables_of_one_side": missing,
        "seconds": seconds_so_far(),
    }


def _show(a: str, b: str, found: "list[Comparison]", missing: list[str]) -> None:
    table(("table", "added", "removed", "changed"), [(one.table, one.added, one.removed, one.changed) for one in found])
    for name in missing:
        say(f"{name}: only one of the two has this table.")
    for one in found:
        if one.left_out:
            say(f"{one.table}: only one of the two has {', '.join(one.left_out)}.")
    for one in found:
        if not one.is_equal:
            _show_rows(one)
    if all(one.is_equal for one in found):
        say()
        say(f"{a} and {b} are equal.")


def _show_rows(one: "Comparison") -> None:
    """How often each column changed; then one block a row: its key, and a line for each column that differs."""
    different = one.added + one.removed + one.changed
    more = f", the first {len(one.rows):,} by key" if 0 < len(one.rows) < different else ""
    say()
    say(f"{one.table}: {count(different, 'row')} differ{'s' if different == 1 else ''}{more}")
    if one.columns:
        say(f"  changed: {', '.join(f'{name} {number:,}' for name, number in one.columns.items())}")
    for row in one.rows:
        say()
        say(f"  {row.kind}  {'  '.join(f'{name} {_plain(value)}' for name, value in row.key.items())}")
        told = _told(row)
        width = max((len(name) for name, _ in told), default=0)
        for name, cell in told:
            say(f"    {name.ljust(width)}  {cell}")


def _told(row: "DifferentRow") -> list[tuple[str, str]]:
    """Of a changed row old and new values; of another its values, without the empty ones."""
    if row.kind == "changed":
        return [(name, f"{_plain(old)} -> {_plain(new)}") for name, (old, new) in row.columns.items()]
    values = {name: new if row.kind == "added" else old for name, (old, new) in row.columns.items()}
    return [(name, _plain(value)) for name, value in values.items() if value is not None]


def _plain(value: object) -> str:
    """A value as a person reads it; numbers without separators, for some of them are dates."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else shown(value)
