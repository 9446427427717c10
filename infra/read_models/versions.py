"""Which program made the tables that stand: this one, or another, whose columns or rows would be other ones.

A revision keeps the fingerprint of its tables and the version of its fold. Those that were made before there were any
are recognised by the columns that they have. Tables of another program are never written to: they are filled anew.
"""

from collections.abc import Iterable

import psycopg

from replayhouse.infra.read_models.schema import Model
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.fingerprint import Shape, Shapes, fingerprint_of, shapes_of
from replayhouse.projections.projection import POSITION
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

REASON = "the tables or the fold are other ones than those of the program before"
"""Why a revision is made anew, as `replayhouse revisions` shows it."""

_LIVE = """
    SELECT context, fingerprint, fold_version
    FROM read_model.projection JOIN read_model.revision USING (context, revision)
    WHERE context = ANY(%s)
"""
_SHAPES = """
    SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
        coalesce(array_position(k.indkey::int2[], a.attnum) + 1, 0)
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_index AS k ON k.indrelid = c.oid AND k.indisprimary
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r'
    ORDER BY c.oid, a.attnum
"""
_RECORD = """
    UPDATE read_model.revision AS r SET fingerprint = %s
    FROM read_model.projection AS p
    WHERE r.context = %s AND p.context = r.context AND p.revision = r.revision AND r.fingerprint IS NULL
"""
_SPOIL = """
    UPDATE read_model.revision AS r SET fold_version = 0
    FROM read_model.projection AS p
    WHERE r.context = %s AND p.context = r.context AND p.revision = r.revision
"""


class OtherVersion(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """Live tables were made by another version of the program; `is_newer` tells which of the two knows more."""

    exit_code = 2

    def __init__(self, contexts: Iterable[str], *, is_newer: bool) -> None:
        names = list(contexts)
        what = f"The read model{'s' if len(names) > 1 else ''} of {', '.join(names)} {'were' if names[1:] else 'was'}"
        if is_newer:
            told = (
                f"{what} made by a newer version of this program: use that one. To go back for good, run replayhouse "
                f"rebuild {' '.join(names)}, which makes the tables anew with this one."
            )
        else:
            told = (
                f"{what} made by an earlier version of this program, with other tables or another fold: run "
                "replayhouse project, which fills the tables anew. Until then they stay as they were."
            )
        super().__init__(told)
        self.is_newer = is_newer


def is_current(conn: psycopg.Connection, context: str) -> bool:
    """Whether the live tables of a context were made with the tables and by the fold of this program."""
    return not others(conn, [context])


def others(conn: psycopg.Connection, contexts: Iterable[str] = tuple(PROJECTIONS)) -> dict[str, bool]:
    """The contexts whose live tables another program has made, each with whether that one is newer.

    A context without a read model is none of them.
    """
    found = {}
    for context, (fingerprint, version) in _live(conn, contexts).items():
        projection = PROJECTIONS[context]
        if (version, fingerprint) != (projection.version, projection.fingerprint):
            found[context] = version > projection.version
    return found


def earlier(conn: psycopg.Connection) -> list[str]:
    """All contexts whose live tables must be filled anew."""
    return [context for context, is_newer in others(conn).items() if not is_newer]


def refuse_others(conn: psycopg.Connection, contexts: Iterable[str] = tuple(PROJECTIONS)) -> None:
    """Raises OtherVersion where another program has made live tables of these contexts."""
    found = others(conn, contexts)
    for is_newer in (True, False):
        if named := [context for context, of_this in found.items() if of_this is is_newer]:
            raise OtherVersion(named, is_newer=is_newer)


def _live(conn: psycopg.Connection, contexts: Iterable[str]) -> dict[str, tuple[str, int]]:
    """By context, the fingerprint of the live tables and the version of their fold."""
    rows = {context: told for context, *told in conn.execute(_LIVE, [list(contexts)]).fetchall()}
    return {
        context: (rows[context][0] or _fingerprint_by_columns(conn, context), rows[context][1])
        for context in PROJECTIONS
        if context in rows
    }


def recognise(conn: psycopg.Connection) -> None:
    """Notes the fingerprints of live tables that were made before there were any, by the columns that they have."""
    for context in [c for c, fingerprint, _ in conn.execute(_LIVE, [list(PROJECTIONS)]).fetchall() if not fingerprint]:
        conn.execute(_RECORD, [_fingerprint_by_columns(conn, context), context])


def spoil(conn: psycopg.Connection, context: str) -> None:
    """Notes that rows were taken out of the live tables: whichever program comes next fills them anew."""
    conn.execute(_SPOIL, [context])


def standing_shapes(conn: psycopg.Connection, schema: str) -> Shapes:
    """The folded tables of a schema as they stand: those with a position, whoever declared them."""
    found = _shapes(conn, schema)
    return {table: columns for table, columns in found.items() if POSITION in [column.name for column in columns]}


def _shapes(conn: psycopg.Connection, schema: str) -> Shapes:
    found: Shapes = {}
    for table, *column in conn.execute(_SHAPES, [schema]).fetchall():
        found.setdefault(table, []).append(Shape(*column))
    return found


def has_declared_calendar(conn: psycopg.Connection) -> bool:
    """Whether the calendar, which no stream makes, has the columns that this program would give it."""
    return _shapes(conn, "shared").get(DIM_DATE.name) == shapes_of([DIM_DATE])[DIM_DATE.name]


def has_declared_tables(conn: psycopg.Connection, model: Model) -> bool:
    """Whether all tables of a revision stand as this program would make them; they have their primary keys."""
    there = standing_shapes(conn, model.schema)
    return all(there.get(name) == columns for name, columns in shapes_of(model.projection.tables).items())


def _fingerprint_by_columns(conn: psycopg.Connection, context: str) -> str:
    declared = PROJECTIONS[context].tables
    there = standing_shapes(conn, context)
    return fingerprint_of({table.name: there[table.name] for table in declared if table.name in there})
