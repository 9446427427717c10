"""Peers that take a connection and hang up, as librdkafka meets them: nobody is told that he is refused."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product

import pytest

from replayhouse.infra.kafka import connectivity
from replayhouse.infra.publishing.ports import Refused
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import TIMEOUT_S

API_VERSIONS, UNSUPPORTED_VERSION, NO_ERROR = 18, 35, 0
APIS = {3: 3, 17: 1, 18: 0, 36: 0}
"""Metadata, SaslHandshake, ApiVersions, SaslAuthenticate: with the highest version of each."""

Peer = Callable[[socket.socket], object]


def _closes(connection: socket.socket) -> None:
    connection.recv(64)


def _resets(connection: socket.socket) -> None:
    """Reads nothing; a linger of no time makes closing a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _tells_its_versions(connection: socket.socket) -> None:
    """Like a broker that goes down just then: the client, who knows now what to ask, asks in vain."""
    requests = connection.makefile("rb")
    while True:
        (size,) = struct.unpack(">i", requests.read(4))
        _, version, correlation = struct.unpack_from(">hhi", requests.read(size))
        error, apis = (NO_ERROR, APIS) if version == 0 else (UNSUPPORTED_VERSION, {API_VERSIONS: 0})
        told = b"".join(struct.pack(">hhh", api, 0, highest) for api, highest in apis.items())
        body = struct.pack(">ihi", correlation, error, len(apis)) + told
        connection.sendall(struct.pack(">i", len(body)) + body)
        if version == 0:
            requests.read(4)
            return


@contextmanager
def listening(peer: Peer) -> Iterator[str]:
    """The address at which every connection is given to the peer, and closed after that."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # the server is closed at the end
                while True:
                    with server.accept()[0] as connection, suppress(OSError, struct.error):
                        connection.settimeout(TIMEOUT_S)
                        peer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(TIMEOUT_S)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("security", "peer"),
    [
        *product(["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"], [_closes, _resets]),
        ("PLAINTEXT", _tells_its_versions),
        ("SASL_PLAINTEXT", _tells_its_versions),
    ],
)
def test_a_peer_that_hangs_up_is_told_as_that(security: str, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        connectivity, "_BUSY", TIMEOUT_S / 0.2
    )  # where nothing is heard yet, a busy machine is waited for
    with listening(peer) as address:
        given = {"bootstrap": address, "security": security, "username": "ada", "password": "secret"}
        with pytest.raises(Unreachable, match="hangs up again") as caught:
            connectivity.reach(KafkaSettings.model_validate(given), address, 0.2)
    assert not isinstance(caught.value, Refused)
