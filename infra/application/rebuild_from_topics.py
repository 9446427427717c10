"""The star schema folded from Kafka alone: what the topics hold is taken into this database, and folded as a log is.

Nothing of the publisher's is needed but its topics, and to see personal fields the file of their keys. The fold is that
of every rebuild, so its tables have the digests of the publisher's, as far as the topics go.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import KEYS, SUBJECT_KEYS, BackupFile, check, chunks_of, in_megabytes
from replayhouse.infra.event_store.serialization.errors import UnknownTopic
from replayhouse.infra.event_store.serialization.personal import withheld_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.kafka.clients import bootstrap_of
from replayhouse.infra.kafka.positions import relay_positions
from replayhouse.infra.kafka.reader import Received, Topics, reading
from replayhouse.infra.read_models import imported_events, prefixes
from replayhouse.infra.read_models.imported_events import ReceivedEvent
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.time_travel import alone, folded, put_in_place
from replayhouse.infra.read_models.stream_source import Source
from replayhouse.infra.runtime.errors import Rejected
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.runtime.telling import Tell
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.warehouse import PROJECTIONS

_EVENTS_A_COPY = 10_000
_BYTES_A_COPY = 16 * 2**20
_BYTES_BESIDE_STATE = 100
_TOO_LARGE = 2**63
_MOST_SHOWN = 200

_OMITTED = b"omitted"
_STORE = "SELECT chain FROM event_store.commit ORDER BY last_position LIMIT 1"


@dataclass(frozen=True)
class FromTopics:
    """What came of each context, and which tables cannot be those of the publisher, for personal fields are withheld.

    That is so without keys, and where the publisher had set them to be `omitted` from the messages.
    """

    contexts: dict[str, Rebuilt]
    withheld: tuple[str, ...]
    are_omitted: bool

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        contexts = {context: rebuilt.as_json() for context, rebuilt in self.contexts.items()}
        return {"contexts": contexts, "withheld": self.withheld}


def rebuild_from_topics(site: Site, prefix: str, contexts: Iterable[str] | None, keys: Path | None) -> FromTopics:
    """Folds what the contexts' topics hold into the schemas of a prefix, in the place of what stood there.

    `keys` is the file of keys of a backup of the publisher's; without it, personal fields are withheld. Raises Rejected
    where the topics do not hold whole streams, InputError for a file that is none, UsageError and Conflicting as
    `rebuild_into`, Unfoldable, LostKeys, Unreachable.
    """
    wanted, kafka = chosen(contexts), site.kafka
    with site.prepare_workers():
        return _rebuild_from_topics(site, prefix, wanted, kafka, keys)


def _rebuild_from_topics(
    site: Site, prefix: str, wanted: Sequence[str], kafka: KafkaSettings, keys: Path | None
) -> FromTopics:
    database, bootstrap = site.database, bootstrap_of(site.settings, kafka)
    if keys is not None:
        check(BackupFile(keys), KEYS, in_megabytes(site.tell, "checking the keys"))
    with database.connect("replayhouse consume", autocommit=True) as conn:
        prefixes.refuse_unusable(conn, prefix)
        with alone(conn):
            source = imported_events.make(conn, wanted)
            try:
                with reading(kafka, bootstrap, wanted) as topics:
                    arrival = _Arrival(conn, source, wanted)
                    arrival.take_in(topics, site.tell)
                source = _with_keys(conn, source, wanted, keys, arrival.are_omitted)
                site.tell("folding every stream", 0, 0)
                store = _other_store(conn, kafka, bootstrap, wanted)
                with folded(
                    database, conn, arrival.positions, Limits(), site.settings.workers, source, store
                ) as beside:
                    rebuilt = put_in_place(conn, beside, prefix)
            finally:
                if not conn.closed:
                    imported_events.remove(conn)
    return FromTopics(rebuilt, _withheld(wanted) if source.are_withheld else (), arrival.are_omitted)


def _other_store(conn: psycopg.Connection, kafka: KafkaSettings, bootstrap: str, contexts: Sequence[str]) -> str | None:
    """The log that the topics are of, by the chain of its first commit; empty if no relay tells; None: this one's.

    What an erasure here does to this log's prefixes must not be done to what has the positions of another.
    """
    records = relay_positions(kafka, bootstrap, contexts).values()
    theirs = next((record.store for record in records if record is not None and record.store), "")
    row = conn.execute(_STORE).fetchone()
    return None if row is not None and row[0].hex() == theirs else theirs


def _with_keys(
    conn: psycopg.Connection, source: Source, contexts: Sequence[str], keys: Path | None, are_omitted: bool
) -> Source:
    if keys is None or are_omitted:
        return replace(source, are_withheld=True)
    with conn.cursor().copy(imported_events.KEYS_IN) as into:
        for chunk in chunks_of(BackupFile(keys), SUBJECT_KEYS):
            into.write(chunk)
    if "customer" in contexts:
        imported_events.forget_erased(conn, source)
    return source


def _withheld(contexts: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        f"{context}.{table.name}"
        for context in contexts
        for table in PROJECTIONS[context].tables
        if personal_columns(table)
    )


class _Arrival:
    """Events on their way from the topics into the tables for them; `positions` are the newest, by context."""

    def __init__(self, conn: psycopg.Connection, source: Source, contexts: Sequence[str]) -> None:
        self._conn = conn
        self._source = source
        self._types: dict[bytes, Callable[[bytes], bytes]] = {}
        self.positions = dict.fromkeys(contexts, 0)
        self.are_omitted = False

    def take_in(self, topics: Topics, tell: Tell) -> None:
        """All messages, in bounded memory, and then what they make ready to be folded. Raises Rejected."""
        waiting: dict[str, list[ReceivedEvent]] = {context: [] for context in self.positions}
        held, done = dict.fromkeys(waiting, 0), 0
        of = sum(topics.ends[place] - begin for place, begin in topics.begins.items())
        for some in topics.messages():
            context = some[0].context
            events = [self._event(message) for message in some]
            waiting[context] += events
            held[context] += sum(_BYTES_BESIDE_STATE + len(event.state) for event in events)
            self.positions[context] = max(self.positions[context], *(event.position for event in events))
            done += len(events)
            tell("reading the topics", done, of)
            if len(waiting[context]) >= _EVENTS_A_COPY or held[context] >= _BYTES_A_COPY:
                imported_events.copy(self._conn, self._source, context, waiting[context])
                waiting[context], held[context] = [], 0
        for context, events in waiting.items():
            imported_events.copy(self._conn, self._source, context, events)
        imported_events.complete(self._conn, self._source, tuple(waiting))

    def _event(self, message: Received) -> ReceivedEvent:
        """What a fold needs of a message: the hot loop, some 4 microseconds. Raises Rejected for what is no event."""
        headers: dict[str, bytes] = dict(message.headers)
        key, state = message.key, message.value
        try:
            kind = headers["ce_type"]
            if key is None or state is None:
                raise ValueError("a message without key or value")
            if not kind.startswith(message.context.encode()):
                raise ValueError("an event of another context")
            if headers.get("ce_personal") == _OMITTED:
                self.are_omitted = True
                state = self._restated(kind, state)
            version, position = int(headers["ce_streamversion"]), int(headers["ce_position"])
            if not (0 < version < _TOO_LARGE and 0 < position < _TOO_LARGE and kind.decode().isprintable()):
                raise ValueError("a type, a version or a position that no event has")
            return ReceivedEvent(UUID(key.decode()), version, kind, state, position)
        except KeyError as missing:
            raise Rejected(_no_event(message, f"it has no {missing.args[0]}")) from None
        except (ValueError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError) as error:
            raise Rejected(_no_event(message, str(error)[:_MOST_SHOWN])) from error

    def _restated(self, kind: bytes, state: bytes) -> bytes:
        """The state with what stands for personal fields that are withheld, so that null still means anonymised."""
        restate = self._types.get(kind)
        if restate is None:
            try:
                restate = self._types[kind] = _with_values(withheld_fields(REGISTRY.event_type_of(kind.decode())))
            except UnknownTopic:
                return state  # the reader of the log tells that best
        return restate(state)


def _with_values(values: dict[str, str | None]) -> Callable[[bytes], bytes]:
    decode, encode = msgspec.json.Decoder(dict[str, Any]).decode, msgspec.json.Encoder().encode
    return lambda state: encode(decode(state) | values)


def _no_event(message: Received, why: str) -> str:
    return (
        f"A message ({message.where}) is no event of a relay: {why}. Somebody else has written to the topic; "
        "'replayhouse publish --verify', at the publisher's, says what differs from the log."
    )
