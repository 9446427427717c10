"""Kafka from Python: each method does what its command does, and answers with what the command prints."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import replayhouse
from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.kafka import connectivity
from replayhouse.infra.kafka.broker.node import trial_broker
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import bootstrap, broker, kafka
from tests.support.databases import NO_DATABASE
from tests.support.in_process import Warehouse
from tests.support.quick_java import use_quick_java

__all__ = ["broker", "kafka"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with no broker yet; one that is started in it ends with the test."""
    use_quick_java()
    yield tmp_path / "home"
    trial_broker(tmp_path / "home").stop()


def printed(home: Path, kafka: KafkaSettings, *arguments: str) -> Any:
    """The document that a command prints."""
    settings = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": bootstrap(kafka), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix}
    return Warehouse(NO_DATABASE, home).run(*arguments, "--json", **settings).document


def test_a_broker_is_started_and_stopped(home: Path) -> None:
    told: list[str] = []
    with replayhouse.open(home=home, tell=lambda doing, *_: told.append(doing)) as warehouse:
        assert warehouse.broker_status().document() == {
            "running": False,
            "bootstrap": None,
            "pid": None,
            "data": str(home / "kafka"),
        }
        started = warehouse.start_broker()
        assert started.started
        assert started.document() == {**warehouse.broker_status().document(), "started": True}
        assert warehouse.start_broker() == started._replace(started=False)
        assert told == ["starting the broker; the first time Maven fetches it"]
        assert warehouse.stop_broker().document() == {"running": False, "stopped": True}
        assert not warehouse.stop_broker().stopped


def test_topics_are_planned_then_made(home: Path, kafka: KafkaSettings) -> None:
    with replayhouse.open(home=home, kafka=kafka.model_dump()) as warehouse:
        planned = warehouse.topics()
        assert planned.bootstrap == bootstrap(kafka)
        assert [topic.action.value for topic in planned.topics] == ["create"] * (len(CONTEXTS) + 1)
        assert planned.document() == printed(home, kafka, "kafka", "topics")
        made = warehouse.make_topics()
        assert made.document() == {**planned.document(), "applied": True}
        assert warehouse.make_topics().document() == printed(home, kafka, "kafka", "topics", "--apply")
        assert {topic.action.value for topic in warehouse.topics().topics} == {"exists"}

    with replayhouse.open(home=home, kafka={**kafka.model_dump(), "partitions": 9}) as warehouse:
        assert not warehouse.topics().is_refused, "the plan alone is no failure"
        assert warehouse.make_topics().is_refused


def test_a_cluster_of_your_own_is_neither_started_nor_stopped(home: Path, kafka: KafkaSettings) -> None:
    with replayhouse.open(home=home, kafka=kafka.model_dump()) as warehouse:
        assert warehouse.broker_status().running
        assert warehouse.broker_status().document() == printed(home, kafka, "kafka", "status")
        with pytest.raises(replayhouse.UsageError, match="REPLAYHOUSE_KAFKA_BOOTSTRAP"):
            warehouse.start_broker()
        with pytest.raises(replayhouse.UsageError, match="REPLAYHOUSE_KAFKA_BOOTSTRAP"):
            warehouse.stop_broker()


def test_brokers_that_are_away_and_settings_that_make_no_sense_are_errors(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replayhouse.open(home=home) as warehouse, pytest.raises(replayhouse.Unreachable, match="kafka start"):
        warehouse.topics()
    monkeypatch.setattr(connectivity, "LONGEST_SECONDS", 0.5)
    monkeypatch.setattr(connectivity, "_BUSY", 100)  # the refusal may be long in coming on a busy machine
    with (
        replayhouse.open(home=home, kafka={"bootstrap": "127.0.0.1:1"}) as warehouse,
        pytest.raises(replayhouse.Unreachable, match="refused"),
    ):
        warehouse.broker_status()
    with pytest.raises(replayhouse.UsageError, match="REPLAYHOUSE_KAFKA_PARTITIONS"):
        replayhouse.open(home=home, kafka={"partitions": "many"})
    with pytest.raises(replayhouse.UsageError, match="no setting brokers"):
        replayhouse.open(home=home, kafka={"brokers": "127.0.0.1:1"})
