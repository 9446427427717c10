"""A broker that asks for TLS and a password, with certificates and a user made for the tests alone."""

import ipaddress
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from replayhouse.infra.kafka.broker.configuration import read_ports
from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import settings_for
from tests.support.quick_java import use_quick_java

USER, PASSWORD = "warehouse", "a b'c\"d\\e"
"""The password has what quoting could get wrong."""

Key = ec.EllipticCurvePrivateKey


class SecureBroker(NamedTuple):
    """A broker that lets in one user over TLS; `ca` signs its certificate, `other_ca` does not."""

    broker: Broker
    ca: Path
    other_ca: Path

    @property
    def inside(self) -> int:
        """A port of the same broker that asks for neither."""
        ports = read_ports(self.broker.folder / "ports.json")
        assert ports is not None
        return ports.internal

    def settings(self, **settings: object) -> KafkaSettings:
        """Settings that are let in, but for what is given."""
        right = {"security": "SASL_SSL", "username": USER, "password": PASSWORD, "ca": self.ca}
        return settings_for(self.broker, **{**right, **settings})


def _certificate(name: str, key: Key, issuer: str, signer: Key) -> x509.Certificate:
    now = datetime.now(UTC)
    is_ca = name == issuer
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(address, critical=False)
        .sign(signer, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _made_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """A broker's key with its certificate, the authority that signed it, and another authority of the same name."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    own, authority, other = keys
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    store, ca, other_ca = folder / "broker.pem", folder / "ca.pem", folder / "other_ca.pem"
    store.write_bytes(private + _pem(_certificate("broker", own, "authority", authority)))
    ca.write_bytes(_pem(_certificate("authority", authority, "authority", authority)))
    other_ca.write_bytes(_pem(_certificate("authority", other, "authority", other)))
    return store, ca, other_ca


@contextmanager
def running_secure_broker() -> Iterator[SecureBroker]:
    """A running broker with SASL_SSL."""
    use_quick_java()
    with tempfile.TemporaryDirectory(prefix="replayhouse-kafka-") as name:
        folder = Path(name)
        store, ca, other_ca = _made_certificates(folder)
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        broker = Broker(
            folder / "broker",
            protocol="SASL_SSL",
            settings={
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(store),
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.clients.scram-sha-512.sasl.jaas.config": scram,
            },
            formatting=("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"),
            ends_with_us=True,
        )
        broker.start()
        try:
            yield SecureBroker(broker, ca, other_ca)
        finally:
            broker.stop()
