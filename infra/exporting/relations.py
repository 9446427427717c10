"""The tables, views and marts of what is exported, as the database describes them: in one snapshot, and held there.

What a program of another version has made is described as it stands. Views and tables of others in `mart` are read as
tables: whether DuckDB would find the same in their queries, nobody knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg import IsolationLevel, errors, sql

from replayhouse.infra.exporting.sources import Source
from replayhouse.infra.read_models import marts_shown
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.projections import sights
from replayhouse.projections.marts import MARTS
from replayhouse.projections.projection import POSITION
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

_TABLE, _VIEW, _MATERIALISED = "r", "v", "m"

_DESCRIBED = """
    SELECT n.nspname::text, c.relname::text, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''),
        array_agg(a.attname::text ORDER BY a.attnum),
        array_agg(a.attnotnull ORDER BY a.attnum),
        array_agg(a.atttypid = 'uuid'::regtype ORDER BY a.attnum),
        array_agg(coalesce(col_description(c.oid, a.attnum), '') ORDER BY a.attnum),
        (
            SELECT array_agg(k.attname::text ORDER BY array_position(i.indkey::int2[], k.attnum))
            FROM pg_index AS i JOIN pg_attribute AS k ON k.attrelid = c.oid AND k.attnum = ANY(i.indkey::int2[])
            WHERE i.indrelid = c.oid AND i.indisprimary
        )
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'v', 'm')
    GROUP BY n.nspname, c.oid
    ORDER BY array_position(%s, n.nspname::text), c.oid
"""
_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")

_KEYS_OF_MARTS = {mart.name: mart.key for mart in MARTS}
_PERSONAL = {(one.place, one.name): one.personal for one in sights.relations()}


class Column(NamedTuple):
    """A column as the database has it, with its comment."""

    name: str
    is_null: bool
    is_id: bool
    comment: str


class Relation(NamedTuple):
    """What becomes a file, by its place in the export (a context, `shared` or `mart`) and its schema in the database.

    `personal` are those of its columns that show personal fields.
    """

    place: str
    schema: str
    name: str
    kind: str
    comment: str
    columns: Sequence[Column]
    key: Sequence[str]
    is_of_others: bool

    @property
    def address(self) -> str:
        """Its name in the export, with its place."""
        return f"{self.place}.{self.name}"

    @property
    def stands_as(self) -> str:
        """Its name in the database, with its schema."""
        return f"{self.schema}.{self.name}"

    @property
    def is_view(self) -> bool:
        """Whether it is a view of the star schema, whose query runs in DuckDB too."""
        return self.kind == _VIEW and not self.is_of_others

    @property
    def is_folded(self) -> bool:
        """Whether it has a digest: it is a table of a context."""
        return self.kind == _TABLE and self.place in PROJECTIONS

    @property
    def personal(self) -> frozenset[str]:
        """The columns that show personal fields of events."""
        return _PERSONAL.get((self.place, self.name), frozenset())


def relations(conn: psycopg.Connection, source: Source) -> list[Relation]:
    """All that there is to export, in the order of the star schema."""
    places = {schema: place for place, schema in source.schemas.items()}
    schemas = list(places)
    found = []
    for schema, name, kind, comment, names, not_null, are_ids, comments, key in conn.execute(
        _DESCRIBED, [schemas, schemas]
    ).fetchall():
        place = places[schema]
        columns = [
            Column(*column) for column in zip(names, [not one for one in not_null], are_ids, comments, strict=True)
        ]
        one = Relation(place, schema, name, kind, comment, columns, key or _KEYS_OF_MARTS.get(name, ()), False)
        if place == "mart":
            found.append(one._replace(is_of_others=name not in _KEYS_OF_MARTS))
        elif _is_ours(one):
            found.append(one)
    return found


def _is_ours(one: Relation) -> bool:
    if one.place == "shared":
        return one.name == DIM_DATE.name
    if one.kind == _VIEW:
        return one.name in [view.name for view in PROJECTIONS[one.place].views]
    return one.kind == _TABLE and one.columns[-1].name == POSITION


@contextmanager
def one_snapshot(conn: psycopg.Connection, source: Source) -> Iterator[list[Relation]]:
    """The block sees all of it as of one moment, and nobody swaps or drops anything of it meanwhile.

    `conn` in autocommit. Raises Conflicting where that was done a moment ago.
    """
    there = relations(conn, source)
    conn.isolation_level, conn.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        with conn.transaction():
            _lock(conn, source, there)
            if source.mart == "mart":
                marts_shown.shown(conn)
            found = relations(conn, source)
            if _names(found) != _names(there):
                raise Conflicting(f"The read models of '{source.moment}' were replaced a moment ago. Try again.")
            yield found
    finally:
        if not conn.closed:
            conn.isolation_level, conn.read_only = None, None


def _lock(conn: psycopg.Connection, source: Source, there: Sequence[Relation]) -> None:
    """Before the snapshot is taken; views before the tables that they stand on, as readers take them."""
    for kind in (_VIEW, _TABLE):
        for one in there:
            if one.kind == kind and not one.is_of_others:
                try:
                    conn.execute(_LOCK.format(sql.Identifier(one.schema, one.name)))
                except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
                    raise Conflicting(
                        f"The read models of '{source.moment}' were replaced or removed a moment ago. Try again."
                    ) from error


def _names(found: Sequence[Relation]) -> set[str]:
    return {one.address for one in found if not one.is_of_others}


def withheld_of(found: Sequence[Relation]) -> Mapping[str, Sequence[str]]:
    """The personal columns, by table, in their order."""
    return {
        one.address: [column.name for column in one.columns if column.name in one.personal]
        for one in found
        if one.personal
    }
