"""The kit for consumers and a broker that asks for TLS and a password."""

from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.kafka.topics import make_topics
from replayhouse_consumer import Consumer, Refused
from replayhouse_consumer.events import PaymentReceivedV1
from tests.support.brokers import bootstrap
from tests.support.consuming import Log, Publisher
from tests.support.secure_brokers import PASSWORD, USER, SecureBroker

WAITS = "Waiting, to try again: "


def a_consumer(broker: SecureBroker, folder: Path, paid: list[str], **wrong: Any) -> Consumer:
    """A consumer with the settings of kafka-python that the page for consumers names, but for what is wrong."""
    kafka = broker.settings(prefix="secure")
    right = {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(broker.ca),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": USER,
        "sasl_plain_password": PASSWORD,
    }
    consumer = Consumer(
        bootstrap(kafka),
        group="g",
        contexts=["sales"],
        inbox=folder / "inbox.db",
        prefix=kafka.prefix,
        kafka={**right, **wrong},
    )
    consumer.on(PaymentReceivedV1, ignore_rewinds=True)(lambda event, db: paid.append(str(event.amount)))
    return consumer


def refusal_by(consumer: Consumer) -> str | None:
    """Why it ends; None where it waited until it was told to stop."""
    try:
        assert consumer.run().events == 0
    except Refused as refused:
        return str(refused)
    return None


def test_it_consumes_over_tls_with_a_name_and_a_password(secure_broker: SecureBroker, tmp_path: Path) -> None:
    kafka = secure_broker.settings(prefix="secure")
    make_topics(kafka, bootstrap(kafka), ["sales"])
    Publisher(kafka).publish([Log().paid(1, "10.00")])
    paid: list[str] = []
    assert a_consumer(secure_broker, tmp_path, paid).run(to_end=True).events == 1
    assert paid == ["10.00"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"sasl_plain_password": "guessed"}, "sasl_plain_password or sasl_mechanism are wrong"),
        ({"security_protocol": "PLAINTEXT"}, "another protocol there than the security_protocol PLAINTEXT"),
    ],
)
def test_while_brokers_hang_up_it_waits_and_says_what_may_be_wrong(
    wrong: dict[str, str],
    told: str,
    secure_broker: SecureBroker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends as soon as that is told: the test is over then, however long a slow machine takes.

    Now and then kafka-python hears what a broker says of the password before it hangs up; then it is a refusal.
    """
    consumer = a_consumer(secure_broker, tmp_path, [], bootstrap_timeout_ms=2000, **wrong)
    heard: list[str] = []

    def listen(text: str, error: Exception) -> None:
        heard.append(text % error)
        if told in heard[-1]:
            consumer.stop()

    monkeypatch.setattr("replayhouse_consumer.delivery.LOG.warning", listen)
    if (refused := refusal_by(consumer)) is not None:
        assert "sasl_plain_password" in wrong
        assert "do not let the consumer in" in refused
    else:
        assert told in heard[-1]
        assert heard[-1].startswith(WAITS)
    assert "guessed" not in f"{refused} {heard}"


def test_brokers_that_do_not_prove_who_they_are_end_it(secure_broker: SecureBroker, tmp_path: Path) -> None:
    consumer = a_consumer(
        secure_broker, tmp_path, [], bootstrap_timeout_ms=2000, ssl_cafile=str(secure_broker.other_ca)
    )
    with pytest.raises(Refused, match=r"do not prove who they are: .* Look at ssl_cafile"):
        consumer.run()
