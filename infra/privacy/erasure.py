"""Erasing people: their keys are destroyed, the log tells it, and live read models show it, in one transaction.

What is sealed under a key of the person becomes unreadable, in the log and in every copy of it; so does what is sealed
under keys of their own: quarantined rows that name them, and what was recorded of their orders and reviews before
anybody knew whose they are.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.domain.customer.customer import anonymize, customer_of
from replayhouse.domain.customer.events import ReviewRevised, ReviewSubmitted
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.infra.event_store.keys import destroy_keys
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore, Stream
from replayhouse.infra.privacy.mentions import Names, erased_people, names_of, rows_naming, texts_of_rows
from replayhouse.infra.read_models import checkpoints, forgetting, kept_answers, marts, prefixes, refolding
from replayhouse.infra.read_models.rebuild import revisions
from replayhouse.infra.read_models.schema import Model, model_of, qualified
from replayhouse.projections.warehouse import PERSONAL_CONTEXTS

BRAZIL = timezone(timedelta(hours=-3))
"""Brasília time, without daylight saving since 2019: times of a person are local to Brazil, and have no zone."""

APPLIED_AGAIN = "erased before; applied again after a restore"
PEOPLE_AT_ONCE = 1_000

_WITH_KEY = "SELECT subject_id FROM event_store.subject_key WHERE subject_id = ANY(%s) AND key IS NOT NULL"
_TOLD = """
    SELECT c.recorded_at, e.notification_id
    FROM event_store.customer_events AS e
    JOIN event_store.commit AS c ON e.notification_id BETWEEN c.first_position AND c.last_position
    WHERE e.originator_id = %s AND e.topic LIKE 'customer.CustomerAnonymized.%%'
    ORDER BY e.originator_version LIMIT 1
"""
_VACUUM = sql.SQL("VACUUM {}")

Remember = Callable[[UUID, datetime, int], None]
"""Takes down who was erased, when (UTC), and at which position the log tells it, before that is committed."""


class Erasure(NamedTuple):
    """What an erasure did. `is_news` is false if the log told it before; `at` (UTC) and `position` are of that event.

    `rows` counts the quarantined rows that nobody can read any more, `keys` all keys that were destroyed. `stale` names
    materialised views that could not be refreshed, and may show what was erased.
    """

    is_news: bool
    at: datetime
    position: int
    rows: int
    keys: int
    stale: Sequence[str]


def erase(conn: psycopg.Connection, person: UUID, reason: str, by: str, remember: Remember) -> Erasure | None:
    """Erases a person; None, and nothing is done, if neither the log nor a quarantined row knows them.

    The caller holds the lock `ingest`; `conn` is in autocommit. An erasure that was told before is not told again,
    but keys that came back since, from a backup, are destroyed again.
    """
    with _live_models_held(conn):
        done = _Erasing(conn, [person], reason, by)
        if not done.known and not done.rows:
            return None
        done.make_unreadable()
        is_news = done.tell([person], remember) > 0
        [(at, position)] = conn.execute(_TOLD, [person]).fetchall()
        return Erasure(is_news, at, position, len(done.rows), len(done.alive), done.stale)


def reapply(
    conn: psycopg.Connection, subjects: Iterable[UUID], reason: str = APPLIED_AGAIN, by: str = "restore"
) -> int:
    """Erases everybody on a list once more, after a backup was restored; how many of them the log knew nothing of.

    `subjects` are people (`ErasedSubjects(home).subjects()`). Their keys are destroyed, those of quarantined rows that
    name them too; CustomerAnonymized is recorded where a stream lacks it; live read models, if there are any, show it.
    Who is not known gets a destroyed key all the same. Done again, nothing happens. The caller holds the lock `ingest`;
    `conn` is in autocommit; a thousand people are one transaction.
    """
    people, told = list(dict.fromkeys(subjects)), 0
    for first in range(0, len(people), PEOPLE_AT_ONCE):
        with _live_models_held(conn):
            done = _Erasing(conn, people[first : first + PEOPLE_AT_ONCE], reason, by)
            done.make_unreadable()
            told += done.tell(done.known, None)
    return told


def forget_rows_of_erased(conn: psycopg.Connection) -> None:
    """Makes rows kept apart unreadable that name somebody erased, as a load may have shown only now.

    Their orders or aliases have become known with it. The caller holds the lock `ingest`; `conn` is in autocommit.
    """
    people = erased_people(conn)
    if people:
        with conn.transaction():
            names = names_of(conn, people, lambda: texts_of_rows(conn))
            rows = rows_naming(names.ids, lambda: texts_of_rows(conn))
        make_rows_unreadable(conn, rows)


def make_rows_unreadable(conn: psycopg.Connection, rows: Collection[UUID]) -> None:
    """Destroys the keys of rows kept apart, or yet to be: their texts are recorded, and shown, as null."""
    if not rows:
        return
    with _live_models_held(conn, ["quality"]):
        alive = [row for (row,) in conn.execute(_WITH_KEY, [list(rows)])]
        destroy_keys(conn, rows)
        if alive:
            _fold_again(conn, "quality", alive)
            forgetting.forget(conn, _models(conn))


def _fold_again(conn: psycopg.Connection, context: str, streams: Collection[UUID]) -> None:
    refolding.ask(conn, context, streams)
    prefixes.refold(conn, context, streams)
    if checkpoints.projected(conn, context) is not None:
        refolding.refold_live(conn, context, model_of(context, context), streams)
        for model in revisions.kept(conn, context):
            refolding.refold_kept(conn, model, streams)


def streams_naming(people: Collection[UUID], names: Names, rows: Collection[UUID]) -> dict[str, Collection[UUID]]:
    """By context with personal fields, the streams that tell of these people, of their orders, reviews and rows."""
    return {"fulfillment": names.orders, "customer": {*people, *names.reviews}, "quality": rows}


def vacuum(conn: psycopg.Connection) -> None:
    """Lets the space of the rows and keys that are no more be used again; `conn` is in autocommit."""
    conn.execute(_VACUUM.format(sql.Identifier("event_store", "subject_key")))
    for model in _models(conn):
        for table in model.tables.values():
            with suppress(psycopg.errors.UndefinedTable):  # it was removed meanwhile
                conn.execute(_VACUUM.format(qualified(table)))
    for name in marts.standing(conn):
        with suppress(psycopg.errors.UndefinedTable):
            conn.execute(_VACUUM.format(sql.Identifier(marts.MART, name)))


def _models(conn: psycopg.Connection) -> list[Model]:
    """All read models with personal fields that stand: live, kept, and under prefixes."""
    models = [model_of(context, context) for context in PERSONAL_CONTEXTS if checkpoints.projected(conn, context)]
    models += [model for context in PERSONAL_CONTEXTS for model in revisions.kept(conn, context)]
    for known in prefixes.prefixes(conn):
        under = [context for context in PERSONAL_CONTEXTS if context in known.contexts]
        models += [model_of(context, prefixes.schema_in(known.prefix, context)) for context in under]
    return models


@contextmanager
def _live_models_held(conn: psycopg.Connection, contexts: Collection[str] = PERSONAL_CONTEXTS) -> Iterator[None]:
    """A transaction in which nobody else writes the live tables with personal fields, nor swaps others in."""
    with conn.transaction():
        for context in PERSONAL_CONTEXTS:  # whoever locks several does so in this order
            if context in contexts and checkpoints.projected(conn, context) is not None:
                checkpoints.lock(conn, context)
        yield


class _Erasing:
    """The erasure of some people, within a transaction that holds the live read models.

    `known` are their streams in the log, `rows` the quarantined ones that name them, `alive` the keys to destroy. What
    could not be refreshed is `stale`.
    """

    def __init__(self, conn: psycopg.Connection, people: Collection[UUID], reason: str, by: str) -> None:
        self._conn = conn
        self._people = people
        self._reason = reason
        self._by = by
        self._store = EventStore()
        self.known = self._streams()
        self._names: Names = names_of(conn, people, lambda: texts_of_rows(conn))
        self.rows = rows_naming(self._names.ids, lambda: texts_of_rows(conn))
        subjects = {*people, *self.rows, *self._names.orders, *self._names.reviews}
        self.alive = {subject for (subject,) in conn.execute(_WITH_KEY, [list(subjects)])}
        self.stale: list[str] = []

    def _streams(self) -> dict[UUID, Stream]:
        """The people's streams; other things of the context have ids of the same kind."""
        found = self._store.streams(self._conn, "customer", self._people)
        return {
            person: stream
            for person, stream in found.items()
            if person != UNKNOWN_ID and not isinstance(stream.events[0], ReviewSubmitted | ReviewRevised)
        }

    def make_unreadable(self) -> None:
        """Destroys the keys, writes the rows of the live tables anew, and removes answers of before."""
        destroy_keys(self._conn, {*self._people, *self.alive})
        if self.alive:
            streams = streams_naming(self._people, self._names, self.rows)
            for context in PERSONAL_CONTEXTS:
                _fold_again(self._conn, context, streams[context])
        kept_answers.forget(self._conn, self._people)
        self.stale = forgetting.forget(self._conn, _models(self._conn))

    def tell(self, people: Iterable[UUID], remember: Remember | None) -> int:
        """Records the erasure of those among these people of whom the log does not tell it; how many they are."""
        at = datetime.now(BRAZIL).replace(tzinfo=None)
        recorded: list[Recorded] = []
        for person in people:
            stream = self.known.get(person)
            customer = customer_of(stream.effective_events if stream else ())
            version = 1 + (stream.last_version if stream else 0)
            told = anonymize(customer, self._reason, self._by, at)
            recorded += [Recorded("customer", person, version, event) for event in told]
        if not recorded:
            return 0
        head = self._store.append(self._conn, recorded, None)
        if remember is not None:
            for position, told_of in enumerate(recorded, start=head.position - len(recorded) + 1):
                remember(told_of.stream_id, head.recorded_at, position)
        return len(recorded)
