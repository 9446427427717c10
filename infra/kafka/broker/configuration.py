"""How the broker is set up: one node that is broker and controller, on the loopback interface, with small needs."""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"

# Below those that systems hand out to outgoing connections (from 32768 or 49152 on), so that a broker that starts again
# finds its ports free.
_PORTS = range(20_000, 32_000)

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENTS:{protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "listeners": "CLIENTS://{host}:{clients},INTERNAL://{host}:{internal},CONTROLLER://{host}:{controller}",
    "advertised.listeners": "CLIENTS://{host}:{clients},INTERNAL://{host}:{internal}",
    "inter.broker.listener.name": "INTERNAL",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": "1@{host}:{controller}",
    "log.dirs": "{data}",
    "auto.create.topics.enable": "false",
    # One node has one copy of everything.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # Nobody waits for a second member of a group, and a killed client is missed soon.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # After kill -9 the controller, which is the same process, must first forget the broker that was: 3 s, not 11.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "200",
    # The controller would write a record twice a second to show others that it lives, and there are no others.
    "metadata.max.idle.interval.ms": "0",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",
}


class Ports(NamedTuple):
    """Where the broker listens: for clients, for itself and for its controller."""

    clients: int
    internal: int
    controller: int


def free_ports() -> Ports:
    """Ports that nobody listens on now; somebody may before we do."""
    found: list[int] = []
    while len(found) < len(Ports._fields):
        port = random.SystemRandom().choice(_PORTS)
        if port not in found and _is_free(port):
            found.append(port)
    return Ports(*found)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def read_ports(file: Path) -> Ports | None:
    """The ports that were written by `write_ports`; None where none were."""
    try:
        return Ports(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_ports(file: Path, ports: Ports) -> None:
    """Keeps them for the next start, all or nothing."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(ports._asdict()))
    unfinished.replace(file)


def properties(ports: Ports, data: Path, protocol: str, more: Mapping[str, str]) -> str:
    """The broker's settings as a file; `protocol` is that of its clients, `more` adds to ours or overrides them."""
    known = {"host": HOST, "data": str(data), "protocol": protocol, **ports._asdict()}
    settings = {name: value.format_map(known) for name, value in _SETTINGS.items()} | dict(more)
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
