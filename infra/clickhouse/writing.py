"""Writing rows: into new tables, and what a window of the log changes in tables that stand.

Rows are sent as the lines that PostgreSQL is sent: what is stored is what the digest hashes. ClickHouse reads that form
as quickly as Arrow's, and to make Arrow of rows would cost as much again as to write their lines.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Table

from replayhouse.infra.clickhouse import tables
from replayhouse.infra.clickhouse.server import Server
from replayhouse.infra.clickhouse.tables import DELETED, NEXT, VERSION, columns_of, keys_of, rows_of
from replayhouse.infra.read_models.upsert import TableLines
from replayhouse.projections.projection import POSITION
from replayhouse.projections.warehouse import PROJECTIONS

_T = TypeVar("_T")

_KEYS_A_STATEMENT = 5_000
_POSITIONS_A_STATEMENT = 10_000

# Only what stands is removed, as it was folded from the stream that gives it up: a row that is another stream's by now
# has another position, and stays.
_REMOVE = """
    INSERT INTO {rows} ({columns})
    SELECT {keys}, position, {version}, 1 FROM {rows} FINAL WHERE {condition}
"""
_COPY = "INSERT INTO {following} ({columns}) SELECT {columns} FROM {rows} FINAL"


def version_of(step: int, *, is_removal: bool = False) -> int:
    """The version of rows that a step writes or removes: greater than those of earlier steps, a write the greater."""
    return 2 * step if is_removal else 2 * step + 1


def insert(server: Server, table: Table, lines: bytes, version: int, *, suffix: str = "") -> None:
    """Adds rows, given as COPY's lines with their positions, of a version."""
    lines = lines.replace(b"\n", b"\t%d\t0\n" % version)  # what stands within a line is written otherwise
    server.insert_lines(rows_of(table) + suffix, [*table.columns.keys(), VERSION, DELETED], lines)


def write_changes(server: Server, context: str, changes: Mapping[str, TableLines], step: int) -> None:
    """Writes what became of streams: rows that are no more go, the others come. Done again, nothing changes."""
    declared = {table.name: table for table in PROJECTIONS[context].tables}
    for name, lines in changes.items():
        table = declared[name]
        if lines.gone:
            _remove_keys(server, table, lines.gone, step)
        if lines.written:
            insert(server, table, lines.written, version_of(step))


def _remove_keys(server: Server, table: Table, gone: bytes, step: int) -> None:
    condition = f"({', '.join([*keys_of(table), POSITION])}) IN ({{}})"
    keys = [_tuple(line) for line in gone.split(b"\n")[:-1]]
    for some in _parts(keys, _KEYS_A_STATEMENT):
        _remove(server, table, condition.format(", ".join(some)), step)


def _tuple(line: bytes) -> str:
    """A line of COPY's as a tuple of literals: both escape signs in the same way, but for the quotation mark."""
    *keys, position = line.decode().replace("'", "\\'").split("\t")
    return "(" + "".join(f"'{key}', " for key in keys) + f"{position})"


def remove_streams(server: Server, context: str, positions: Collection[int], step: int) -> None:
    """Removes all rows of the streams that have events at these positions."""
    for table in PROJECTIONS[context].tables:
        for some in _parts(sorted(positions), _POSITIONS_A_STATEMENT):
            _remove(server, table, f"{POSITION} IN ({', '.join(map(str, some))})", step)


def _remove(server: Server, table: Table, condition: str, step: int) -> None:
    keys = keys_of(table)
    server.execute(
        _REMOVE.format(
            rows=server.named(rows_of(table)),
            columns=", ".join([*keys, POSITION, VERSION, DELETED]),
            keys=", ".join(keys),
            version=version_of(step, is_removal=True),
            condition=condition,
        )
    )


def write_anew(server: Server, table: Table) -> None:
    """Writes what stands of a table into a new one, which takes its place: no file has anything else any more."""
    tables.drop(server, rows_of(table) + NEXT)
    following = tables.create(server, table)
    columns = ", ".join([*columns_of(table), VERSION, DELETED])
    server.execute(_COPY.format(following=server.named(following), rows=server.named(rows_of(table)), columns=columns))
    tables.put_in_place(server, table)


def _parts(some: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for first in range(0, len(some), size):
        yield some[first : first + size]
