"""Brokers for tests, topics under a prefix of its own for each test, and what tests do with them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.kafka.broker.jars import jars, java
from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.topics import administering, found_topics, make_topics, wanted_topics
from replayhouse.infra.publishing.names import events_topic
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.folders import quick_folder
from tests.support.quick_java import use_quick_java

TIMEOUT_S = 300
"""Much longer than anything takes: a busy machine is no reason to fail."""
CONSOLE_CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"

_SHARED = {"broker.session.timeout.ms": "60000", "broker.heartbeat.interval.ms": "2000"}
"""It is never killed, and on a busy machine its controller may wait for it: while it does not, no topic can be made."""

_numbers = count(1)


class OwnBroker(Broker):
    """A broker that a test may harm. It ends with the test's process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ends_with_us=True)

    def kill(self) -> None:
        """SIGKILL; its data and port are there for the next `start`."""
        self._send(signal.SIGKILL)
        deadline = time.monotonic() + TIMEOUT_S
        while self.is_alive():
            assert time.monotonic() < deadline, "the broker survives SIGKILL"
            time.sleep(0.005)

    def pause(self) -> None:
        """It holds its connections and does nothing, until `resume`."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        pid = self.pid
        assert pid is not None, "the broker does not run"
        os.kill(pid, number)


@contextmanager
def running_broker() -> Iterator[Broker]:
    """A running broker that many tests share: nobody harms it."""
    use_quick_java()
    with quick_folder() as folder:
        shared = Broker(folder, settings=_SHARED, ends_with_us=True)
        try:
            shared.start()
            yield shared
        finally:
            shared.stop()


@contextmanager
def running_broker_to_harm() -> Iterator[OwnBroker]:
    """A running broker that one test may do anything with."""
    use_quick_java()
    with quick_folder() as folder:
        own = OwnBroker(folder)
        own.start()
        try:
            yield own
        finally:
            own.stop()


def settings_for(broker: Broker, **settings: object) -> KafkaSettings:
    """Settings for a broker, with a prefix that no other test of this process has."""
    given = {"bootstrap": broker.bootstrap, "prefix": f"test-{next(_numbers)}", **settings}
    return KafkaSettings.model_validate(given)


def applied(kafka: KafkaSettings, *contexts: str) -> KafkaSettings:
    """The settings, once the topics of the contexts (of all, where none is named) and of positions are there."""
    make_topics(kafka, bootstrap(kafka), contexts or CONTEXTS)
    return kafka


def bootstrap(kafka: KafkaSettings) -> str:
    """The address in a test's settings."""
    assert kafka.bootstrap is not None
    return kafka.bootstrap


def altered(kafka: KafkaSettings, context: str, **settings: str) -> str:
    """Changes settings of a context's topic behind our back; its name."""
    from kafka.admin import ConfigResource, ConfigResourceType

    name = events_topic(kafka.prefix, context)
    values = {setting.replace("_", "."): value for setting, value in settings.items()}
    with administering(kafka, bootstrap(kafka)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, values)])
        wanted = [topic for topic in wanted_topics(kafka) if topic.name == name]
        seen(lambda: found_topics(admin, wanted)[name].settings.items() >= values.items())
    return name


def seen(is_there: Callable[[], bool]) -> None:
    """Returns once a change, which was acknowledged, is told by the broker too: that takes it a moment."""
    deadline = time.monotonic() + TIMEOUT_S
    while not is_there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def with_more_partitions(kafka: KafkaSettings, context: str, partitions: int) -> str:
    """Gives a context's topic more partitions behind our back; its name."""
    name = events_topic(kafka.prefix, context)
    with administering(kafka, bootstrap(kafka)) as admin:
        admin.create_partitions({name: partitions})
        seen(lambda: len(admin.describe_topics([name])[0]["partitions"]) == partitions)
    return name


def deleted(kafka: KafkaSettings, topic: str) -> None:
    """Deletes a topic."""
    with administering(kafka, bootstrap(kafka)) as admin:
        admin.delete_topics([topic])
        seen(lambda: topic not in admin.list_topics())


def console_consumer(bootstrap: str, topic: str, *options: str, messages: int) -> list[str]:
    """The lines that Kafka's own console consumer prints of a topic's first messages, as anybody would run it."""
    program = (java(), "-XX:TieredStopAtLevel=1", "-cp", f"{jars()}/*", CONSOLE_CONSUMER)
    what = ("--bootstrap-server", bootstrap, "--topic", topic, "--from-beginning", "--max-messages", str(messages))
    done = subprocess.run(
        [*program, *what, "--timeout-ms", str(TIMEOUT_S * 500), *options],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
