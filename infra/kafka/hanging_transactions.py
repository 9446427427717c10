"""Transactions that nobody will end.

A broker that is killed at the wrong moment can come back with a transaction open in a partition that its coordinator
holds for done: no time-out ends it, and readers of what is committed see nothing after it, for ever. Kafka calls that
a hanging transaction (KIP-664). Whose it is can be told here without waiting, because its producer is ours: once the
next one of a transactional id has started, the coordinator is through with all earlier ones.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from replayhouse.infra.runtime.errors import Unreachable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, TopicPartition


class Open(NamedTuple):
    """A transaction that is open in a partition."""

    place: "TopicPartition"
    producer_id: int
    epoch: int
    coordinator_epoch: int
    offset: int


def open_transactions(admin: "KafkaAdminClient", places: Iterable["TopicPartition"]) -> list[Open]:
    """Those of any producer in some partitions."""
    return [
        Open(
            place,
            producer.producer_id,
            producer.producer_epoch,
            max(producer.coordinator_epoch, 0),  # -1 before the first mark of a transaction, which no broker takes
            producer.current_transaction_start_offset,
        )
        for place, state in admin.describe_producers(list(places)).items()
        for producer in state.active_producers
        if producer.current_transaction_start_offset >= 0
    ]


def end_hanging(admin: "KafkaAdminClient", transactional_id: str, places: Iterable["TopicPartition"]) -> list[Open]:
    """Ends what earlier producers of an id have left open in some partitions, once its newest one has started.

    Brokers that are too old to tell (before Kafka 3.0) are let alone. Raises Unreachable where they do not let us end
    it.
    """
    from kafka.errors import IncompatibleBrokerVersion

    try:
        # In this order: whoever takes the id over in between has a higher epoch than the one told here.
        newest = admin.describe_transactions([transactional_id])[transactional_id]
        found = open_transactions(admin, places)
    except IncompatibleBrokerVersion:
        return []
    left = [one for one in found if one.producer_id == newest.producer_id and one.epoch < newest.producer_epoch]
    for one in left:
        _end(admin, one)
    return left


def _end(admin: "KafkaAdminClient", left: Open) -> None:
    from kafka.admin import AbortTransactionSpec
    from kafka.errors import ClusterAuthorizationFailedError, InvalidProducerEpochError

    topic, partition = left.place
    try:
        admin.abort_transaction(AbortTransactionSpec(left.place, left.producer_id, left.epoch, left.coordinator_epoch))
    except InvalidProducerEpochError:  # somebody else has ended it
        return
    except ClusterAuthorizationFailedError as error:
        raise Unreachable(
            f"A transaction of an earlier relay is open on {topic}, and the brokers will never end it. This account "
            "may not either: grant it ALTER on the cluster, or let somebody do it who may: kafka-transactions.sh "
            f"abort --topic {topic} --partition {partition} --start-offset {left.offset}."
        ) from error
