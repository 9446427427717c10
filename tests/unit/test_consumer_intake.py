"""The Kafka side of the kit for consumers, with a KafkaConsumer that does as it is told."""

from typing import Any, NamedTuple

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError

from replayhouse_consumer import intake
from replayhouse_consumer.intake import Intake

PARTITION = TopicPartition("t", 0)


class Record(NamedTuple):
    """What the kit looks at of a record."""

    offset: int
    key: bytes = b"k"
    value: bytes = b"v"
    headers: tuple[tuple[str, bytes], ...] = ()


class Scripted:
    """Polls answer what stands in `answers`, in this order; afterwards nothing."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.held: list[TopicPartition] = []

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Record]]:
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        assert len(answer) <= max_records
        return {PARTITION: answer} if answer else {}

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    def pause(self, partition: TopicPartition) -> None:
        self.held.append(partition)

    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def subscribe(self, **_: Any) -> None: ...
    def partitions_for_topic(self, topic: str) -> None: ...


def an_intake(monkeypatch: pytest.MonkeyPatch, answers: list[Any], batch: int) -> tuple[Intake, Scripted]:
    consumer = Scripted(answers)
    monkeypatch.setattr(intake, "KafkaConsumer", lambda **_: consumer)
    return Intake("g", ["t"], batch, {}), consumer


def test_a_batch_is_put_together_of_what_is_there_and_no_larger_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [Record(offset) for offset in range(150)]
    one, consumer = an_intake(monkeypatch, [records[:100], records[100:140], records[140:], [], [Record(150)]], 140)
    assert [[message.offset for message in one.poll()] for _ in range(3)] == [
        list(range(140)),
        list(range(140, 150)),
        [150],
    ]
    assert consumer.held == []


def test_what_was_read_before_brokers_went_away_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """kafka-python has handed it out, and would go on behind it."""
    one, consumer = an_intake(monkeypatch, [[Record(0)], KafkaConnectionError("gone")], 10)
    with pytest.raises(KafkaConnectionError):
        one.poll()
    assert consumer.held == [PARTITION]  # until it is settled anew, at the offsets of the inbox
