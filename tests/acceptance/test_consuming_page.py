"""What docs/consuming.md shows can be done as it stands, by clients that nobody here wrote."""

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Producer

from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.publishing.message import LoggedEvent, message_of
from replayhouse.infra.publishing.names import events_topic, source_of
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import TIMEOUT_S, applied, console_consumer
from tests.support.pages import python_files_of

PAGE = (Path(__file__).parents[2] / "docs/consuming.md").read_text(encoding="utf-8")
FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


def event(stream: UUID, version: int, name: str, **facts: Any) -> LoggedEvent:
    state = json.dumps({"occurred_at": "2017-10-02T10:56:33", **facts}).encode()
    recorded_at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    return LoggedEvent("sales", stream, version, f"sales.{name}.v1", state, 1, None, None, bytes(32), recorded_at)


COMMITTED = [
    event(FIRST, 1, "OrderInvoiced"),
    event(FIRST, 2, "OrderPaid", paid="10.10", total="10.00"),
    event(SECOND, 1, "OrderInvoiced"),
    event(SECOND, 2, "OrderPaid", paid="20.00", total="20.00"),
    event(SECOND, 3, "Rewound", batch_id=str(THIRD), to_version=1),
    event(THIRD, 1, "OrderPaid", paid="30.00", total="30.00"),
    event(THIRD, 2, "Rewound", batch_id=str(THIRD), to_version=0),
]
ABORTED = [event(FIRST, 9, "OrderPaid", paid="1000.00", total="1000.00")]


@pytest.fixture
def published(kafka: KafkaSettings) -> KafkaSettings:
    """A topic with an aborted event, and behind it seven committed ones of three orders."""
    applied(kafka, "sales")
    assert kafka.bootstrap is not None
    config = confluent_config(kafka, kafka.bootstrap) | {"partitioner": "murmur2_random", "compression.type": "lz4"}
    producer = Producer({**config, "transactional.id": f"{kafka.prefix}.page"})
    producer.init_transactions(TIMEOUT_S)
    source, topic = source_of(kafka.prefix, "sales").encode(), events_topic(kafka.prefix, "sales")
    for events in (ABORTED, COMMITTED):
        producer.begin_transaction()
        for message in (message_of(each, source) for each in events):
            producer.produce(topic, value=message.value, key=message.key, headers=dict(message.headers))
        assert producer.flush(TIMEOUT_S) == 0
        if events is COMMITTED:
            producer.commit_transaction(TIMEOUT_S)
        else:
            producer.abort_transaction(TIMEOUT_S)
    return kafka


def test_the_consumer_of_the_page_counts_what_was_committed_and_not_taken_back(
    published: KafkaSettings, tmp_path: Path
) -> None:
    name = "paid_orders.py"
    source = python_files_of(PAGE)[name].replace("consumer_timeout_ms=5_000", "consumer_timeout_ms=20_000")
    assert "consumer_timeout_ms=20_000" in source, "a busy machine may be longer about the first message"
    (tmp_path / name).write_text(source.replace("replayhouse.sales", f"{published.prefix}.sales"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        env={**os.environ, "REPLAYHOUSE_KAFKA_BOOTSTRAP": str(published.bootstrap)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 orders, 1 paid, R$ 10.10\n"


def test_the_console_command_of_the_page_shows_every_committed_event_and_no_other(
    broker: Broker, published: KafkaSettings
) -> None:
    """Its options are the page's; only address and topic are the test's."""
    shown = re.search(r"^kafka-console-consumer\.sh (.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert shown
    options = shlex.split(shown[1].replace("\\\n", " "))
    assert options[:5:2] == ["--bootstrap-server", "--topic", "--from-beginning"]
    lines = console_consumer(
        broker.bootstrap, events_topic(published.prefix, "sales"), *options[5:], messages=len(COMMITTED)
    )
    assert len(lines) == len(COMMITTED)
    for each in COMMITTED:
        line = next(line for line in lines if f"ce_id:{each.stream}.{each.version}," in line)
        headers, key, value = line.split("\t")
        assert key == str(each.stream)
        assert json.loads(value) == json.loads(each.state)
        assert f"ce_type:{each.topic}" in headers
    assert sum(Decimal(json.loads(line.split("\t")[2]).get("paid", "0")) for line in lines) == Decimal("60.10")
