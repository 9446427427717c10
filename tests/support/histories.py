"""Streams of every kind, drawn by hypothesis, and what appends them bit by bit to a database of their own."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from hypothesis import strategies as st
from psycopg import sql

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.projections.digest import Digest, digest_of
from replayhouse.projections.projection import Row, Stream
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.read_side_events import KINDS, a_stream, next_number

Place = tuple[str, UUID]
Histories = dict[Place, list[DomainEvent]]


@st.composite
def histories(draw: st.DrawFn) -> Histories:
    """Streams of every kind, several of some, under ids and natural keys that no other example has."""
    found: Histories = {}
    for kind in draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=8)):
        number = next_number()
        found[KINDS[kind][0], UUID(int=number << 100)] = list(draw(a_stream(kind, number)))
    return found


class Steps:
    """Appends the streams bit by bit, many at once, as loads do."""

    def __init__(self, conn: psycopg.Connection, streams: Histories) -> None:
        self._conn = conn
        self._streams = streams
        self._appended: dict[Place, int] = defaultdict(int)

    def append(self, most: int) -> None:
        """At most so many further events of each stream."""
        recorded = []
        for (context, stream), events in self._streams.items():
            done = self._appended[context, stream]
            for version, event in enumerate(events[done : done + most], start=done + 1):
                recorded.append(Recorded(context, stream, version, event))
            self._appended[context, stream] = min(len(events), done + most)
        EventStore().append(self._conn, recorded, None)


def folded(everything: Histories) -> dict[str, dict[str, Digest]]:
    """The digests of the tables that the folds of these streams make, with the unknown members."""
    rows: dict[str, dict[str, list[Row]]] = {
        context: {table.name: list(p.unknown_members.get(table.name, ())) for table in p.tables}
        for context, p in PROJECTIONS.items()
    }
    for (context, stream), events in everything.items():
        for name, of_table in PROJECTIONS[context].fold(Stream(stream, 1, effective(events))).items():
            rows[context][name] += of_table
    return {
        context: {table.name: digest_of(line_writer(table).lines(rows[context][table.name])) for table in p.tables}
        for context, p in PROJECTIONS.items()
    }


@contextmanager
def fresh_database(server: EmbeddedServer) -> Iterator[Database]:
    """A database for one example: what one leaves must not fail the next."""
    name = f"example_{next_number()}"
    url = server.url()
    with psycopg.connect(url.replace("/replayhouse?", "/postgres?"), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE replayhouse STRATEGY file_copy").format(sql.Identifier(name)))
        try:
            yield Database(url.replace("/replayhouse?", f"/{name}?"))
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
