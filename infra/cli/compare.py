"""`audit compare`: what differs between two read models, and row by row how."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, shown, table
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.compare import CompareReport
    from replayhouse.infra.read_models.snapshots.diff import Comparison, DifferentRow

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
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.compare(
            a, b, tables or (), limit=limit, csv=csv, force=force, with_position=with_position, workers=workers
        )
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    _show(report)
    if csv is not None:
        say()
        say(f"Every difference stands in {csv}.")


def _show(report: "CompareReport") -> None:
    found = report.tables
    table(("table", "added", "removed", "changed"), [(one.table, one.added, one.removed, one.changed) for one in found])
    for name in report.missing:
        say(f"{name}: only one of the two has this table.")
    for one in found:
        if one.left_out:
            say(f"{one.table}: only one of the two has {', '.join(one.left_out)}.")
    for one in found:
        if not one.is_equal:
            _show_rows(one)
    if report.is_equal:
        say()
        say(f"{report.a} and {report.b} are equal.")


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
