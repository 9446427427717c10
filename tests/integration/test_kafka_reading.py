"""Reading topics back: all that was committed, in order, up to the ends at the start, and in bounded memory."""

from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest
from confluent_kafka import Producer

from replayhouse.infra.kafka import reader as reading_module
from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.kafka.reader import Received, reading
from replayhouse.infra.publishing.message import LoggedEvent
from replayhouse.infra.publishing.names import events_topic
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import applied
from tests.support.kafka_log import BATCH, TIMEOUT_S, Placed, placed, send

RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def events(context: str, first: int, number: int, step: int = 1) -> list[LoggedEvent]:
    return [
        LoggedEvent(context, UUID(int=n), 1, f"{context}.X.v1", b"{}", n, None, None, bytes(32), RECORDED_AT)
        for n in range(first, first + number * step, step)
    ]


def in_small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is fetched at once, and a partition has enough with some 60 messages."""
    monkeypatch.setattr(reading_module, "_FETCHED_BYTES_A_PARTITION", 2_000)
    monkeypatch.setattr(reading_module, "_LEAST_BYTES_A_PARTITION", 30_000)
    monkeypatch.setattr(reading_module, "_MOST_BYTES", 0)


def bootstrap(kafka: KafkaSettings) -> str:
    assert kafka.bootstrap is not None
    return kafka.bootstrap


def positions(messages: list[Received]) -> list[int]:
    return [message.position for message in messages]


def test_all_messages_of_two_contexts_come_by_position_and_by_partition_in_order(kafka: KafkaSettings) -> None:
    applied(kafka, "sales", "customer")
    send(kafka, "sales", placed(kafka, events("sales", 1, 700, 2)), f"{kafka.prefix}-a")
    send(kafka, "customer", placed(kafka, events("customer", 2, 700, 2)), f"{kafka.prefix}-b")

    with reading(kafka, bootstrap(kafka), ["sales", "customer"]) as topics:
        assert positions(list(topics.by_position())) == list(range(1, 1401))
        topics.start()
        whole = [message for some in topics.messages() for message in some]

    assert sorted(positions(whole)) == list(range(1, 1401))
    for context in ("sales", "customer"):
        for partition in range(kafka.partitions):
            of_partition = [m for m in whole if (m.context, m.partition) == (context, partition)]
            assert of_partition
            assert all(a.offset < b.offset and a.position < b.position for a, b in pairwise(of_partition))


def test_little_waits_however_much_a_partition_holds(kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One partition's messages all come before those of the others, which has the others wait for nothing."""
    in_small_portions(monkeypatch)
    applied(kafka, "sales")
    late = placed(kafka, events("sales", 10_001, 1_500))
    send(kafka, "sales", [message._replace(partition=n % 5) for n, message in enumerate(late)])
    send(kafka, "sales", [message._replace(partition=5) for message in placed(kafka, events("sales", 1, 2_000))])

    most = 0
    with reading(kafka, bootstrap(kafka), ["sales"]) as topics:
        found = []
        for message in topics.by_position():
            found.append(message.position)
            most = max(most, sum(map(len, topics._waiting.values())))

    assert found == [*range(1, 2_001), *range(10_001, 11_501)]
    assert most < 6 * (60 + 2 * BATCH), "a partition that has enough waits until it is asked for"


def test_partitions_that_wait_for_each_other_all_come_to_their_end(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two contexts in turn: what is paused must come when it is asked for."""
    in_small_portions(monkeypatch)
    applied(kafka, "sales", "customer")
    send(kafka, "sales", placed(kafka, events("sales", 1, 2_000, 2)), f"{kafka.prefix}-a")
    send(kafka, "customer", placed(kafka, events("customer", 2, 2_000, 2)), f"{kafka.prefix}-b")
    with reading(kafka, bootstrap(kafka), ["sales", "customer"]) as topics:
        assert positions(list(topics.by_position())) == list(range(1, 4_001))


def test_what_was_not_committed_is_not_there_and_what_comes_later_neither(kafka: KafkaSettings) -> None:
    applied(kafka, "sales")
    send(kafka, "sales", placed(kafka, events("sales", 1, 50)), f"{kafka.prefix}-a")
    undone = Producer({**confluent_config(kafka, bootstrap(kafka)), "transactional.id": f"{kafka.prefix}-b"})
    undone.init_transactions(TIMEOUT_S)
    undone.begin_transaction()
    for partition in range(kafka.partitions):
        undone.produce(events_topic(kafka.prefix, "sales"), b"{}", b"key", partition)
    undone.flush(TIMEOUT_S)
    undone.abort_transaction(TIMEOUT_S)

    with reading(kafka, bootstrap(kafka), ["sales"]) as topics:
        send(kafka, "sales", placed(kafka, events("sales", 51, 50)))
        assert positions(list(topics.by_position())) == list(range(1, 51))
        assert positions(topics.last(7)) == list(range(44, 51))
        assert topics.last(1)[0].position == 50

    with reading(kafka, bootstrap(kafka), ["sales"]) as topics:
        assert positions(topics.last(60)) == list(range(41, 101)), "more than each partition was read at first"
        assert positions(topics.last(1_000)) == list(range(1, 101))


def test_the_newest_are_found_behind_many_that_were_never_committed(kafka: KafkaSettings) -> None:
    applied(kafka, "sales")
    send(kafka, "sales", placed(kafka, events("sales", 1, 20)), f"{kafka.prefix}-a")
    undone = Producer({**confluent_config(kafka, bootstrap(kafka)), "transactional.id": f"{kafka.prefix}-b"})
    undone.init_transactions(TIMEOUT_S)
    undone.begin_transaction()
    for number in range(3_000):
        undone.produce(events_topic(kafka.prefix, "sales"), b"{}", b"key", number % kafka.partitions)
    undone.flush(TIMEOUT_S)
    undone.abort_transaction(TIMEOUT_S)

    with reading(kafka, bootstrap(kafka), ["sales"]) as topics:
        assert positions(topics.last(3)) == [18, 19, 20]


def test_an_empty_topic_ends_at_once_and_a_missing_one_is_named(kafka: KafkaSettings) -> None:
    applied(kafka, "sales")
    with reading(kafka, bootstrap(kafka), ["sales"]) as topics:
        assert not [*topics.by_position(), *topics.messages(), *topics.last(5)]
    with (
        pytest.raises(UsageError, match=f"no topic {kafka.prefix}.customer.events.v1"),
        reading(kafka, bootstrap(kafka), ["sales", "customer"]),
    ):
        pass


def test_a_message_that_tells_no_position_comes_after_the_one_before_it(kafka: KafkaSettings) -> None:
    applied(kafka, "sales")
    messages = placed(kafka, events("sales", 1, 30))
    foreign = Placed(messages[9].partition, messages[9].message._replace(headers=[], value=b"not ours"))
    send(kafka, "sales", [*messages[:10], foreign, *messages[10:]])
    with reading(kafka, bootstrap(kafka), ["sales"]) as topics:
        found = list(topics.by_position())
    assert [message.value for message in found].index(b"not ours") == 10
    assert [m.position for m in found if m.value != b"not ours"] == list(range(1, 31))
