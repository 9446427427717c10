"""The broker itself: killed, started again, held, left by its parent; and a client that nobody here wrote."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer

from replayhouse.infra.kafka.broker.configuration import HOST
from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.kafka.topics import check_topics
from replayhouse.infra.publishing.names import events_topic
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import TIMEOUT_S, OwnBroker, applied, bootstrap, console_consumer, seen, settings_for
from tests.support.crashes import SEED, a_seed
from tests.support.quick_java import use_quick_java


@pytest.fixture(autouse=True, scope="module")
def quick_java() -> None:
    use_quick_java()


START_AND_WAIT = """
import sys
from pathlib import Path
from replayhouse.infra.kafka.broker.node import Broker
Broker(Path(sys.argv[1]), ends_with_us=True).start()
print("started", flush=True)
sys.stdin.read()
"""

START = """
import sys
from pathlib import Path
from replayhouse.infra.kafka.broker.node import Broker
broker = Broker(Path(sys.argv[1]))
print("begun", flush=True)
print(broker.start(), broker.pid, flush=True)
"""


def a_starter(folder: Path) -> subprocess.Popen[str]:
    """A command that starts a broker which outlives it."""
    starter = subprocess.Popen([sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "begun\n"
    return starter


def published(kafka: KafkaSettings, *values: bytes) -> str:
    """Sends values to the topic of sales, all acknowledged; the topic's name."""
    topic = events_topic(kafka.prefix, "sales")
    producer = Producer(confluent_config(kafka, bootstrap(kafka)))
    for value in values:
        producer.produce(topic, value, b"one stream")
    assert producer.flush(TIMEOUT_S) == 0
    return topic


def test_a_killed_broker_starts_again_where_it_was_with_what_it_acknowledged(own_broker: OwnBroker) -> None:
    kafka = applied(settings_for(own_broker), "sales")
    topic, address, pid = published(kafka, b"first"), own_broker.bootstrap, own_broker.pid
    own_broker.kill()
    assert (own_broker.is_alive(), own_broker.answers(), own_broker.pid) == (False, False, None)

    assert own_broker.start() is True
    assert own_broker.start() is False, "it runs already"
    assert own_broker.bootstrap == address
    assert own_broker.pid != pid
    check_topics(kafka, address, ["sales"])
    published(kafka, b"second")
    assert console_consumer(address, topic, messages=2) == ["first", "second"]

    own_broker.pause()
    assert own_broker.is_alive()
    assert not own_broker.answers()
    own_broker.resume()
    seen(own_broker.answers)

    own_broker.pause()
    assert own_broker.stop() is True, "a stopped process is woken to end"
    assert own_broker.stop() is False


def test_a_broker_whose_port_was_taken_meanwhile_takes_another_and_ends_with_its_parent(tmp_path: Path) -> None:
    """In a process of its own, which is killed: what it started must not outlive it."""
    left = Broker(tmp_path / "broker")
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(left.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        seen(left.answers)  # whoever looks finds it, not only who started it
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.communicate()
    deadline = time.monotonic() + TIMEOUT_S
    while left.is_alive():
        assert time.monotonic() < deadline, "the broker has outlived its parent"
        time.sleep(0.01)

    port = int(left.bootstrap.partition(":")[2])
    with socket.create_server((HOST, port)):
        again = Broker(left.folder, ends_with_us=True)
        try:
            assert again.start() is True
            assert again.bootstrap != f"{HOST}:{port}"
        finally:
            again.stop()


def test_whenever_a_starter_is_killed_the_next_ones_end_up_with_one_broker(tmp_path: Path) -> None:
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance, broker = random.Random(seed), Broker(tmp_path / "broker")
    try:
        for _ in range(2):
            starter = a_starter(broker.folder)
            time.sleep(chance.uniform(0, 3))
            starter.kill()
            starter.communicate()
        starters = [a_starter(broker.folder) for _ in range(2)]
        told = [starter.communicate(timeout=TIMEOUT_S)[0].split() for starter in starters]
        seen(broker.answers)
        assert {pid for _, pid in told} == {str(broker.pid)}
        assert "False" in {was_started for was_started, _ in told}, "two cannot both have started it"
    finally:
        broker.stop()


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = Broker(tmp_path / "broker", settings={"log.dirs": str(tmp_path / "elsewhere"), "num.io.threads": "none"})
    with pytest.raises(Unreachable, match=r"num\.io\.threads"):
        broken.start()
    assert not broken.is_alive()


def test_the_console_consumer_that_comes_with_kafka_reads_the_topics(kafka: KafkaSettings) -> None:
    topic = published(applied(kafka, "sales"), b"one", b"two", b"three")
    keys = ("--formatter-property", "print.key=true")
    assert console_consumer(bootstrap(kafka), topic, *keys, messages=3) == [
        "one stream\tone",
        "one stream\ttwo",
        "one stream\tthree",
    ]
