"""A row of the star schema by its key, and the stream that it was folded from.

Tables are those that the projections declare; a view of a context stands for the table that its rows come from.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Column, Table

from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.read_models.checkpoints import projected
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.versions import refuse_others
from replayhouse.infra.runtime.errors import ReplayhouseError, Unknown, UsageError
from replayhouse.infra.runtime.identity import SEALED
from replayhouse.infra.runtime.short_ids import IdStart, one_of, read_id_start
from replayhouse.projections.projection import POSITION, personal_columns
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

UNKNOWN_MEMBER = (
    "No event made this row: it is the unknown member, which stands in the table from the beginning, for facts whose "
    "source names nobody."
)
CALENDAR = "No event made this row: the calendar is generated, up to the year after the latest time in the fact tables."

VIEWS = {"marketplace.dim_product": "marketplace.product"}
"""The folded table behind a view: one row each, with the same key."""

BESIDE = {"marketplace.dim_product": ("category_english", "marketplace.dim_category", "category")}
"""The column of a view that another table gives it: that table, and the column with the key of its row."""

_ROW = sql.SQL("SELECT {columns} FROM {table} WHERE {keys}")
_WHETHER = sql.SQL("CASE WHEN {column} IS NOT NULL THEN {sealed} END AS {column}")
_BEGINS = sql.SQL(
    "SELECT DISTINCT {column} FROM {table} WHERE {column} BETWEEN %s AND %s{before} ORDER BY {column} LIMIT 100"
)
_STREAM_AT = sql.SQL("SELECT originator_id FROM event_store.{events} WHERE notification_id = %s")


class TracedRow(NamedTuple):
    """A row, and the stream that it shows up to `position`; without a stream, `note` says why there is none.

    `beside` names rows that gave it a column, as arguments of the same command.
    """

    name: str
    table: Table
    context: str
    key: dict[str, Any]
    row: dict[str, Any]
    stream: UUID | None
    position: int
    note: str | None
    beside: tuple[tuple[str, str], ...]


def declared_tables() -> Mapping[str, Table]:
    """Every table whose rows can be traced, by its name with the schema; views of a context with that of their rows."""
    tables = {f"{context}.{table.name}": table for context, model in PROJECTIONS.items() for table in model.tables}
    tables["shared.dim_date"] = DIM_DATE
    return tables | {view: tables[of] for view, of in VIEWS.items()}


class NamedRow(NamedTuple):
    """A row that is there, by its key in full, and the stream that it was folded from; None where no event made it.

    None of its columns is read but the key and the position.
    """

    name: str
    key: dict[str, Any]
    stream: UUID | None

    @property
    def subjects(self) -> set[UUID]:
        """Whom or what it is about, as far as its key and its stream say."""
        return {one for one in (*self.key.values(), self.stream) if isinstance(one, UUID)}


def is_personal(name: str) -> bool:
    """Whether a row of the table, an event of its stream, or a line of an extract that these name shows personal
    fields: those of orders name lines of the customers file.
    """
    return name.partition(".")[0] in ("sales", "customer") or bool(personal_columns(declared_tables()[name]))


def name_row(conn: psycopg.Connection, name: str, given: Sequence[str]) -> NamedRow:
    """The row of a declared table with that key; `conn` is in autocommit.

    Raises UsageError where the key does not fit the table, or the table has no such row.
    """
    given_key = _read_key(name, list(declared_tables()[name].primary_key.columns), given)
    prepare(conn)
    refuse_others(conn, [name.partition(".")[0]])
    key = _whole_key(conn, name, given_key)
    columns = [POSITION] if POSITION in declared_tables()[name].columns else list(key)
    position = _fetch(conn, name, key, columns).get(POSITION)
    return NamedRow(name, key, _stream_at(conn, name, position) if position else None)


def find_row(conn: psycopg.Connection, named: NamedRow, *, reveals: bool = True) -> TracedRow:
    """The whole row, personal columns sealed unless it `reveals`. Raises UsageError where it is gone meanwhile."""
    name, key = named.name, named.key
    row = _fetch(conn, name, key, sealed=() if reveals else personal_columns(declared_tables()[name]))
    position = int(row.get(POSITION, 0))
    context = name.partition(".")[0]
    traced = TracedRow(name, declared_tables()[name], context, key, row, None, position, None, _beside(name, row))
    if name == "shared.dim_date":
        return traced._replace(note=CALENDAR)
    if position == 0:
        return traced._replace(note=UNKNOWN_MEMBER)
    return traced._replace(stream=_stream_at(conn, name, position))


def _read_key(name: str, columns: Sequence[Column[Any]], given: Sequence[str]) -> dict[str, Any]:
    texts = given[0].split(",") if len(given) == 1 < len(columns) else given
    if len(texts) != len(columns):
        wanted = " ".join(column.name.upper() for column in columns)
        raise UsageError(f"The key of {name} is {wanted}, and {len(texts)} of {len(columns)} values were given.")
    return {column.name: _read(name, column, text) for column, text in zip(columns, texts, strict=True)}


def _read(name: str, column: Column[Any], text: str) -> Any:
    kind = column.type.python_type
    if kind is UUID:
        return read_id_start(text)
    try:
        return int(text) if kind is int else date.fromisoformat(text) if kind is date else text
    except ValueError:
        raise UsageError(f"'{text}' cannot be the {column.name} of a row of {name}: that is a whole number.") from None


def _whole_key(conn: psycopg.Connection, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The key with its ids in full, each looked for among the rows that the ones before it leave."""
    key: dict[str, Any] = {}
    for column, value in given.items():
        if not isinstance(value, IdStart) or value.is_whole:
            key[column] = value.first if isinstance(value, IdStart) else value
            continue
        query = _BEGINS.format(
            table=sql.Identifier(*name.split(".")),
            column=sql.Identifier(column),
            before=sql.SQL("").join(sql.SQL(" AND {} = %s").format(sql.Identifier(known)) for known in key),
        )
        found = [id_ for (id_,) in conn.execute(query, [value.first, value.last, *key.values()]).fetchall()]
        key[column] = one_of(found, f"row in {name} whose {column} begins with {value.text}")
    return key


def _fetch(
    conn: psycopg.Connection,
    name: str,
    key: Mapping[str, Any],
    columns: Sequence[str] = (),
    sealed: Collection[str] = (),
) -> dict[str, Any]:
    """These columns of the row, or all; of those that are sealed only whether there is a value.

    Raises UsageError where there is no such row.
    """
    keys = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in key)
    wanted = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
    if sealed:
        wanted = sql.SQL(", ").join(
            _WHETHER.format(column=sql.Identifier(one.name), sealed=sql.Literal(SEALED))
            if one.name in sealed
            else sql.Identifier(one.name)
            for one in declared_tables()[name].columns
        )
    query = _ROW.format(columns=wanted, table=sql.Identifier(*name.split(".")), keys=keys)
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query, list(key.values())).fetchone()
    if row is None:
        told = ", ".join(f"{column} {value}" for column, value in key.items())
        raise Unknown(f"{name} has no row with {told}.{_behind(conn, name)}")
    return row


def _behind(conn: psycopg.Connection, name: str) -> str:
    """A word more where the read model does not show the whole log yet."""
    known, head = projected(conn, name.split(".", 1)[0]), read_head(conn).position
    if known is None or known.position >= head:
        return ""
    return f" Its read model shows the log up to position {known.position:,} of {head:,}: replayhouse project."


def _stream_at(conn: psycopg.Connection, name: str, position: int) -> UUID:
    context = name.partition(".")[0]
    found = conn.execute(_STREAM_AT.format(events=sql.Identifier(f"{context}_events")), [position]).fetchone()
    if found is None:
        raise ReplayhouseError(
            f"The row of {name} names position {position:,}, where {context} has no event: the row was not folded from "
            "this log, or the log was tampered with (replayhouse rebuild; replayhouse audit verify)."
        )
    stream: UUID = found[0]
    return stream


def _beside(name: str, row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if name not in BESIDE:
        return ()
    _, table, column = BESIDE[name]
    return ((table, str(row[column])),)
