"""Kafka from Python: each method does what its command does, and answers with what the command prints."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import replayhouse
from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.kafka import connectivity
from replayhouse.infra.kafka.broker.node import trial_broker
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import applied, bootstrap
from tests.support.databases import NO_DATABASE, copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse
from tests.support.quick_java import use_quick_java


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with no broker yet; one that is started in it ends with the test."""
    use_quick_java()
    yield tmp_path / "home"
    trial_broker(tmp_path / "home").stop()


@pytest.fixture
def loaded(server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse of the test's own, with one load."""
    with copied(server) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        warehouse.begin(write(tmp_path / "extract", a_good_extract()))
        yield warehouse


def printed(warehouse: Warehouse, kafka: KafkaSettings, *arguments: str) -> Any:
    """The document that a command prints, its seconds apart."""
    settings = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": bootstrap(kafka), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix}
    document = warehouse.run(*arguments, "--json", **settings).document
    if isinstance(document, dict):
        document.pop("seconds", None)
    return document


def as_printed(document: object) -> Any:
    """A document once it was JSON."""
    return json.loads(json.dumps(document))


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
        assert planned.document() == printed(Warehouse(NO_DATABASE, home), kafka, "kafka", "topics")
        made = warehouse.make_topics()
        assert made.document() == {**planned.document(), "applied": True}
        assert warehouse.make_topics().document() == printed(
            Warehouse(NO_DATABASE, home), kafka, "kafka", "topics", "--apply"
        )
        assert {topic.action.value for topic in warehouse.topics().topics} == {"exists"}

    with replayhouse.open(home=home, kafka={**kafka.model_dump(), "partitions": 9}) as warehouse:
        assert not warehouse.topics().is_refused, "the plan alone is no failure"
        assert warehouse.make_topics().is_refused


def test_a_cluster_of_your_own_is_neither_started_nor_stopped(home: Path, kafka: KafkaSettings) -> None:
    with replayhouse.open(home=home, kafka=kafka.model_dump()) as warehouse:
        assert warehouse.broker_status().running
        assert warehouse.broker_status().document() == printed(Warehouse(NO_DATABASE, home), kafka, "kafka", "status")
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


def test_the_log_is_published_verified_and_consumed(loaded: Warehouse, kafka: KafkaSettings) -> None:
    url, events = loaded.database.url, loaded.events()
    with replayhouse.open(database_url=url, kafka=applied(kafka).model_dump()) as warehouse:
        published = warehouse.publish(["sales"])
        assert {name: relay.events for name, relay in published.relays.items()} == {"sales": events["sales"]}
        assert warehouse.publish("sales").document() == printed(loaded, kafka, "publish", "sales"), "nothing is new"
        assert warehouse.verify_topics(["sales"]).difference is None
        warehouse.publish()
        whole = warehouse.verify_topics()
        assert whole.difference is None
        assert {context: compared.events for context, compared in whole.contexts.items()} == events
        assert as_printed(whole.document()) == printed(loaded, kafka, "publish", "--verify")

        shown = list(warehouse.consume("sales", from_beginning=True))
        assert [event.document() for event in shown] == printed(loaded, kafka, "consume", "sales", "--from-beginning")
        assert len(shown) == events["sales"]
        assert list(warehouse.consume("sales")) == shown[-10:]
        assert list(warehouse.consume("sales", limit=3)) == shown[-3:]
        assert list(warehouse.consume("sales", from_beginning=True, limit=3)) == shown[:3]


def test_who_follows_ends_when_told_so(loaded: Warehouse, kafka: KafkaSettings) -> None:
    with replayhouse.open(database_url=loaded.database.url, kafka=applied(kafka).model_dump()) as warehouse:
        stop = threading.Event()
        stop.set()
        warehouse.publish(follow=True, stop=stop)
        warehouse.publish()
        shown = list(warehouse.consume("sales", from_beginning=True, follow=True, is_ended=lambda: True))
        assert shown == list(warehouse.consume("sales", from_beginning=True))


def test_a_star_schema_is_folded_from_the_topics(loaded: Warehouse, kafka: KafkaSettings) -> None:
    with replayhouse.open(database_url=loaded.database.url, kafka=applied(kafka).model_dump()) as warehouse:
        warehouse.publish()
        report = warehouse.rebuild_from_topics("mirror", ["sales", "marketplace"])
        assert not report.withheld
        digests = loaded.digests(["sales", "marketplace"])
        assert {
            context: {table: digest.hex for table, digest in rebuilt.tables.items()}
            for context, rebuilt in report.contexts.items()
        } == digests
        told = printed(loaded, kafka, "consume", "sales", "marketplace", "--rebuild", "--into", "mirror")
        assert without_seconds(as_printed(report.document())) == without_seconds(told)


def without_seconds(document: dict[str, Any]) -> dict[str, Any]:
    """What is told of each context, but for how long it took."""
    contexts = {name: {**of, "seconds": None} for name, of in document["contexts"].items()}
    return {**document, "contexts": contexts}


def test_what_cannot_be_done_is_an_error(loaded: Warehouse, kafka: KafkaSettings, home: Path) -> None:
    with replayhouse.open(database_url=loaded.database.url, kafka=kafka.model_dump()) as warehouse:
        with pytest.raises(replayhouse.UsageError, match="no topic"):
            warehouse.publish("sales")
        with pytest.raises(replayhouse.UsageError, match="no topic"):
            next(warehouse.consume("sales"))
        with pytest.raises(replayhouse.UsageError, match="1 at least"):
            next(warehouse.consume("sales", limit=0))
        with pytest.raises(replayhouse.UsageError, match="no context 'sale'"):
            warehouse.publish(["sale"])
        with pytest.raises(replayhouse.UsageError, match="prefix"):
            warehouse.rebuild_from_topics("No Prefix")
        with pytest.raises(replayhouse.UsageError, match="no topic"):
            warehouse.verify_topics()
    with replayhouse.open(home=home, kafka=kafka.model_dump()) as warehouse:
        with pytest.raises(replayhouse.NoWarehouse):
            warehouse.publish()
        with pytest.raises(replayhouse.NoWarehouse):
            warehouse.verify_topics()
