"""The columns that a query gives, held against those of a record, and how they are cast to text."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from replayhouse.infra.sources.document import Expectations
from replayhouse.infra.sources.names import meant
from replayhouse.infra.sources.queries import literal, quoted
from replayhouse.infra.sources.selects import RefusedError
from replayhouse.ingest.records import MAY_BE_UNKNOWN, RECORDS, CellKind

LINE, LINES, FILE = "line", "lines", "file"

_CASTS = {"TIMESTAMP WITH TIME ZONE": "strftime({name}, '%Y-%m-%d %H:%M:%S')"}
"""How a value of a type becomes text, where the plain cast will not do: a moment becomes the source's local time."""

_NO_CELL = ("[", "STRUCT", "MAP", "UNION", "BLOB", "VARIANT")
"""Types whose values are no cells: their names begin or end so."""


class MadeColumns(NamedTuple):
    """`casts` are the columns of the table that is made, `order` all by which records are told apart and sorted.

    `cells` are those of the record, in its order, null where the query does not give them; `given` those that it gives,
    `all` their names, `absent` the optional ones that it does not give.
    """

    casts: str
    order: tuple[str, ...]
    cells: tuple[str, ...]
    given: tuple[str, ...]
    all: tuple[str, ...]
    absent: tuple[str, ...]
    has_file: bool


def made_columns(record: str, described: Sequence[tuple[str, str]], expectations: Expectations) -> MadeColumns:
    """What a query with these columns, each with its type, gives of a record, and what it need not know.

    Statuses in the words of the source become those of the eight.

    Raises RefusedError where a column is missing, is none of the record's, or is no text, number or time.
    """
    columns = {column.name: column for column in RECORDS[record].columns()}
    given = {name.lower(): (name, kind) for name, kind in described}
    for key, (name, kind) in given.items():
        if key not in columns and key not in (LINE, LINES, FILE):
            raise RefusedError(f"gives a column {name!r} that {record} has not: {meant(key, columns)}")
        if kind.startswith(_NO_CELL) or kind.endswith("]"):
            raise RefusedError(f"gives {name!r} as {kind}, which is no cell: make a text, a number or a time of it")
    if LINE not in given:
        raise RefusedError("gives no column 'line': select the line of the row that each record is made from")
    needed = [name for name, one in columns.items() if not (one.may_be_empty or one.is_optional)]
    may_lack = {name for of, name in MAY_BE_UNKNOWN if of == record and name in expectations.unknown}
    if lacking := [name for name in needed if name not in given and name not in may_lack]:
        raise RefusedError(f"lacks {', '.join(lacking)}, which no record of {record} is without")
    there = [name for name in columns if name in given]
    words = {name: expectations.statuses for name, one in columns.items() if one.kind is CellKind.STATUS}
    return MadeColumns(
        casts=", ".join([*_places(given), *(_cast(*given[name], name, words.get(name, {})) for name in there)]),
        order=(LINE, LINES, *map(quoted, there)),
        cells=tuple(quoted(name) if name in given else f"NULL::VARCHAR AS {quoted(name)}" for name in columns),
        given=tuple(there),
        all=tuple(columns),
        absent=tuple(name for name, one in columns.items() if one.is_optional and name not in given),
        has_file=FILE in given,
    )


def _places(given: dict[str, tuple[str, str]]) -> list[str]:
    lines = f"coalesce(TRY_CAST({LINES} AS INTEGER), 1)" if LINES in given else "1::INTEGER"
    places = [f"TRY_CAST({LINE} AS INTEGER) AS {LINE}", f"{lines} AS {LINES}"]
    return [*places, f"{FILE}::VARCHAR AS {FILE}"] if FILE in given else places


def _cast(name: str, kind: str, column: str, words: Mapping[str, str]) -> str:
    cell = _CASTS.get(kind, "CAST({name} AS VARCHAR)").format(name=quoted(name))
    meanings = " ".join(f"WHEN {literal(word)} THEN {literal(meaning)}" for word, meaning in words.items())
    cases = f"CASE coalesce({cell}, '') {meanings} ELSE {cell} END" if words else cell
    return f"nullif({cases}, '') AS {quoted(column)}"
