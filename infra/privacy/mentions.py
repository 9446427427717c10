"""Which quarantined rows name a person: their texts hold the person's id, an alias, or the id of an order or review.

A row is kept apart because it could not be read, so nobody knows whose it is; but what it says may be personal. Ids
are looked for wherever they stand in it. Where an id itself is damaged, and no other one stands beside it, nobody can.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.quality.events import RowQuarantined, RowReleased
from replayhouse.infra.event_store.keys import read_keys
from replayhouse.infra.event_store.serialization.mapper import Mapper, mapper_of_our_events
from replayhouse.infra.privacy.erasure_list import Erasure

ROWS_AT_ONCE = 5_000

_IDS = re.compile(r"(?=([0-9a-f]{32}))")

# What the log knows of these people, by whatever load, also one that was taken back.
_NAMES = """
    WITH alias AS (
        SELECT customer_alias FROM event_store.alias_reference WHERE customer_id = ANY(%(people)s)
        UNION
        SELECT shown FROM unnest(%(shown)s::uuid[]) AS shown
        WHERE NOT EXISTS (SELECT FROM event_store.alias_reference WHERE customer_alias = shown)
    ), placed AS (
        SELECT DISTINCT order_id FROM event_store.order_reference JOIN alias USING (customer_alias)
    )
    SELECT 'alias', customer_alias, NULL::uuid FROM alias
    UNION ALL
    SELECT 'order', order_id, NULL FROM placed
    UNION ALL
    SELECT DISTINCT 'review', review_id, order_id FROM event_store.review_reference JOIN placed USING (order_id)
"""
_TEXTS = """
    SELECT originator_id, topic, state FROM event_store.quality_events
    WHERE topic LIKE 'quality.RowQuarantined.%' OR topic LIKE 'quality.RowReleased.%'
"""
_ERASED = """
    SELECT DISTINCT originator_id FROM event_store.customer_events WHERE topic LIKE 'customer.CustomerAnonymized.%'
"""
_ERASURES = """
    SELECT e.originator_id, c.recorded_at, e.notification_id
    FROM event_store.customer_events AS e
    CROSS JOIN LATERAL (
        SELECT recorded_at FROM event_store.commit WHERE last_position >= e.notification_id
        ORDER BY last_position LIMIT 1
    ) AS c
    WHERE e.topic LIKE 'customer.CustomerAnonymized.%'
    ORDER BY e.notification_id
"""


class Names(NamedTuple):
    """The ids by which rows may name some people; `orders` and `reviews` are those of streams."""

    ids: frozenset[str]
    orders: frozenset[UUID]
    reviews: frozenset[UUID]


class RowText(NamedTuple):
    """The text of a row, of the short name of a file; that of a correction has no file."""

    stream: UUID
    file: str
    text: str


def names_of(conn: psycopg.Connection, people: Iterable[UUID], texts: Callable[[], Iterable[RowText]]) -> Names:
    """What the log knows of these people, and what rows kept apart tell of aliases of theirs that it does not know."""
    wanted = list(people)
    ids = {person.hex for person in wanted}
    shown = {
        UUID(alias)
        for _, file, text in texts()
        if file == "customers" and not ids.isdisjoint(ids_in(text))
        for alias in _first_id(text)
    }
    orders, reviews = set(), set()
    for kind, name, order_id in conn.execute(_NAMES, {"people": wanted, "shown": list(shown)}):
        ids.add(name.hex)
        if kind == "order":
            orders.add(name)
        elif kind == "review":
            reviews.add(review_stream_id(name, order_id))
    return Names(frozenset(ids), frozenset(orders), frozenset(reviews))


def erased_people(conn: psycopg.Connection) -> list[UUID]:
    """Everybody whose erasure the log tells."""
    return [person for (person,) in conn.execute(_ERASED)]


def erasures(conn: psycopg.Connection) -> list[Erasure]:
    """Every erasure that the log tells, in its order."""
    return [Erasure(*row) for row in conn.execute(_ERASURES)]


def rows_naming(ids: Iterable[str], texts: Callable[[], Iterable[RowText]]) -> set[UUID]:
    """The rows among `texts` (which are gone through more than once) that hold one of these ids, 32 digits each.

    What belongs to an order that is kept apart itself names nothing but that order: it counts as well.
    """
    names = set(ids)
    while True:
        found, orders = set(), set()
        for stream, file, text in texts():
            if not names.isdisjoint(ids_in(text)):
                found.add(stream)
                if file == "orders":
                    orders |= _first_id(text)
        if orders <= names:
            return found
        names |= orders


def ids_in(text: str) -> set[str]:
    """Whatever in a text may be an id, as 32 hexadecimal digits in lower case."""
    return set(_IDS.findall(text.lower().replace("-", "")))


def _first_id(text: str) -> set[str]:
    """A record's own id stands first in the files of customers (the alias) and orders."""
    cells = next(csv.reader([text]), [])
    return ids_in(cells[0]) if cells else set()


def texts_of_rows(conn: psycopg.Connection) -> Iterator[RowText]:
    """The texts, and the corrected ones, of all rows that were ever kept apart; within a transaction.

    Those whose key is destroyed are left out. Memory holds a few thousand.
    """
    mapper = mapper_of_our_events()
    with conn.cursor(name="rows_apart", binary=True) as cursor:
        cursor.execute(_TEXTS)
        while some := cursor.fetchmany(ROWS_AT_ONCE):
            yield from _revealed(conn, mapper, some)


def _revealed(conn: psycopg.Connection, mapper: Mapper, rows: Iterable[tuple[UUID, str, bytes]]) -> Iterator[RowText]:
    events = [(stream, mapper.decode(topic, state)) for stream, topic, state in rows]
    sealed = {stream for stream, event in events if mapper.subject_of(event, stream) is not None}
    keys: Mapping[UUID, bytes | None] = read_keys(conn, sealed)
    for stream, event in events:
        if stream in sealed and mapper.subject_of(event, stream) is not None:
            clear = mapper.reveal(event, stream, keys[stream])
            assert isinstance(clear, RowQuarantined | RowReleased), "the query asks for these"
            if clear.text is not None:
                yield RowText(stream, clear.file if isinstance(clear, RowQuarantined) else "", clear.text)
