"""Which persons of a plan the log knows something of: they are held against it, and so decided one by one.

A person is new where the log has none of the streams that their rows tell of, not even a rewound one, and where nobody
was erased who has one of these ids: of the erased, texts are recorded as null.
"""

from collections.abc import Sequence

import numpy as np
import psycopg
from psycopg import sql

from replayhouse.infra.columns.values import Array
from replayhouse.infra.loads.on_columns.staged_persons import Owned, StagedPersons

_BEGUN = {
    context: sql.SQL("""
        SELECT originator_id::text
        FROM event_store.{}
        WHERE originator_id = ANY(%s::uuid[]) AND originator_version = 1
    """).format(sql.Identifier(f"{context}_events"))
    for context in ("sales", "fulfillment", "customer")
}
_REVIEWED = "SELECT DISTINCT order_id::text FROM event_store.review_reference WHERE order_id = ANY(%s::uuid[])"
# Of the table, not of the view `subject`, which asks a function of each row: that is for those who may read no keys.
_WAS_ERASED = "SELECT EXISTS (SELECT FROM event_store.subject_key WHERE key IS NULL)"
_ERASED = "SELECT subject_id::text FROM event_store.subject_key WHERE subject_id = ANY(%s::uuid[]) AND key IS NULL"


def are_new(connection: psycopg.Connection, staged: StagedPersons, *, is_first: bool) -> Array:
    """Of each person whether the log knows nothing of them; `is_first`: it knows nothing of anybody."""
    known = np.zeros(staged.count, bool)
    was_erased = connection.execute(_WAS_ERASED).fetchone() != (False,)
    if is_first and not was_erased:
        return ~known
    customers, orders, reviews = staged.customers, staged.orders, staged.reviews
    asked: list[tuple[sql.Composed | str, Sequence[Owned]]] = []
    if not is_first:
        asked += [
            (_BEGUN["sales"], [orders]),
            (_BEGUN["fulfillment"], [orders]),
            (_BEGUN["customer"], [customers, reviews]),
            (_REVIEWED, [orders]),
        ]
    if was_erased:
        asked.append((_ERASED, [customers, orders, reviews]))
    for query, streams in asked:
        ids = np.concatenate([owned.ids for owned in streams])
        persons = np.concatenate([owned.persons for owned in streams])
        left = ~known[persons]
        known[persons[left][_found(connection, query, ids[left])]] = True
    return ~known


def _found(connection: psycopg.Connection, query: sql.Composed | str, ids: Array) -> Array:
    """Which of the ids a query finds."""
    if not len(ids):
        return np.zeros(0, bool)
    rows = connection.execute(query, [ids.astype("U36").tolist()]).fetchall()
    return np.isin(ids, np.array([found.encode() for (found,) in rows], ids.dtype))
