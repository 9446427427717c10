"""A transaction that the brokers have forgotten and left open in a partition: the relay ends it and goes on."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaProducer, TopicPartition

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.kafka.hanging_transactions import open_transactions
from replayhouse.infra.kafka.topics import administering
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.names import events_topic, positions_topic, transactional_id
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import run_relays
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import TIMEOUT_S, applied, bootstrap, settings_for
from tests.support.published import complaints
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])

FORGETFUL = {"transaction.partition.verification.enable": "false"}
"""Brokers before Kafka 3.6: they take messages of a transaction that does not know of the partition."""


@pytest.fixture(scope="module")
def forgetful() -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="replayhouse-kafka-") as folder:
        broker = Broker(Path(folder), settings=FORGETFUL, ends_with_us=True)
        broker.start()
        yield broker
        broker.stop()


def leave_open(kafka: KafkaSettings, name: str, *places: TopicPartition) -> None:
    """A producer of the relay's id leaves messages in partitions, and its transaction does not know of them."""
    producer = KafkaProducer(
        bootstrap_servers=bootstrap(kafka), transactional_id=transactional_id(kafka.prefix, name), compression_type=None
    )
    producer.init_transactions()
    producer.begin_transaction()
    manager = producer._transaction_manager
    assert manager is not None
    manager._partitions_in_transaction.update(places)  # as if it had been told so
    for topic, partition in places:
        producer.send(topic, b"{}", b"nobody", partition=partition).get(TIMEOUT_S)
    producer.close(timeout=0)


def still_open(kafka: KafkaSettings, places: list[TopicPartition]) -> set[TopicPartition]:
    with administering(kafka, bootstrap(kafka)) as admin:
        return {found.place for found in open_transactions(admin, places)}


def test_it_ends_what_the_brokers_have_left_open_and_goes_on(
    database: Database, conn: psycopg.Connection, forgetful: Broker
) -> None:
    kafka = applied(settings_for(forgetful, transaction_seconds=20), "sales")
    cluster, told = KafkaCluster(kafka, bootstrap(kafka)), list[str]()
    places = [TopicPartition(positions_topic(kafka.prefix), 0), TopicPartition(events_topic(kafka.prefix, "sales"), 3)]
    log = Log(conn)

    def run() -> None:
        run_relays(database, cluster, kafka, ["sales"], Order(), threading.Event(), told.append)

    log.append("sales", an_id(1), PLACED)
    run()
    leave_open(kafka, "sales", *places)
    log.append("sales", an_id(2), PLACED)
    assert still_open(kafka, places) == set(places)
    run()
    assert still_open(kafka, places) == set()
    assert "sales: ended a transaction that the brokers had left open for good." in told
    assert complaints(kafka, database, ["sales"]) == []


def test_what_other_producers_have_open_is_let_alone(forgetful: Broker) -> None:
    kafka = applied(settings_for(forgetful), "sales", "customer")
    place = TopicPartition(positions_topic(kafka.prefix), 0)
    leave_open(kafka, "customer", place)
    cluster = KafkaCluster(kafka, bootstrap(kafka))
    producer = cluster.producer(transactional_id(kafka.prefix, "sales"))
    producer.start()
    assert cluster.end_hanging(transactional_id(kafka.prefix, "sales"), {place.topic: 1}) == 0
    assert still_open(kafka, [place]) == {place}
    producer.close()
