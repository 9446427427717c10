"""How received events are handled: all in one transaction of the inbox, or not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from replayhouse_consumer.counts import Counts
from replayhouse_consumer.errors import Hole, UnknownEvent
from replayhouse_consumer.handlers import Handlers, Stream
from replayhouse_consumer.inbox import Inbox, Move, Parked, Work
from replayhouse_consumer.received import Key, Received, counting, rewound_to, typed


@dataclass(frozen=True)
class Handling:
    """Keeps events, and hands them to handlers, who get the connection of the same transaction."""

    inbox: Inbox
    handlers: Handlers
    on_unknown: Literal["skip", "stop"] = "skip"

    def handle(self, moves: Sequence[Move], events: Iterable[Received]) -> Counts:
        """Handles what was received in partitions whose offsets move by that.

        Raises Overtaken where another consumer was quicker, Hole, UnknownEvent, Poison, and whatever a handler raises.
        """
        with self.inbox.transaction() as work:
            work.advance(moves)
            counts, fresh, parked = self._kept(work, list(events))
            self._hand_over(work, [event for event in fresh if event.key not in parked] if parked else fresh)
        return counts

    def put_aside(self, move: Move, event: Received | None, reason: str) -> Counts:
        """Moves past a message that cannot be handled. If it is an event, it is kept, and its stream is parked."""
        with self.inbox.transaction() as work:
            work.advance([move])
            counts = Counts()
            if event is not None:
                work.park(Parked(event.context, event.stream, event.version, move.partition, reason))
                counts, _, _ = self._kept(work, [event])
        counts.dead, counts.parked = 1, 0
        return counts

    def retry(self, parked: Parked) -> None:
        """Hands out what was kept of a parked stream since it was parked. Raises as `handle` does: it stays parked."""
        with self.inbox.transaction() as work:
            work.hold(parked.partition)
            if not work.parked([parked.key]):
                return  # another consumer was quicker
            left = [event for event in work.histories([parked.key])[parked.key] if event.version >= parked.version]
            work.unpark(parked.key, [event.version for event in left if event.type in self.handlers.of_events])
            self._hand_over(work, left)

    def _kept(self, work: Work, events: Sequence[Received]) -> tuple[Counts, list[Received], set[Key]]:
        """Keeps what is new; returns that, and which of its streams are parked."""
        counts = Counts()
        fresh = self._new(work, events, counts)
        parked = work.parked({event.key for event in fresh}) if fresh else set()
        known, of_events = self.handlers.known, self.handlers.of_events
        kept = []
        for event in fresh:
            if parked and event.key in parked:
                counts.parked += 1
            elif event.type in of_events:
                event = event.as_handed()
            if event.type not in known and not event.is_rewound:
                self._pass_over(event, counts)
            kept.append(event)
        counts.events = len(kept)
        work.keep(kept)
        return counts, kept, parked

    def _pass_over(self, event: Received, counts: Counts) -> None:
        if self.on_unknown == "stop":
            raise UnknownEvent(
                f"{event.id} is a {event.type}, which this kit has no class for: update replayhouse-consumer."
            )
        counts.unknown[event.type] += 1

    def _new(self, work: Work, events: Sequence[Received], counts: Counts) -> list[Received]:
        """The events that are not kept yet. Raises Hole where one is missing before them."""
        keys = [event.key for event in events]
        newest = work.versions(dict.fromkeys(keys))
        fresh = []
        for key, event in zip(keys, events, strict=True):
            last = newest.get(key, 0)
            if event.version <= last:
                counts.repeated += 1
            elif event.version == last + 1:
                newest[key] = event.version
                fresh.append(event)
            else:
                raise Hole(
                    f"Of stream {event.stream} ({event.context}) the events {last + 1} to {event.version - 1} are "
                    f"missing before {event.type} {event.id}: read the topic from its beginning into an empty inbox."
                )
        return fresh

    def _hand_over(self, work: Work, events: Sequence[Received]) -> None:
        """First event by event, then stream by stream."""
        handlers = self.handlers
        taking_back = handlers.contexts_taken_back()
        for event in events:
            if event.is_rewound:
                rewound_to(event)  # a version that is not known must not be passed over
                if event.context in taking_back:
                    self._take_back(work, event)
            elif callees := handlers.of_events.get(event.type):
                read = typed(handlers.known[event.type], event)
                for handler in callees:
                    handler(read, work.db)
        touched = dict.fromkeys(event.key for event in events if event.context in handlers.of_streams)
        if touched:
            for key, history in work.histories(touched).items():
                stream = self._stream(key, history)
                for changed in handlers.of_streams[key[0]]:
                    changed(stream, work.db)

    def _take_back(self, work: Work, rewound: Received) -> None:
        """Hands out, newest first, what counted and was handed out until the load was taken back."""
        handlers = self.handlers
        history = work.histories([rewound.key])[rewound.key]
        before = counting([event for event in history if event.version < rewound.version], handlers.survives)
        to_version = rewound_to(rewound)
        for event in reversed(before):
            callees = handlers.of_events_taken_back.get(event.type)
            if callees and event.handed and event.version > to_version and not handlers.survives(event.type):
                read = typed(handlers.known[event.type], event)
                for handler in callees:
                    handler(read, work.db)

    def _stream(self, key: Key, history: Sequence[Received]) -> Stream:
        known = self.handlers.known
        counted = counting(history, self.handlers.survives)
        events = tuple(typed(known[event.type], event) for event in counted if event.type in known)
        return Stream(key[0], key[1], events, len(counted) - len(events))
