"""Whoever has to make topics is told of all that are missing, and not of one after the other."""

import threading
from uuid import uuid4

import psycopg
import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.publish import publish
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.names import events_topic, positions_topic
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.databases import conn, database, server
from tests.support.fakes.brokers import MemoryCluster

__all__ = ["conn", "database", "server"]


def test_all_topics_that_are_missing_are_named_at_once(database: Database, conn: psycopg.Connection) -> None:
    kafka = KafkaSettings(prefix=f"t{uuid4().hex}")
    cluster = MemoryCluster()
    wanted = [*(events_topic(kafka.prefix, context) for context in CONTEXTS), positions_topic(kafka.prefix)]
    cluster.make_topic(wanted[0], 1)
    with pytest.raises(UsageError, match="kafka topics --apply") as refused:
        publish(database, cluster, kafka, CONTEXTS, Order(), threading.Event(), lambda _: None)
    assert [topic for topic in wanted if topic in str(refused.value)] == wanted[1:]
