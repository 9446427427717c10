"""What else holds personal fields of the read models: materialised views that read them, and statistics.

A view is as its query finds the rows; a materialised one keeps them until it is refreshed. PostgreSQL samples columns
as statistics, which outlive the rows: no personal column is sampled, nor is any of a materialised view that reads such
a table (`event_store.keep_no_statistics` in the migrations). Tables that somebody has filled from them are not found.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from infra.postgres.read_models.schema import Model, qualified
from projections.projection import personal_columns

_NONE_ON_KEYS = "SELECT event_store.keep_no_statistics('event_store.subject_key', ARRAY['key'])"
_NONE_ON = """
    SELECT event_store.keep_no_statistics(to_regclass(%(table)s), %(columns)s)
    WHERE to_regclass(%(table)s) IS NOT NULL
"""
_MATERIALISED = """
    SELECT schema, name, is_populated, columns
    FROM event_store.materialised_from(array_remove(ARRAY(SELECT to_regclass(unnest(%s::text[]))), NULL))
"""
_REFRESH = sql.SQL("REFRESH MATERIALIZED VIEW {}")


class _View(NamedTuple):
    schema: str
    name: str
    is_populated: bool
    columns: Sequence[str]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def forget(conn: psycopg.Connection, models: Sequence[Model]) -> list[str]:
    """Refreshes what is materialised from these models, and removes the statistics of them and of keys.

    Within the transaction that destroys keys, after the rows are folded anew. Returns the names of materialised views
    that could not be refreshed: they are somebody else's, or their queries fail. Raises a lock timeout where one is
    being read for long.
    """
    conn.execute(_NONE_ON_KEYS)
    for model in models:
        for table in model.tables.values():
            if names := personal_columns(table):
                conn.execute(_NONE_ON, {"table": qualified(table).as_string(conn), "columns": names})
    return [f"{view.schema}.{view.name}" for view in _materialised(conn, models) if not _is_refreshed(conn, view)]


def refresh(conn: psycopg.Connection, models: Sequence[Model]) -> None:
    """Refreshes what is materialised from tables that nobody else knows yet; within a transaction."""
    for view in _materialised(conn, models):
        conn.execute(_REFRESH.format(view.identifier))


def sample_no_views(conn: psycopg.Connection, models: Sequence[Model]) -> None:
    """Lets no statistics be made of what a swap has materialised anew; within its transaction."""
    for view in _materialised(conn, models):
        _remove_statistics(conn, view)


def _materialised(conn: psycopg.Connection, models: Iterable[Model]) -> list[_View]:
    """Views on tables with personal columns, whatever they take of those: a whole row names no column."""
    tables = [table for model in models for table in model.tables.values() if personal_columns(table)]
    names = [qualified(table).as_string(conn) for table in tables]
    return [_View(*row) for row in conn.execute(_MATERIALISED, [names])]


def _is_refreshed(conn: psycopg.Connection, view: _View) -> bool:
    try:
        with conn.transaction():
            if view.is_populated:
                conn.execute(_REFRESH.format(view.identifier))
            _remove_statistics(conn, view)
    except (errors.DeadlockDetected, psycopg.OperationalError):
        raise
    except psycopg.Error:
        return False
    return True


def _remove_statistics(conn: psycopg.Connection, view: _View) -> None:
    conn.execute(_NONE_ON, {"table": view.identifier.as_string(conn), "columns": list(view.columns)})
