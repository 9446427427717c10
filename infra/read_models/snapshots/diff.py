"""What differs between two read models, table by table: counted and shown by set-wise SQL, in one pass over each table.

The two sides are joined by key, in full; of the rows that differ the server keeps the key only, and which columns do.
Python holds no more rows than are to be shown; a file of all differences is streamed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

import psycopg
from psycopg import IsolationLevel, errors, sql
from sqlalchemy import Table

from replayhouse.infra.runtime.csv_cells import harmless
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.projections.projection import POSITION, key_width

KEY_SEPARATOR = "/"
"""Between the values of a key of several columns, where it is one cell."""

# Texts of values are those of the digests. A hash join of a million rows should not need the disk. The planner takes
# all rows to differ and fears what they cost on their way out of parallel workers; few do.
SETTINGS = """
    SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL extra_float_digits = 1;
    SET LOCAL work_mem = '64MB'; SET LOCAL parallel_tuple_cost = 0
"""
"""What a transaction that compares is set to."""
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")
_COLUMNS = """
    SELECT a.attname::text, format_type(a.atttypid, NULL)
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
_DIFFERENT = sql.SQL("""
    WITH different AS MATERIALIZED (
        SELECT {keys}, CASE WHEN a.{key} IS NULL THEN -1 WHEN b.{key} IS NULL THEN -2 ELSE {mask} END AS mask
        FROM {a} AS a FULL JOIN {b} AS b ON {same_key}
        WHERE ({of_a}) IS DISTINCT FROM ({of_b})
    )
    SELECT mask, count(*), {nulls} FROM different GROUP BY mask
    UNION ALL
    SELECT mask, NULL, {names} FROM (SELECT * FROM different ORDER BY {names_in_order} LIMIT {limit}) AS first_ones
""")
_BIT = sql.SQL("CASE WHEN {} IS DISTINCT FROM {} THEN {}::bigint ELSE 0 END")
_ROWS = sql.SQL("""
    SELECT {columns} FROM {table} AS t JOIN unnest({arrays}) AS wanted({names}) USING ({names})
""")
_AS_CSV = sql.SQL("""
    COPY (
        SELECT {table}, CASE WHEN a.{key} IS NULL THEN 'added' WHEN b.{key} IS NULL THEN 'removed' ELSE 'changed' END,
            {key_cell}, cell.name, {old_cell}, {new_cell}
        FROM {a} AS a FULL JOIN {b} AS b ON {same_key}
        CROSS JOIN LATERAL (
            VALUES (0, NULL, a.{key} IS NULL OR b.{key} IS NULL, NULL, NULL), {cells}
        ) AS cell(place, name, differs, old, new)
        WHERE ({of_a}) IS DISTINCT FROM ({of_b}) AND cell.differs
        ORDER BY {keys_in_order}, cell.place
    ) TO STDOUT (FORMAT csv)
""")
_CELL = sql.SQL("""
    ({place}, {name}, a.{key} IS NOT NULL AND b.{key} IS NOT NULL AND {old} IS DISTINCT FROM {new}, {old}::text,
        {new}::text)
""")
_KEY_CELL = sql.SQL(harmless("concat_ws({}, {})"))
_AS_CSV_HEADER = b"table,kind,key,column,old,new\n"

_ADDED, _REMOVED = -1, -2
_KINDS = {_ADDED: "added", _REMOVED: "removed"}


class Side(NamedTuple):
    """A read model to be compared: what the user calls it, and in which schema each of its contexts stands."""

    name: str
    schemas: Mapping[str, str]


class DifferentRow(NamedTuple):
    """A row that differs: `kind` is added, removed or changed. Its key by column, and the old and new value of others.

    Of a changed row those columns that differ; of one that was added or removed all, with None on the side without it.
    """

    kind: str
    key: dict[str, Any]
    columns: dict[str, tuple[Any, Any]]

    def document(self) -> dict[str, object]:
        """As `audit compare --json` prints it."""
        columns = {name: {"old": old, "new": new} for name, (old, new) in self.columns.items()}
        return {"kind": self.kind, "key": self.key, "columns": columns}


@dataclass
class Comparison:
    """How a table of two read models differs: complete counts, and the first rows by key.

    `columns` counts the changed rows in which a column differs. `left_out` are columns that one of the sides lacks.
    """

    table: str
    left_out: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    rows: list[DifferentRow] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether no row differs."""
        return not (self.added or self.removed or self.changed)

    def document(self) -> dict[str, object]:
        """As `audit compare --json` prints it."""
        return {
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "columns": self.columns,
            "columns_of_one_side": self.left_out,
            "rows": [row.document() for row in self.rows],
        }


def is_there(conn: psycopg.Connection, side: Side, context: str, table: Table) -> bool:
    """Whether a side has a table: one that an older program made may lack it."""
    return bool(_columns(conn, side.schemas[context], table.name))


@contextmanager
def one_moment(conn: psycopg.Connection, sides: Sequence[Side], tables: Sequence[tuple[str, Table]]) -> Iterator[None]:
    """The block sees the tables as of one moment, and nobody swaps or drops them meanwhile. `conn` in autocommit.

    Raises Conflicting where one of them was removed a moment ago.
    """
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with conn.transaction():
            _lock(conn, sides, tables)  # before the snapshot is taken
            conn.execute(SETTINGS)
            yield
    finally:
        if not conn.closed:
            conn.isolation_level = None


def _lock(conn: psycopg.Connection, sides: Sequence[Side], tables: Sequence[tuple[str, Table]]) -> None:
    for side in sides:
        for context, table in tables:
            try:
                conn.execute(_LOCK.format(sql.Identifier(side.schemas[context], table.name)))
            except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
                raise Conflicting(f"{side.name} was replaced or removed a moment ago. Try again.") from error


class TableOfTwo:
    """A table as it stands on both sides, within `one_moment`; `position` is compared only if that is wanted.

    Raises UsageError where a side, which another program has made, lacks a column of the key.
    """

    def __init__(
        self, conn: psycopg.Connection, a: Side, b: Side, context: str, table: Table, *, with_position: bool = False
    ) -> None:
        self._conn = conn
        self._name = f"{context}.{table.name}"
        self._a, self._b = (sql.Identifier(side.schemas[context], table.name) for side in (a, b))
        of_a, of_b = (_columns(conn, side.schemas[context], table.name) for side in (a, b))
        both = [name for name in of_b if name in of_a and (with_position or name != POSITION)]
        self._keys = [column.name for column in table.primary_key.columns]
        if lacking := [name for name in self._keys if name not in of_a or name not in of_b]:
            raise UsageError(
                f"{self._name} cannot be compared: {a.name if lacking[0] in of_b else b.name} has no column "
                f"{lacking[0]}, which is part of its key. Name the tables to compare by --table."
            )
        self._key_types = [of_a[name] for name in self._keys]
        self._values = [name for name in both if name not in self._keys]
        self._in_text = {name for name in both if of_a[name] != of_b[name]}
        self._left_out = tuple(sorted(of_a.keys() ^ of_b.keys()))
        assert len(self._keys) == key_width(table)

    def compare(self, limit: int) -> Comparison:
        """Counts all rows that differ, and reads the first `limit` of them."""
        found = Comparison(self._name, self._left_out)
        counts: dict[int, int] = {}
        first: list[tuple[int, tuple[Any, ...]]] = []
        for mask, number, *key in self._conn.execute(self._different(limit)).fetchall():
            if number is None:
                first.append((mask, tuple(key)))
            else:
                counts[mask] = number
        found.added, found.removed = counts.pop(_ADDED, 0), counts.pop(_REMOVED, 0)
        found.changed = sum(counts.values())
        for place, name in enumerate(self._values):
            if in_column := sum(number for mask, number in counts.items() if mask >> place & 1):
                found.columns[name] = in_column
        found.rows = self._shown(first)
        return found

    def write(self, file: IO[bytes]) -> None:
        """Every difference as a line of CSV, by key; of a changed row a line for each column that differs."""
        statement = _AS_CSV.format(
            **self._join(),
            table=sql.Literal(self._name),
            key_cell=_KEY_CELL.format(sql.Literal(KEY_SEPARATOR), sql.SQL(", ").join(map(_either, self._keys))),
            old_cell=sql.SQL(harmless("cell.old")),
            new_cell=sql.SQL(harmless("cell.new")),
            keys_in_order=self._in_order(list(map(_either, self._keys))),
            cells=sql.SQL(", ").join(
                _CELL.format(
                    place=sql.Literal(place),
                    name=sql.Literal(name),
                    key=sql.Identifier(self._keys[0]),
                    old=self._of("a", name),
                    new=self._of("b", name),
                )
                for place, name in enumerate(self._values, start=1)
            ),
        )
        with self._conn.cursor() as cursor, cursor.copy(statement) as copy:
            for data in copy:
                file.write(data)

    def _different(self, limit: int) -> sql.Composed:
        names = list(map(sql.Identifier, self._keys))
        bits = [
            _BIT.format(self._of("a", name), self._of("b", name), sql.Literal(1 << place))
            for place, name in enumerate(self._values)
        ]
        return _DIFFERENT.format(
            **self._join(),
            keys=sql.SQL(", ").join(
                sql.SQL("{} AS {}").format(_either(name), sql.Identifier(name)) for name in self._keys
            ),
            mask=sql.SQL(" + ").join(bits),
            nulls=sql.SQL(", ").join([sql.SQL("NULL")] * len(names)),
            names=sql.SQL(", ").join(names),
            names_in_order=self._in_order(names),
            limit=sql.Literal(limit),
        )

    def _join(self) -> dict[str, sql.Composable]:
        every = [*self._keys, *self._values]
        return {
            "a": self._a,
            "b": self._b,
            "key": sql.Identifier(self._keys[0]),
            "same_key": sql.SQL(" AND ").join(sql.SQL("a.{0} = b.{0}").format(sql.Identifier(n)) for n in self._keys),
            "of_a": sql.SQL(", ").join(self._of("a", name) for name in every),
            "of_b": sql.SQL(", ").join(self._of("b", name) for name in every),
        }

    def _of(self, side: str, name: str) -> sql.Composed:
        column = sql.SQL("{}.{}").format(sql.SQL(side), sql.Identifier(name))
        return sql.SQL("{}::text").format(column) if name in self._in_text else column

    def _in_order(self, keys: Sequence[sql.Composable]) -> sql.Composed:
        """UUIDs and numbers by value, texts by code point (R10)."""
        by_code_point = sql.SQL('{} COLLATE "C"')
        return sql.SQL(", ").join(
            by_code_point.format(key) if kind == "text" else key
            for key, kind in zip(keys, self._key_types, strict=True)
        )

    def _shown(self, first: Sequence[tuple[int, tuple[Any, ...]]]) -> list[DifferentRow]:
        keys = [key for _, key in first]
        old, new = self._rows(self._a, keys), self._rows(self._b, keys)
        nothing = (None,) * len(self._values)
        shown = []
        for mask, key in first:
            cells = zip(self._values, old.get(key, nothing), new.get(key, nothing), strict=True)
            columns = {
                name: (was, now) for place, (name, was, now) in enumerate(cells) if mask < 0 or mask >> place & 1
            }
            shown.append(DifferentRow(_KINDS.get(mask, "changed"), dict(zip(self._keys, key, strict=True)), columns))
        return shown

    def _rows(self, table: sql.Identifier, keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """The rows of one side with these keys, by key, without it."""
        if not keys:
            return {}
        names = sql.SQL(", ").join(map(sql.Identifier, self._keys))
        arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in self._key_types)
        columns = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(n)) for n in (*self._keys, *self._values))
        query = _ROWS.format(columns=columns, table=table, arrays=arrays, names=names)
        width = len(self._keys)
        rows = self._conn.execute(query, [list(values) for values in zip(*keys, strict=True)]).fetchall()
        return {row[:width]: row[width:] for row in rows}


def write_header(file: IO[bytes]) -> None:
    """The first line of the file that `TableOfTwo.write` goes on with."""
    file.write(_AS_CSV_HEADER)


def _columns(conn: psycopg.Connection, schema: str, table: str) -> dict[str, str]:
    """The columns of a table with their types; none if there is no such table."""
    return dict(conn.execute(_COLUMNS, [schema, table]).fetchall())


def _either(name: str) -> sql.Composed:
    return sql.SQL("coalesce(a.{0}, b.{0})").format(sql.Identifier(name))
