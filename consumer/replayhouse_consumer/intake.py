"""The Kafka side: a member of the group that reads what is committed, from where the inbox says, and nowhere else."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RetriableError,
)
from kafka.structs import OffsetAndMetadata

from replayhouse_consumer.errors import Hole, Misuse, OtherTopic, Refused
from replayhouse_consumer.inbox import Inbox, Partition
from replayhouse_consumer.message import Message, messages_of
from replayhouse_consumer.records import read_within_bounds
from replayhouse_consumer.refusals import telling_why
from replayhouse_consumer.telling import LOG

POLL_MS = 500
RECORDS_AT_ONCE = 100
MOST_BYTES = 16 * 2**20
"""A batch that holds so much is no longer added to."""

ANSWER_MS = 10_000
FAREWELL_MS = 3_000
MONITORED_EVERY_SECONDS = 1.0

OURS = {
    "auto_offset_reset": "none",
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
}
"""What handling exactly once stands on; nobody else sets these."""

DEFAULTS = {
    "bootstrap_timeout_ms": 5_000,
    "request_timeout_ms": 10_000,
    "reconnect_backoff_max_ms": 2_000,
    "session_timeout_ms": 10_000,
    "metrics_enabled": False,
}

_OF_EVERY_CLIENT = ("security_protocol", "sasl_", "ssl_", "bootstrap_", "client_id", "proxy_url", "reconnect_backoff_")


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Called on a thread of kafka-python, so it only holds new partitions still; `Intake.settle` does the rest."""

    def __init__(self, intake: "Intake") -> None:
        self._intake = intake

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing to do: what is still handled of these is committed here or refused by the inbox."""

    def on_partitions_assigned(self, assigned: Any) -> None:
        """A position is set so that kafka-python looks for none of its own."""
        self._intake.hold()


class Intake:
    """Reads topics as a member of a group."""

    def __init__(self, group: str, topics: Sequence[str], batch: int, client: Mapping[str, Any]) -> None:
        """Connects. Raises Refused, Misuse for settings that are not the caller's, and what kafka-python raises."""
        if strange := sorted(set(client) & {*OURS, "group_id", "max_poll_records"}):
            raise Misuse(f"The consumer sets {', '.join(strange)} itself.")
        self._client = {**DEFAULTS, **client}
        self._topics = list(topics)
        self._batch = batch
        self._is_fresh = False
        self._ends: dict[Partition, int] = {}
        self._told: dict[Partition, int] = {}
        self._told_at = 0.0
        read_within_bounds()
        self._consumer = KafkaConsumer(group_id=group, **self._client, **OURS)
        self._consumer.subscribe(topics=self._topics, listener=_Assigned(self))
        for topic in self._topics:  # else the first assignment may know of no partitions, and a second one is needed
            self._consumer.partitions_for_topic(topic)

    def topic_ids(self) -> dict[str, str]:
        """The brokers' ids of the topics. Raises Refused where one is missing."""
        return topic_ids(self._topics, self._client)

    def hold(self) -> None:
        """Holds all partitions still until they are settled."""
        for partition in self._consumer.assignment():
            self._consumer.seek(partition, 0)
            self._consumer.pause(partition)
        self._is_fresh = True

    def settle(self, inbox: Inbox) -> dict[Partition, int] | None:
        """Where to go on in each partition that was newly assigned: the inbox's offsets; None where nothing is new.

        Raises Hole and OtherTopic where there is no going on from there.
        """
        if not self._is_fresh:
            return None
        self._is_fresh = False
        try:
            return self._settled(inbox)
        except BaseException:
            self._is_fresh = True
            raise

    def _settled(self, inbox: Inbox) -> dict[Partition, int]:
        assigned = sorted(self._consumer.assignment())
        begins = self._consumer.beginning_offsets(assigned, timeout_ms=ANSWER_MS) if assigned else {}
        ends = self._consumer.end_offsets(assigned, timeout_ms=ANSWER_MS) if assigned else {}
        must_be_the_same(self.topic_ids(), inbox)
        begin, end = _by_partition(begins), _by_partition(ends)
        known = inbox.offsets()
        for partition in begin:
            must_be_whole(partition, known.get(partition), begin[partition], end[partition])
        offsets = inbox.begin({partition: known.get(partition, 0) for partition in begin})
        self._ends = {partition: self._ends.get(partition, end[partition]) for partition in end}
        for partition, offset in offsets.items():
            theirs = TopicPartition(partition.topic, partition.number)
            self._consumer.seek(theirs, offset)
            self._consumer.resume(theirs)
        return offsets

    def poll(self) -> list[Message]:
        """What has come, at most a batch, within half a second. Raises what kafka-python raises."""
        try:
            messages = self._polled()
        except (OffsetOutOfRangeError, NoOffsetForPartitionError, LogTruncationError) as error:
            LOG.warning("The brokers do not have what comes next: %s", error)
            self.hold()
            return []
        except BaseException:
            self.hold()  # what this poll had read before is read again
            raise
        if self._is_fresh:  # partitions came or went: what was read of them is read again from where the inbox is
            return []
        if not messages:
            self._join_again_where_that_was_lost()
        return messages

    def _polled(self) -> list[Message]:
        """Some records at a time: kafka-python makes dozens of objects of each, which are gone before the next come."""
        messages: list[Message] = []
        size = 0
        while len(messages) < self._batch and size < MOST_BYTES:
            polled = self._consumer.poll(
                timeout_ms=0 if messages else POLL_MS, max_records=min(RECORDS_AT_ONCE, self._batch - len(messages))
            )
            if not polled or self._is_fresh:
                break
            for theirs, records in polled.items():
                messages += messages_of(Partition(theirs.topic, theirs.partition), records)
                size += sum(len(record.value or b"") for record in records)
        return messages

    def _join_again_where_that_was_lost(self) -> None:
        """Joining on account of new metadata, kafka-python 3.0 forgets the result if that comes between two polls."""
        coordinator = self._consumer._coordinator
        joined = getattr(coordinator, "_join_task", None)
        if joined is not None and joined.is_done and coordinator.rejoining and not coordinator.need_rejoin():
            LOG.info("Joining the group once more: what it answered was lost.")
            coordinator.request_rejoin()

    def beyond(self, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        """Where partitions are that have been read further than to these offsets: past marks of transactions."""
        found = {}
        for partition, offset in offsets.items():
            theirs = TopicPartition(partition.topic, partition.number)
            if theirs in self._consumer.assignment() and not self._is_fresh:
                position = self._consumer.position(theirs, timeout_ms=ANSWER_MS)
                if position is not None and position > offset:
                    found[partition] = position
        return found

    def is_at_end(self, offsets: Mapping[Partition, int]) -> bool:
        """Whether all that was there when its partitions were assigned has been read."""
        return not self._is_fresh and bool(self._ends) and all(offsets[p] >= end for p, end in self._ends.items())

    def tell(self, offsets: Mapping[Partition, int], at_once: bool = False) -> None:
        """Tells the brokers the offsets, about once a second, for whoever watches the group's lag. May fail."""
        if (not at_once and time.monotonic() < self._told_at + MONITORED_EVERY_SECONDS) or offsets == self._told:
            return
        theirs = {
            TopicPartition(*partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()
        }
        try:
            if at_once:
                self._consumer.commit(theirs, timeout_ms=FAREWELL_MS)
            else:
                self._consumer.commit_async(theirs)
        except KafkaError as error:
            LOG.debug("The group's offsets, which only tell its lag, were not committed: %s", error)
        self._told, self._told_at = dict(offsets), time.monotonic()

    def close(self) -> None:
        """Leaves the group."""
        self._consumer.close(autocommit=False, timeout_ms=FAREWELL_MS)


def topic_ids(topics: Sequence[str], client: Mapping[str, Any]) -> dict[str, str]:
    """The brokers' ids of topics. Raises Refused where one is missing, and what kafka-python raises."""
    with telling_why(client.get("security_protocol", "PLAINTEXT")):
        admin = KafkaAdminClient(**for_other_clients(client))
    try:
        found = {
            described["name"]: str(described["topic_id"])
            for described in admin.describe_topics(list(topics))
            if not described["error_code"]
        }
    finally:
        admin.close()
    if missing := sorted(set(topics) - set(found)):
        raise Refused(f"The brokers have no topic {', '.join(missing)}. It is made by who publishes, never by reading.")
    return found


def for_other_clients(client: Mapping[str, Any]) -> dict[str, Any]:
    """Of the settings of a consumer those with which any client reaches the brokers."""
    return {name: value for name, value in {**DEFAULTS, **client}.items() if name.startswith(_OF_EVERY_CLIENT)}


def must_be_the_same(ids: Mapping[str, str], inbox: Inbox) -> None:
    """Raises OtherTopic where a topic has another id than when it was read first."""
    inbox.remember_topics(ids)
    before = inbox.topic_ids()
    for topic, found in ids.items():
        if before[topic] != found:
            raise OtherTopic(
                f"The topic {topic} was deleted and made again since it was read: its offsets mean other events now. "
                "Read it from its beginning into an empty inbox."
            )


def must_be_whole(partition: Partition, expected: int | None, begin: int, end: int) -> None:
    """Raises Hole where events before the next offset are gone, OtherTopic where the topic ends before it."""
    place = f"{partition.topic}, partition {partition.number}"
    if begin > (expected or 0):
        raise Hole(
            f"Of {place} the events from offset {expected or 0} up to {begin} are no longer there: they were deleted "
            "before they were read. Nothing can be derived without them; ask for the topic to be published anew."
        )
    if expected is not None and end < expected:
        raise OtherTopic(
            f"{place} ends at offset {end}, and was read up to {expected}: it was cut off, or made again. Read it from "
            "its beginning into an empty inbox."
        )


def is_passing(error: BaseException) -> bool:
    """Whether an error of kafka-python passes when it is tried again: brokers are away, or about to elect a leader."""
    return isinstance(error, RetriableError)


def _by_partition(offsets: Mapping[Any, int]) -> dict[Partition, int]:
    return {Partition(theirs.topic, theirs.partition): offset for theirs, offset in offsets.items()}
