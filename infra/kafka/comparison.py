"""Do the topics hold what the log holds? Every message is held against the event that the log has at its position.

The log is read in the order of positions, and for each event the next message of the partition that its key belongs to:
so what is missing, double, changed, misplaced or foreign shows at the first position where it makes a difference. Of
every message the leaf of the hash chain is computed anew, and of leaves that follow each other without gaps the roots
of the log's commits and the chain. Memory stays bounded, whatever the log and the topics hold.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from typing import NamedTuple
from uuid import UUID

import psycopg
from kafka.partitioner.default import murmur2

from replayhouse.infra.event_store.merkle import GENESIS, chain_of, leaf_of, root_of
from replayhouse.infra.kafka.reader import Place, Received, Topics
from replayhouse.infra.postgres.binary_copy import INT64_LENGTH, NULL, UUID_LENGTH, field
from replayhouse.infra.publishing.log_reader import ContextLog
from replayhouse.infra.publishing.message import LoggedEvent, Message, message_of
from replayhouse.infra.publishing.names import source_of
from replayhouse.infra.publishing.personal import PersonalFields
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

TellPosition = Callable[[int, int], None]
"""Takes up to which position the log is compared, of how many."""

_ALL = 2**62
_TELL_EVERY = 5_000
_COMMITS = """
    SELECT first_position, last_position, root, chain FROM event_store.commit
    WHERE last_position > %s AND last_position <= %s ORDER BY last_position LIMIT 1000
"""

_ID_LENGTH = len(str(UUID(int=0)))
_MOST_SHOWN = 200


class Difference(NamedTuple):
    """The first position of the log where the topics do not hold what it holds, and in what way.

    `where` is the message that shows it: partition and offset; None where none does.
    """

    context: str
    position: int
    why: str
    where: str | None


@dataclass
class Compared:
    """A context: how many messages are whole, up to which position, and what its relay says that it has published.

    `published` is None where the relay has no position. Of `omitted` events personal fields were left out, so their
    leaves are those that the messages tell; `expired` ones are no longer kept by the topic.
    """

    published: int | None
    events: int = 0
    position: int = 0
    omitted: int = 0
    expired: int = 0


@dataclass
class Verified:
    """What came of it. The chain, computed from the messages alone, is that of the log up to `chain_position`.

    None is computed unless all contexts are compared. `commits` counts those whose every leaf was computed anew.
    """

    contexts: dict[str, Compared]
    difference: Difference | None = None
    commits: int = 0
    chain_position: int = 0
    chain: bytes = GENESIS

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "whole": self.difference is None,
            "contexts": {context: vars(compared) for context, compared in self.contexts.items()},
            "commits": self.commits,
            "position": self.chain_position,
            "chain": self.chain.hex(),
            "difference": None if self.difference is None else self.difference._asdict(),
        }


class Differs(Exception):  # noqa: N818 - not an error of this program: it carries the answer out of the loops
    """The topics do not hold what the log holds."""

    def __init__(self, context: str, position: int, why: str, message: Received | None = None) -> None:
        self.difference = Difference(context, position, why, None if message is None else message.where)


class Comparison:
    """How far the comparison is."""

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Topics,
        contexts: dict[str, Compared],
        newest: dict[str, int],
        chain: "Chain | None",
    ) -> None:
        self.verified = Verified(contexts)
        self._topics = topics
        self._published = {name: max(newest[name], compared.published or 0) for name, compared in contexts.items()}
        self._chain = chain
        self._sources = {context: source_of(kafka.prefix, context).encode() for context in contexts}
        self._sealed, self._omitted = PersonalFields("sealed"), PersonalFields("omitted")
        self._begun: set[Place] = set()

    def run(self, logs: Mapping[str, ContextLog], head: int, tell: TellPosition) -> None:
        """Compares all of the log. Raises Differs."""
        with closing(_by_position(logs, head)) as events:
            for number, event in enumerate(events):
                self._compare(event)
                if number % _TELL_EVERY == 0:
                    tell(event.position, head)

    def refuse_the_rest(self, head: int, head_now: int) -> None:
        """Raises Differs for a message that is left once all of the log up to `head` is compared.

        What was appended, and published, since then is another matter.
        """
        heads = (self._topics.head(place) for place in self._topics.ends)
        left = [m for m in heads if m is not None and not head < _position_of(m) <= head_now]
        if left:
            message = min(left, key=_position_of)
            self._refuse_extra(message, self.verified.contexts[message.context].position, head_now)

    def _compare(self, event: LoggedEvent) -> None:
        compared = self.verified.contexts[event.context]
        place = event.context, partition_of(event.stream, self._topics.partitions[event.context])
        message = self._topics.head(place)
        if message is None and event.position <= self._published[event.context] and self._topics.has_more(place):
            message = self._topics.head(place)
        if message is None or _position_of(message) != event.position:
            if self._is_there_no_longer(place, event, message):
                compared.expired += 1
            elif message is not None or event.position <= self._published[event.context]:
                self._refuse(place, event, message)
            self._chain = None  # from here on not all leaves are at hand
            return
        self._begun.add(place)
        is_omitted = self._refuse_changed(event, self._topics.take(place))
        compared.events += 1
        compared.position = event.position
        compared.omitted += is_omitted
        self._refuse_what_follows(place, event)
        if self._chain is not None:
            self._chain.add(self.verified, event, is_computed=not is_omitted)

    def _is_there_no_longer(self, place: Place, event: LoggedEvent, message: Received | None) -> bool:
        """Whether retention may have removed an event's message: it was before the first that is kept."""
        if self._topics.begins[place] == 0 or place in self._begun:
            return False
        return message is None or _position_of(message) > event.position

    def _refuse(self, place: Place, event: LoggedEvent, message: Received | None) -> None:
        """Says what is wrong where another message, or none, stands in the place of an event's."""
        context, position = event.context, event.position
        if message is not None and _position_of(message) < position:
            self._refuse_extra(message, position)
        for elsewhere in self._topics.ends:
            for found in self._topics.waiting(elsewhere) if elsewhere[0] == context else ():
                if _position_of(found) == position:
                    raise Differs(context, position, _misplaced(place, found, message), found)
        if message is None:
            raise Differs(context, position, f"its message is missing: partition {place[1]} ends before it")
        why = f"its message is missing: in partition {place[1]} that of position {_position_of(message)} stands there"
        raise Differs(context, position, why, message)

    def _refuse_what_follows(self, place: Place, event: LoggedEvent) -> None:
        message = self._topics.head(place)
        if message is not None and _position_of(message) <= event.position:
            self._refuse_extra(message, event.position)

    def _refuse_extra(self, message: Received, beside: int, head: int | None = None) -> None:
        """Says what a message is for which the log has nothing at this place, which is beside that of a position.

        With `head`, the newest position, after all that the log has.
        """
        position = _position_of(message)
        if position < 0:
            raise Differs(message.context, beside, "beside its message stands one that is no event", message)
        if head is not None and position > head:
            raise Differs(message.context, position, f"a message has it, and the log ends at {head}", message)
        own = partition_of_key(message.key, self._topics.partitions[message.context])
        if own != message.partition:
            why = f"a message of it stands in partition {message.partition}, and its key belongs to partition {own}"
            raise Differs(message.context, position, why, message)
        raise Differs(message.context, position, "a message of it comes a second time, or too late", message)

    def _refuse_changed(self, event: LoggedEvent, message: Received) -> bool:
        """Raises Differs unless a message is the event's; whether it left without its personal fields."""
        is_omitted = ("ce_personal", b"omitted") in message.headers
        fields = self._omitted if is_omitted else self._sealed
        expected = message_of(fields.leaving(event), self._sources[event.context])
        why = changed(expected, message)
        if why is None and not is_omitted and leaf_from(message) != event.leaf:
            why = "the leaf that its message has is not the one of the log, whose event was changed"
        if why is not None:
            raise Differs(event.context, event.position, why, message)
        return is_omitted


class Chain:
    """Commits of the log, one after the other, whose roots and chain are computed from the leaves of messages."""

    def __init__(self, conn: psycopg.Connection, head: int) -> None:
        self._commits = _commits(conn, head)
        self._leaves: list[bytes] = []
        self._are_computed = True
        self._next()

    def _next(self) -> None:
        self._commit = next(self._commits, None)
        self._leaves, self._are_computed = [], True

    def add(self, verified: Verified, event: LoggedEvent, *, is_computed: bool) -> None:
        """The next event's leaf, computed from its message or told by it. Raises Differs at the end of a commit."""
        self._leaves.append(event.leaf)
        self._are_computed &= is_computed
        if self._commit is None or event.position < self._commit[1]:
            return
        first, last, root, chain = self._commit
        found = root_of(self._leaves)
        computed = chain_of(verified.chain, first, last, event.recorded_at, found)
        if found != root or computed != chain:
            why = f"the messages up to position {last} do not have the root and the chain of their commit in the log"
            raise Differs(event.context, first, why)
        verified.commits += self._are_computed
        verified.chain, verified.chain_position = chain, last
        self._next()


def _commits(conn: psycopg.Connection, head: int) -> Iterator[tuple[int, int, bytes, bytes]]:
    after = 0
    while rows := conn.execute(_COMMITS, [after, head]).fetchall():
        yield from rows
        after = rows[-1][1]


def _by_position(logs: Mapping[str, ContextLog], head: int) -> Generator[LoggedEvent]:
    """The events of the contexts, merged."""
    with ExitStack() as stack:
        rows = [stack.enter_context(closing(log.after(0, head, _ALL))) for log in logs.values()]
        events = [(row.event for row in some) for some in rows]
        yield from merge(*events, key=lambda event: event.position)


@lru_cache(1 << 16)
def partition_of(stream: UUID, partitions: int) -> int:
    """The partition that a stream's events belong to: Java's default, murmur2 of the key."""
    return partition_of_key(str(stream).encode(), partitions)


def partition_of_key(key: bytes | None, partitions: int) -> int:
    """The partition of a key."""
    return int((murmur2(key or b"") & 0x7FFFFFFF) % partitions)


def leaf_from(message: Received) -> bytes | None:
    """The leaf (32 bytes) of the event in a message, from what the message says alone; None if it says too little.

    What is hashed is told in infra/event_store/merkle.py.
    """
    headers: dict[str, bytes] = dict(message.headers)
    try:
        batch, lines, value = headers.get("ce_batch"), headers.get("ce_lines"), message.value or b""
        fields = (
            _context_in(headers["ce_source"]),
            UUID_LENGTH,
            _id_in(message.key or b""),
            INT64_LENGTH,
            int(headers["ce_streamversion"]).to_bytes(8, "big"),
            _field(headers["ce_type"]),
            field(value),
            NULL if batch is None else _batch_in(batch),
            field(lines),
        )
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):  # some of them of a header that is null
        return None
    return leaf_of(b"".join(fields))


def _id_in(text: bytes) -> bytes:
    """The 16 bytes of an id as text; a third of the time that a UUID takes. Raises ValueError."""
    if len(text) != _ID_LENGTH:
        raise ValueError("no id")
    return bytes.fromhex(text.decode().replace("-", ""))


_field = lru_cache(1 << 10)(field)  # of names, which come again and again


@lru_cache(1 << 10)
def _context_in(source: bytes) -> bytes:
    return field(source.rpartition(b"/")[2])


@lru_cache(1 << 10)
def _batch_in(text: bytes) -> bytes:
    return UUID_LENGTH + _id_in(text)


def _position_of(message: Received) -> int:
    """-1 for a message that tells none."""
    try:
        return message.position
    except InputError:
        return -1


def _misplaced(place: Place, found: Received, message: Received | None) -> str:
    if found.partition != place[1]:
        return f"its message stands in partition {found.partition}, and its key belongs to partition {place[1]}"
    before = "another message" if message is None else f"that of position {_position_of(message)}"
    return f"its message stands behind {before}: the order is wrong"


def changed(expected: Message, message: Received) -> str | None:
    """In what a message is not the one that its event makes; None if it is."""
    if message.key != expected.key:
        return f"its message has the key {_shown(message.key)}"
    if message.value != expected.value:
        return "its message has another value than its state"
    if message.headers == expected.headers:
        return None
    told, wanted = dict(message.headers), dict(expected.headers)
    for name in dict.fromkeys((*wanted, *told)):
        is_told, must_be = told.get(name), wanted.get(name)
        if name in told and is_told is None:
            return f"the header {name} of its message is null"
        if is_told != must_be:
            return f"the header {name} of its message is {_shown(is_told)} and must be {_shown(must_be)}"
    return None if len(message.headers) == len(expected.headers) else "its message has a header twice"


def _shown(value: bytes | None) -> str:
    return "missing" if value is None else repr(value[:_MOST_SHOWN].decode(errors="replace"))
