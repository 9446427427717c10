"""What else holds personal fields of the read models, and keys: materialised views that read them, and statistics.

A view is as its query finds the rows; a materialised one keeps them until it is refreshed. PostgreSQL samples columns
as statistics, which outlive the rows: no personal column is sampled, nor is any of a materialised view that reads such
a table (`event_store.keep_no_statistics` in the migrations). Tables that somebody has filled from them are not found.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from replayhouse.infra.read_models.schema import Model, qualified
from replayhouse.projections import marts
from replayhouse.projections.projection import personal_columns

_KEYS = "event_store.subject_key"
_NONE_ON_KEYS = f"SELECT event_store.keep_no_statistics('{_KEYS}', ARRAY['key'])"
_NONE_ON = """
    SELECT event_store.keep_no_statistics(to_regclass(%(table)s), %(columns)s)
    WHERE to_regclass(%(table)s) IS NOT NULL
"""
_MATERIALISED = """
    SELECT schema, name, is_populated, columns
    FROM event_store.materialised_from(array_remove(ARRAY(SELECT to_regclass(unnest(%s::text[]))), NULL))
"""
_REFRESH = sql.SQL("REFRESH MATERIALIZED VIEW {}")
_WAIT_BRIEFLY = "SET LOCAL lock_timeout = '2s'"
"""For a view that somebody is reading: an erasure waits for nobody to end a transaction."""
_WAIT_AS_BEFORE = "SELECT set_config('lock_timeout', %s, true)"
_WAITING = "SELECT current_setting('lock_timeout')"


class _View(NamedTuple):
    schema: str
    name: str
    is_populated: bool
    columns: Sequence[str]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def is_live_mart(self) -> bool:
        """Whether it is one of the program's that shows the live tables, or is about to."""
        return self.schema in ("mart", "mart_fresh") and self.name in _personal_of_marts()

    @property
    def unsampled(self) -> Sequence[str]:
        """The columns of which there are to be no statistics: of a mart those that are personal, else all."""
        is_mart = self.schema.rpartition("_")[2] in ("mart", "fresh", "next")
        return _personal_of_marts().get(self.name, self.columns) if is_mart else self.columns


def forget(conn: psycopg.Connection, models: Sequence[Model]) -> list[str]:
    """Refreshes what is materialised from these models and from keys, and removes the statistics of all of them.

    Within the transaction that destroys keys, after the rows are folded anew. Returns the names of materialised views
    that could not be refreshed: they are somebody else's, are being read in a transaction that does not end, or their
    queries fail. None of that puts the erasure off. The live marts are left to whoever catches up after it, as all
    that follows the log: they note which erasures they know of. What reads them is left to `forget_on_marts`.
    """
    conn.execute(_NONE_ON_KEYS)
    for model in models:
        for table in model.tables.values():
            if names := personal_columns(table):
                conn.execute(_NONE_ON, {"table": qualified(table).as_string(conn), "columns": names})
    views = _materialised_from(conn, [*_personal_tables(conn, models), _KEYS])
    return [f"{view.schema}.{view.name}" for view in views if not view.is_live_mart and not _is_refreshed(conn, view)]


def forget_on_marts(conn: psycopg.Connection, stale: Collection[str]) -> list[str]:
    """Refreshes what others have materialised from live marts, once these show nothing of what was erased.

    Removes the statistics of both.

    `stale`: the marts, with their schema, that may still show it. Returns the names, with their schemas, of the
    materialised views that may show it, too: they read a stale mart, or could not be refreshed.
    """
    names = [sql.Identifier("mart", name).as_string(conn) for name, columns in _personal_of_marts().items() if columns]
    marts_and_views = _materialised_from(conn, names)
    for mart in marts_and_views:
        if mart.is_live_mart:  # it may have been renewed as it stands
            _remove_statistics(conn, mart)
    views = [view for view in marts_and_views if not view.is_live_mart]
    return [f"{view.schema}.{view.name}" for view in views if stale or not _is_refreshed(conn, view)]


def refresh(conn: psycopg.Connection, models: Sequence[Model]) -> None:
    """Refreshes what is materialised from tables that nobody else knows yet; within a transaction."""
    for view in _materialised(conn, models):
        conn.execute(_REFRESH.format(view.identifier))


def sample_no_views(conn: psycopg.Connection, models: Sequence[Model]) -> None:
    """Lets no statistics be made of what a swap has materialised anew; within its transaction."""
    for view in _materialised(conn, models):
        if not view.is_live_mart:
            _remove_statistics(conn, view)


def _personal_of_marts() -> dict[str, Sequence[str]]:
    return {mart.name: mart.personal for mart in marts.MARTS}


def _materialised(conn: psycopg.Connection, models: Iterable[Model]) -> list[_View]:
    return _materialised_from(conn, _personal_tables(conn, models))


def _personal_tables(conn: psycopg.Connection, models: Iterable[Model]) -> list[str]:
    """Tables with personal columns: views on them count, whatever they take, for a whole row names no column."""
    tables = [table for model in models for table in model.tables.values() if personal_columns(table)]
    return [qualified(table).as_string(conn) for table in tables]


def _materialised_from(conn: psycopg.Connection, tables: list[str]) -> list[_View]:
    return [_View(*row) for row in conn.execute(_MATERIALISED, [tables])]


def _is_refreshed(conn: psycopg.Connection, view: _View) -> bool:
    try:
        with conn.transaction():
            waiting = conn.execute(_WAITING).fetchone()
            conn.execute(_WAIT_BRIEFLY)
            if view.is_populated:
                conn.execute(_REFRESH.format(view.identifier))
            _remove_statistics(conn, view)
            conn.execute(_WAIT_AS_BEFORE, waiting)
    except (errors.LockNotAvailable, errors.DeadlockDetected):  # the locks of this view, and no others, are given up
        return False
    except psycopg.OperationalError:
        raise
    except psycopg.Error:
        return False
    return True


def _remove_statistics(conn: psycopg.Connection, view: _View) -> None:
    conn.execute(_NONE_ON, {"table": view.identifier.as_string(conn), "columns": list(view.unsampled)})
