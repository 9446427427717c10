"""Several relays at once: whoever has to make topics is told of all that are missing; an interrupt ends them all."""

import threading
from uuid import uuid4

import psycopg
import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.names import events_topic, positions_topic
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import run_relays
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.fakes.brokers import MemoryCluster


def test_all_topics_that_are_missing_are_named_at_once(database: Database, conn: psycopg.Connection) -> None:
    kafka = KafkaSettings(prefix=f"t{uuid4().hex}")
    cluster = MemoryCluster()
    wanted = [*(events_topic(kafka.prefix, context) for context in CONTEXTS), positions_topic(kafka.prefix)]
    cluster.make_topic(wanted[0], 1)
    with pytest.raises(UsageError, match="kafka topics --apply") as refused:
        run_relays(database, cluster, kafka, CONTEXTS, Order(), threading.Event(), lambda _: None)
    assert [topic for topic in wanted if topic in str(refused.value)] == wanted[1:]


class _Interrupted(threading.Event):
    """What the waiting thread meets when somebody presses Ctrl-C."""

    def wait(self, timeout: float | None = None) -> bool:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return super().wait(timeout)


def test_who_interrupts_the_wait_ends_the_relays(database: Database) -> None:
    kafka = KafkaSettings(prefix=f"t{uuid4().hex}")
    cluster = MemoryCluster()
    for name in (events_topic(kafka.prefix, "sales"), positions_topic(kafka.prefix)):
        cluster.make_topic(name, 1)
    stop = _Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run_relays(database, cluster, kafka, ["sales"], Order(follow=True), stop, lambda _: None)
    assert stop.is_set()
    assert "sales" not in {thread.name for thread in threading.enumerate()}
