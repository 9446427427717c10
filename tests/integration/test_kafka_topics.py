"""The topics on a real broker: planned, made, checked, never changed and never made by accident."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Producer

from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.kafka.topics import (
    Action,
    administering,
    check_topics,
    found_topics,
    make_topics,
    plan_topics,
    wanted_topics,
)
from replayhouse.infra.publishing.names import events_topic, positions_topic
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import TIMEOUT_S, altered, applied, bootstrap, with_more_partitions


def actions(plan: Any) -> set[Action]:
    return {planned.action for planned in plan}


def test_a_plan_changes_nothing_and_what_was_made_is_as_wanted(kafka: KafkaSettings) -> None:
    kafka = kafka.model_copy(update={"partitions": 3, "retention_hours": 5, "state": "sales"})
    assert actions(plan_topics(kafka, bootstrap(kafka))) == {Action.CREATE}
    assert actions(plan_topics(kafka, bootstrap(kafka))) == {Action.CREATE}, "planning makes nothing"
    assert actions(make_topics(kafka, bootstrap(kafka))) == {Action.CREATE}
    assert actions(make_topics(kafka, bootstrap(kafka))) == {Action.KEEP}

    wanted = wanted_topics(kafka)
    with administering(kafka, bootstrap(kafka)) as admin:
        there = found_topics(admin, wanted)
    assert {name: (found.partitions, found.settings) for name, found in there.items()} == {
        topic.name: (topic.partitions, topic.settings) for topic in wanted
    }
    check_topics(kafka, bootstrap(kafka))


def test_two_at_once_make_each_topic_once(kafka: KafkaSettings) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: make_topics(kafka, bootstrap(kafka)), range(4)))
    check_topics(kafka, bootstrap(kafka))


def test_a_missing_topic_is_named(kafka: KafkaSettings) -> None:
    applied(kafka, "sales")
    check_topics(kafka, bootstrap(kafka), ["sales"])
    with pytest.raises(UsageError, match=rf"no topic {events_topic(kafka.prefix, 'customer')}.*kafka topics"):
        check_topics(kafka, bootstrap(kafka), ["sales", "customer"])


def test_partitions_that_were_added_are_told_and_left_as_they_are(kafka: KafkaSettings) -> None:
    name = with_more_partitions(applied(kafka, "sales"), "sales", 7)
    with pytest.raises(UsageError, match=rf"{name} has partitions 7, not 6: set REPLAYHOUSE_KAFKA_PARTITIONS"):
        check_topics(kafka, bootstrap(kafka), ["sales"])
    for _ in range(2):
        sales, _positions = make_topics(kafka, bootstrap(kafka), ["sales"])
        assert (sales.action, sales.differences[0].found) == (Action.TELL, "7")
    check_topics(kafka.model_copy(update={"partitions": 7}), bootstrap(kafka), ["sales"])


def test_a_topic_that_is_compacted_behind_our_back_is_refused_and_a_shorter_memory_is_told(
    kafka: KafkaSettings,
) -> None:
    applied(kafka, "sales", "customer")
    name = altered(kafka, "sales", cleanup_policy="compact")
    for check in (
        lambda: check_topics(kafka, bootstrap(kafka), ["sales"]),
        lambda: KafkaCluster(kafka, bootstrap(kafka)).facts([name]),  # with which every relay begins
    ):
        with pytest.raises(UsageError, match=rf"{name} has cleanup.policy compact, not delete"):
            check()

    altered(kafka, "customer", retention_ms="1000000")
    customer, _positions = plan_topics(kafka, bootstrap(kafka), ["customer"])
    assert [(difference.setting, difference.found) for difference in customer.differences] == [
        ("retention.ms", "1000000")
    ]
    check_topics(kafka, bootstrap(kafka), ["customer"])
    KafkaCluster(kafka, bootstrap(kafka)).facts([events_topic(kafka.prefix, "customer")])


def test_publishing_makes_no_topic(kafka: KafkaSettings) -> None:
    name, refused = events_topic(kafka.prefix, "sales"), []
    producer = Producer({**confluent_config(kafka, bootstrap(kafka)), "message.timeout.ms": 500})
    producer.produce(name, b"state", b"stream", on_delivery=lambda error, _: refused.append(error))
    producer.flush(TIMEOUT_S)
    assert len(refused) == 1
    assert refused[0] is not None
    with administering(kafka, bootstrap(kafka)) as admin:
        assert not {name, positions_topic(kafka.prefix)} & set(admin.list_topics())
