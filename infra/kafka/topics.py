"""The topics: which there should be, which there are, and making those that are missing. None is ever made by accident,
none is ever changed or removed."""

from collections.abc import Iterable
from typing import Any

from infra.errors import UsageError
from infra.kafka.clients import kafka_python_config, translated_kafka
from infra.kafka.names import CONTEXTS, events_topic, positions_topic, state_topic
from infra.kafka.settings import KafkaSettings

_LARGEST_BATCH_BYTES = 1_048_588  # a broker's default: LARGEST_MESSAGE_BYTES and what a batch of one adds


def contexts_with_state(kafka: KafkaSettings) -> tuple[str, ...]:
    """The contexts of the setting `state`, in the usual order. Raises UsageError that names what is none."""
    named = {name.strip() for name in kafka.state.split(",")} - {""}
    if unknown := sorted(named - set(CONTEXTS)):
        raise UsageError(f"REPLAYHOUSE_KAFKA_STATE names '{unknown[0]}': the contexts are {', '.join(CONTEXTS)}.")
    return tuple(context for context in CONTEXTS if context in named)


def make_topics(kafka: KafkaSettings, bootstrap: str, contexts: Iterable[str] = CONTEXTS) -> None:
    """Makes the topics of the contexts that are missing, and the one of positions."""
    from kafka import KafkaAdminClient

    wanted = _wanted(kafka, tuple(contexts))
    with translated_kafka(bootstrap), KafkaAdminClient(**kafka_python_config(kafka, bootstrap)) as admin:
        there = set(admin.list_topics())
        missing = {name: options for name, options in wanted.items() if name not in there}
        if missing:
            admin.create_topics(missing, wait_for_metadata=True)


def _wanted(kafka: KafkaSettings, contexts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    retention = -1 if kafka.retention_hours is None else kafka.retention_hours * 3_600_000
    common = {"max.message.bytes": str(_LARGEST_BATCH_BYTES), "message.timestamp.type": "CreateTime"}
    events = common | {"cleanup.policy": "delete", "retention.ms": str(retention), "retention.bytes": "-1"}
    compacted = common | {"cleanup.policy": "compact"}
    state = [context for context in contexts_with_state(kafka) if context in contexts]
    return (
        {events_topic(kafka.prefix, context): _topic(kafka, kafka.partitions, events) for context in contexts}
        | {state_topic(kafka.prefix, context): _topic(kafka, kafka.partitions, compacted) for context in state}
        | {positions_topic(kafka.prefix): _topic(kafka, 1, compacted)}
    )


def _topic(kafka: KafkaSettings, partitions: int, configs: dict[str, str]) -> dict[str, Any]:
    return {"num_partitions": partitions, "replication_factor": kafka.replication, "configs": configs}
