"""`kafka`: the broker for trying out, and the plan of topics, as a user meets them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.kafka import connectivity
from replayhouse.infra.kafka.broker.node import trial_broker
from replayhouse.infra.kafka.topics import administering
from replayhouse.infra.publishing.names import events_topic, positions_topic
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import applied, bootstrap
from tests.support.cli import Program
from tests.support.databases import NO_DATABASE
from tests.support.in_process import Warehouse, refused
from tests.support.quick_java import use_quick_java


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """A home with no broker yet; one that is started in it ends with the test."""
    use_quick_java()
    yield Warehouse(NO_DATABASE, tmp_path / "home")
    trial_broker(tmp_path / "home").stop()


def of(kafka: KafkaSettings, **more: str) -> dict[str, str]:
    """The settings in a user's environment."""
    return {"REPLAYHOUSE_KAFKA_BOOTSTRAP": bootstrap(kafka), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix, **more}


def test_a_broker_outlives_the_command_that_started_it_and_keeps_its_address_and_topics(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    assert warehouse.json("kafka", "status")["running"] is False
    refused(warehouse.run("kafka", "topics", "--json"), 3, "replayhouse kafka start", "REPLAYHOUSE_KAFKA_BOOTSTRAP")

    started = Program(tmp_path / "home").json("kafka", "start")
    assert (started["running"], started["started"]) == (True, True)
    again = warehouse.json("kafka", "start")
    assert again == {**started, "started": False}
    assert warehouse.json("kafka", "status") == {key: started[key] for key in ("running", "bootstrap", "pid", "data")}
    assert started["data"] == str(tmp_path / "home/kafka")
    assert {topic["plan"] for topic in warehouse.json("kafka", "topics", "--apply")["topics"]} == {"create"}

    assert warehouse.json("kafka", "stop") == {"running": False, "stopped": True}
    assert warehouse.json("kafka", "stop") == {"running": False, "stopped": False}
    assert "not running" in warehouse.run("kafka", "status").out
    assert warehouse.json("kafka", "start")["bootstrap"] == started["bootstrap"]
    assert {topic["plan"] for topic in warehouse.json("kafka", "topics")["topics"]} == {"exists"}


def test_the_plan_is_shown_before_anything_is_made(warehouse: Warehouse, kafka: KafkaSettings) -> None:
    shown = warehouse.run("kafka", "topics", **of(kafka))
    assert shown.code == 0
    assert shown.out.count("to be made") == len(CONTEXTS) + 2, "one line a topic, and what to do"
    with administering(kafka, bootstrap(kafka)) as admin:
        assert not [name for name in admin.list_topics() if name.startswith(f"{kafka.prefix}.")]

    made = warehouse.run("kafka", "topics", "--apply", **of(kafka))
    assert made.code == 0
    names = {events_topic(kafka.prefix, context) for context in CONTEXTS} | {positions_topic(kafka.prefix)}
    with administering(kafka, bootstrap(kafka)) as admin:
        assert {name for name in admin.list_topics() if name.startswith(f"{kafka.prefix}.")} == names
    assert "as wanted" in warehouse.run("kafka", "topics", **of(kafka)).out


def test_a_topic_that_differs_is_told_and_stays_and_the_answer_is_no(
    warehouse: Warehouse, kafka: KafkaSettings
) -> None:
    applied(kafka, "sales")
    more = of(kafka, REPLAYHOUSE_KAFKA_PARTITIONS="9")
    assert warehouse.run("kafka", "topics", **more).code == 0, "the plan alone is no failure"
    done = warehouse.run("kafka", "topics", "--apply", "--json", **more)
    assert done.code == 1
    sales, *others = done.document["topics"]
    assert sales["plan"] == "differs"
    assert sales["differences"][0] | {"advice": ""} == {
        "setting": "partitions",
        "wanted": "9",
        "found": "6",
        "advice": "",
    }
    assert "REPLAYHOUSE_KAFKA_PARTITIONS" in sales["differences"][0]["advice"]
    assert {topic["plan"] for topic in others} == {"create", "exists"}, "what is missing is made all the same"
    told = warehouse.run("kafka", "topics", "--apply", **more)
    assert told.code == 1
    assert f"{events_topic(kafka.prefix, 'sales')} has partitions 6, not 9" in told.out


def test_a_cluster_of_your_own_is_asked_but_neither_started_nor_stopped(
    warehouse: Warehouse, kafka: KafkaSettings
) -> None:
    for command in ("start", "stop"):
        refused(warehouse.run("kafka", command, "--json", **of(kafka)), 2, "REPLAYHOUSE_KAFKA_BOOTSTRAP")
    told = warehouse.run("kafka", "status", "--json", **of(kafka))
    assert told.document == {"running": True, "bootstrap": bootstrap(kafka), "pid": None, "data": None}


@pytest.mark.parametrize("command", ["status", "topics"])
def test_a_cluster_that_does_not_answer_is_a_service_that_is_away(
    command: str, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connectivity, "LONGEST_SECONDS", 0.5)
    monkeypatch.setattr(connectivity, "_BUSY", 100)  # the refusal may be long in coming on a busy machine
    done = warehouse.run("kafka", command, "--json", REPLAYHOUSE_KAFKA_BOOTSTRAP="127.0.0.1:1")
    refused(done, 3, "127.0.0.1:1", "refused")


def test_without_java_or_maven_it_is_said_in_plain_words(warehouse: Warehouse, tmp_path: Path) -> None:
    done = warehouse.run("kafka", "start", "--json", PATH=str(tmp_path), JAVA_HOME="")
    refused(done, 2, "'java'", "docker-compose.yml")
    assert warehouse.run("kafka", "status").code == 0, "nothing is half started"


def test_a_setting_that_makes_no_sense_is_named(warehouse: Warehouse, kafka: KafkaSettings) -> None:
    for name, value in {"PARTITIONS": "many", "STATE": "sale", "BOOTSTRAP": "one", "SECURITY": "TLS"}.items():
        done = warehouse.run("kafka", "topics", "--json", **of(kafka, **{f"REPLAYHOUSE_KAFKA_{name}": value}))
        refused(done, 2, f"REPLAYHOUSE_KAFKA_{name}")
