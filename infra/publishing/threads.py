"""The relays of several contexts at once, of their events and of their rows, a thread each."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from contextvars import copy_context
from typing import NamedTuple

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.channel import Channel, Tell, channels_of
from replayhouse.infra.publishing.names import positions_topic
from replayhouse.infra.publishing.ports import Cluster, Publication
from replayhouse.infra.publishing.position import MissingTopics
from replayhouse.infra.publishing.relay import Order, Relay
from replayhouse.infra.runtime import gc_pause
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable

_LOOK_SECONDS = 0.2
_FAREWELL_SECONDS = 5.0


class Published(NamedTuple):
    """What a relay has done: events published by this run, and the position it has reached (0: nothing ever)."""

    events: int
    position: int


def run_relays(
    database: Database,
    cluster: Cluster,
    publication: Publication,
    contexts: Sequence[str],
    order: Order,
    stop: threading.Event,
    tell: Tell,
) -> dict[str, Published]:
    """Publishes until all is done, or `stop` is set; what came of it, by relay.

    What ends one relay ends them all, and is raised. `tell` is called by the relays' threads.
    """
    channels = channels_of(publication, contexts)
    relays = [Relay(channel, database, cluster, publication, order, stop, tell) for channel in channels]
    errors: list[BaseException] = []

    def run(relay: Relay) -> None:
        try:
            relay.run()
        except BaseException as error:  # it is raised again in the thread that waits
            errors.append(error)
            stop.set()

    # Daemons: who is told to stop while the brokers are away is not to wait for them. What was under way is then looked
    # up at the next start, as after any other crash.
    # Each in a copy of the context, for its spans belong to the trace of whoever started it.
    threads = [
        threading.Thread(target=copy_context().run, args=[run, relay], name=relay.name, daemon=True) for relay in relays
    ]
    for thread in threads:
        thread.start()
    try:
        with gc_pause.rarely():
            while any(thread.is_alive() for thread in threads) and not stop.wait(_LOOK_SECONDS):
                pass
    except BaseException:  # an interrupt: the threads are not to publish behind the back of whoever waited
        stop.set()
        raise
    finally:
        for thread in threads:
            thread.join(_FAREWELL_SECONDS)
    if errors:
        first = min(errors, key=lambda error: isinstance(error, ReplayhouseError))
        raise _with_all_missing(first, channels, cluster, publication) if isinstance(first, MissingTopics) else first
    return {relay.name: Published(relay.events, relay.position) for relay in relays}


def _with_all_missing(
    first: MissingTopics, channels: Sequence[Channel], cluster: Cluster, publication: Publication
) -> MissingTopics:
    """One relay says what it misses and ends the others: what all of them miss."""
    wanted = [*(channel.topic for channel in channels), positions_topic(publication.prefix)]
    with suppress(Unreachable):  # they were there a moment ago
        found = cluster.facts(wanted)
        return MissingTopics([topic for topic in wanted if topic not in found] or wanted, cluster)
    return first
