"""What erasing a person would do, counted and not told: of the personal fields themselves nothing is read."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import errors, sql

from replayhouse.infra.privacy.mentions import names_of, rows_naming, texts_of_rows

_KEYS = "SELECT count(*) FROM event_store.subject_key WHERE subject_id = ANY(%s) AND key IS NOT NULL"
_LOADS = """
    SELECT count(DISTINCT batch_id) FROM (
        SELECT batch_id FROM event_store.customer_events WHERE originator_id = ANY(%(personal)s)
        UNION ALL
        SELECT batch_id FROM event_store.fulfillment_events WHERE originator_id = ANY(%(orders)s)
        UNION ALL
        SELECT batch_id FROM event_store.quality_events WHERE originator_id = ANY(%(rows)s) AND originator_version = 1
    ) AS told
"""
SHOWN = {
    "customer.dim_customer": ("customer_id", "person"),
    "customer.address_history": ("customer_id", "person"),
    "customer.fact_review": ("order_id", "orders"),
    "fulfillment.fact_delivery": ("order_id", "orders"),
    "quality.quarantine": ("row_id", "rows"),
}
"""The tables with personal columns, each with the column by which its rows are found, and by whose ids."""
_COUNT = sql.SQL("SELECT count(*) FROM {} WHERE {} = ANY(%s)")


class ErasurePlan(NamedTuple):
    """How many keys would be destroyed, how many rows of which tables show fields under them, and how many loads
    brought these.
    """

    keys: int
    tables: dict[str, int]
    loads: int


def plan(conn: psycopg.Connection, person: UUID) -> ErasurePlan:
    """What `erase` would destroy, as the log and the read models stand; no keys where there is nothing to erase."""
    with conn.transaction():
        names = names_of(conn, [person], lambda: texts_of_rows(conn))
        rows = rows_naming(names.ids, lambda: texts_of_rows(conn))
        [(keys,)] = conn.execute(_KEYS, [[person, *rows, *names.orders, *names.reviews]]).fetchall()
        told = {"personal": [person, *names.reviews], "orders": list(names.orders), "rows": list(rows)}
        [(loads,)] = conn.execute(_LOADS, told).fetchall()
    ids_of = {"person": [person], "orders": names.orders, "rows": rows}
    counted = {table: _rows(conn, table, column, ids_of[whose]) for table, (column, whose) in SHOWN.items()}
    return ErasurePlan(keys, {table: found for table, found in counted.items() if found}, loads)


def _rows(conn: psycopg.Connection, table: str, column: str, ids: Collection[UUID]) -> int:
    query = _COUNT.format(sql.Identifier(*table.split(".")), sql.Identifier(column))
    try:
        with conn.transaction():
            [(found,)] = conn.execute(query, [list(ids)]).fetchall()
            return int(found)
    except errors.UndefinedTable:  # nothing was projected yet
        return 0
