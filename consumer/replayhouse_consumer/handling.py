"""How received events are handled: all in one transaction of the inbox, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from replayhouse_consumer.counts import Counts
from replayhouse_consumer.errors import Hole, UnknownEvent
from replayhouse_consumer.handlers import Handlers, Stream
from replayhouse_consumer.inbox import Inbox, Move, Parked, Work
from replayhouse_consumer.received import Entry, Key, Received, counting, rewound_to, typed


@dataclass(frozen=True)
class Handling:
    """Keeps events, and hands them to handlers, who get the connection of the same transaction."""

    inbox: Inbox
    handlers: Handlers
    on_unknown: Literal["skip", "stop"] = "skip"

    def handle(self, moves: Sequence[Move], events: Sequence[Received]) -> Counts:
        """Handles what was received in partitions whose offsets move by that.

        Raises Overtaken where another consumer was quicker, Hole, UnknownEvent, Poison, and whatever a handler raises.
        """
        with self.inbox.transaction() as work:
            work.advance(moves)
            counts, fresh = self._kept(work, events)
            self._hand_over(work, fresh)
        return counts

    def put_aside(self, move: Move, event: Received | None, reason: str) -> Counts:
        """Moves past a message that cannot be handled. If it is an event, it is kept, and its stream is parked."""
        with self.inbox.transaction() as work:
            work.advance([move])
            counts = Counts()
            if event is not None:
                work.park(Parked(event.context, UUID(bytes=event.stream), event.version, move.partition, reason))
                counts, _ = self._kept(work, [event])
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

    def _kept(self, work: Work, events: Sequence[Received]) -> tuple[Counts, list[Received]]:
        """Keeps what is new; returns what of that is to be handed out now: all but the events of parked streams."""
        counts = Counts()
        known, of_events = self.handlers.known, self.handlers.of_events
        new = self._new(work, events, counts)
        runs: dict[Key, list[Received]] = {}
        parked = work.parked({event.key for event in new}) if new else set()
        handed = []
        for event in new:
            key, name = event.key, event.type
            if name not in known and not event.is_rewound:
                self._pass_over(event, counts)
            if key in parked:
                counts.parked += 1
            else:
                if name in of_events:
                    event = event.as_handed()
                handed.append(event)
            if (run := runs.get(key)) is None:
                runs[key] = [event]
            else:
                run.append(event)
        counts.events = len(new)
        work.keep(runs.values())
        return counts, handed

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
                    f"Of stream {UUID(bytes=event.stream)} ({event.context}) the events {last + 1} to "
                    f"{event.version - 1} are missing before {event.type} {event.id}: read the topic from its "
                    "beginning into an empty inbox."
                )
        return fresh

    def _hand_over(self, work: Work, events: Sequence[Received]) -> None:
        """First event by event, then stream by stream."""
        handlers = self.handlers
        taking_back = handlers.contexts_taken_back()
        read: dict[Received, Entry] = {}
        for event in events:
            if callees := handlers.of_events.get(event.type):
                entry = read[event] = Entry(handlers.known[event.type], event, read=True)
                for handler in callees:
                    handler(entry.event, work.db)
            elif event.is_rewound:
                rewound_to(event)  # a version that is not known must not be passed over
                if event.context in taking_back:
                    self._take_back(work, event)
        if handlers.of_streams:
            self._hand_over_streams(work, events, read)

    def _hand_over_streams(self, work: Work, events: Sequence[Received], read: Mapping[Received, Entry]) -> None:
        """Events that came now are read now, so that one that does not parse is told with its own message."""
        runs: dict[Key, list[Received]] = {}
        for event in events:
            if event.context in self.handlers.of_streams:
                runs.setdefault(event.key, []).append(event)
        before = work.histories([key for key, run in runs.items() if run[0].version > 1])
        for key, run in runs.items():
            stream = self._stream(key, before.get(key, run), run[0].version, read)
            for changed in self.handlers.of_streams[key[0]]:
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

    def _stream(self, key: Key, history: Sequence[Received], since: int, read: Mapping[Received, Entry]) -> Stream:
        known = self.handlers.known
        counted = counting(history, self.handlers.survives)
        entries = [
            (read.get(event) if read else None) or Entry(event_type, event, read=event.version >= since)
            for event in counted
            if (event_type := known.get(event.type)) is not None
        ]
        return Stream(key[0], UUID(bytes=key[1]), tuple(entries), len(counted) - len(entries))
