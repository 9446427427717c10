"""The kit for consumers on a real broker."""

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

from replayhouse_consumer import Consumer, Stream
from replayhouse_consumer.events import PaymentReceivedV1

from infra.kafka.settings import KafkaSettings
from tests.brokers import applied, broker, kafka
from tests.consuming import Log, Publisher

__all__ = ["broker", "kafka"]

TABLES = "CREATE TABLE IF NOT EXISTS paid (id TEXT PRIMARY KEY, amount TEXT, events INTEGER)"


def a_consumer(kafka: KafkaSettings, inbox: Path | str, **settings: Any) -> Consumer:
    given: dict[str, Any] = {"group": "g", "contexts": ["sales"], "inbox": inbox, "tables": TABLES}
    given |= {"prefix": kafka.prefix, "kafka": {"session_timeout_ms": 1500, "heartbeat_interval_ms": 400}} | settings
    return Consumer(kafka.bootstrap or "", **given)


def keeping_paid(consumer: Consumer) -> Consumer:
    @consumer.stream("sales")
    def changed(stream: Stream, db: sqlite3.Connection) -> None:
        amount = sum((event.amount for event in stream.of(PaymentReceivedV1)), Decimal(0))
        db.execute("REPLACE INTO paid VALUES (?, ?, ?)", (str(stream.id.int), str(amount), len(stream.events)))

    return consumer


def paid(inbox: Path) -> dict[str, str]:
    with sqlite3.connect(inbox) as db:
        return dict(db.execute("SELECT id, amount FROM paid"))


def test_a_read_model_follows_the_topic(kafka: KafkaSettings, tmp_path: Path) -> None:
    applied(kafka, "sales")
    log, publisher = Log(), Publisher(kafka)
    publisher.publish([log.add(1, "OrderInvoiced"), log.paid(1, "10.00"), log.paid(2, "7.50")])
    consumer = keeping_paid(a_consumer(kafka, tmp_path / "inbox.db"))
    assert consumer.run(to_end=True).events == 3
    assert paid(tmp_path / "inbox.db") == {"1": "10.00", "2": "7.50"}
