"""How far the relays are by their own word, for those who only read: they may have no topic of positions."""

from collections.abc import Iterable

from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.kafka.topics import administering
from replayhouse.infra.publishing.names import positions_topic
from replayhouse.infra.publishing.position import Position, read_position
from replayhouse.infra.runtime.kafka_settings import KafkaSettings


def relay_positions(kafka: KafkaSettings, bootstrap: str, contexts: Iterable[str]) -> dict[str, Position | None]:
    """What the relay of each context has noted; None where it noted nothing, or that topic is not there.

    Raises Unreachable, and InputError for what is no relay's.
    """
    with administering(kafka, bootstrap) as admin:
        (told,) = admin.describe_topics([positions_topic(kafka.prefix)])
    if told["error_code"]:
        return dict.fromkeys(contexts)
    cluster = KafkaCluster(kafka, bootstrap)
    return {context: read_position(cluster, kafka.prefix, context) for context in contexts}
