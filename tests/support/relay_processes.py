"""Relays in processes of their own, to be killed and stopped: forked from a process that has imported all they need."""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.ports import TopicFacts
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

LONGEST_S = 120.0

_PRELOADED = [
    "kafka",
    "confluent_kafka",
    "psycopg",
    "replayhouse.infra.publishing.threads",
    "replayhouse.infra.kafka.cluster_client",
    __name__,
]


@dataclass(frozen=True)
class Setting:
    """How a relay is run.

    It stops itself (SIGSTOP) in the midst of its transaction number `stops_in`, or right after its commit number
    `stops_after`, if they are given. With `keeps_facts` it asks once how its topic is: whatever makes it begin anew, a
    change of the topic behind its back is met by its messages alone.
    """

    url: str
    kafka: KafkaSettings
    contexts: tuple[str, ...] = ("sales",)
    follow: bool = True
    events_a_transaction: int = 25
    stops_in: int | None = None
    stops_after: int | None = None
    keeps_facts: bool = False
    patience: float = 30.0


class RelayProcess:
    """One that runs."""

    def __init__(self, setting: Setting) -> None:
        context = _context()
        self._told, telling = context.Pipe(duplex=False)
        self._process: ForkServerProcess = context.Process(target=_run, args=(setting, telling), daemon=True)
        self._process.start()
        telling.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.is_alive()

    def send(self, number: int) -> None:
        """Sends a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and it is gone when this returns."""
        self._process.kill()
        self._process.join()

    def has_stopped_itself(self) -> bool:
        """Whether it stands still."""
        with open(f"/proc/{self.pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"

    def result(self) -> tuple[int, str]:
        """Its exit code and what it said, once it has ended by itself."""
        assert self._told.poll(LONGEST_S), "the relay hangs"
        said: str = self._told.recv()
        self._process.join(LONGEST_S)
        return self._process.exitcode or 0, said

    def end(self) -> None:
        """Ends it as an operator does; it must obey within seconds."""
        self.send(signal.SIGTERM)
        assert self.result() == (0, "")


@dataclass
class Relays:
    """Processes that are gone when the test is."""

    setting: Setting
    running: list[RelayProcess] = field(default_factory=list)

    def start(self, **changes: object) -> RelayProcess:
        process = RelayProcess(Setting(**{**self.setting.__dict__, **changes}))
        self.running.append(process)
        return process

    def run(self) -> None:
        """One that publishes what there is, and ends well."""
        assert self.start(follow=False, events_a_transaction=1_000).result() == (0, "")

    def end(self) -> None:
        for process in self.running:
            process.kill()


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _run(setting: Setting, telling: Connection) -> None:
    from replayhouse.infra.kafka.cluster_client import KafkaCluster
    from replayhouse.infra.publishing import relay, threads

    relay.EVENTS_A_TRANSACTION = setting.events_a_transaction
    relay.EVENTS_A_WINDOW = 8 * setting.events_a_transaction
    relay.PATIENCE_SECONDS = setting.patience
    if setting.stops_in is not None:  # the messages of a transaction are with the brokers, and not committed yet
        _stop_after(setting.stops_in, "_send")
    if setting.stops_after is not None:
        _stop_after(setting.stops_after, "publish")
    if setting.keeps_facts:
        _ask_once()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    assert setting.kafka.bootstrap is not None
    cluster = KafkaCluster(setting.kafka, setting.kafka.bootstrap)
    order = relay.Order(follow=setting.follow)
    try:
        threads.run_relays(
            Database(setting.url), cluster, setting.kafka, setting.contexts, order, stop, lambda told: None
        )
    except ReplayhouseError as error:
        telling.send(str(error))
        os._exit(error.exit_code)
    telling.send("")


def _stop_after(number: int, name: str) -> None:
    """Stands still once a method of the producer was called for so many times."""
    from replayhouse.infra.kafka.producer import ConfluentProducer

    original, calls = getattr(ConfluentProducer, name), 0

    def called(producer: ConfluentProducer, messages: object) -> None:
        nonlocal calls
        original(producer, messages)
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(1)  # the other processor may still run this thread for a moment, long enough to commit

    setattr(ConfluentProducer, name, called)


def _ask_once() -> None:
    """Lets the relay find its topic as it was at first."""
    from replayhouse.infra.publishing.position import Beginning

    original = Beginning.facts
    known: list[TopicFacts] = []

    def facts(beginning: Beginning) -> TopicFacts:
        if not known:
            known.append(original(beginning))
        return known[0]

    setattr(Beginning, original.__name__, facts)
