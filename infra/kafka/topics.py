"""The topics: which there should be, which there are, and making those that are missing.

No topic is ever made by accident, and none is ever changed or removed: a key's partition is part of the contract with
those who consume, and what a topic has forgotten comes back to nobody.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.kafka.clients import kafka_python_config
from replayhouse.infra.kafka.connectivity import reach
from replayhouse.infra.kafka.errors import translated_kafka
from replayhouse.infra.publishing.names import events_topic, positions_topic, state_topic
from replayhouse.infra.runtime.errors import Unreachable, UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

_LARGEST_BATCH_BYTES = 1_048_588  # a broker's default: LARGEST_MESSAGE_BYTES and what a batch of one adds to it
_HOUR_MS = 3_600_000
_ALREADY_EXISTS = 36
_LONGEST_MAKING_SECONDS = 30.0
_PAUSE_SECONDS = 0.2

_ESSENTIAL_SETTINGS = ("cleanup.policy", "max.message.bytes")
_ESSENTIAL = ("partitions", *_ESSENTIAL_SETTINGS)
"""Without these the promises do not hold, so nothing is published."""

_ADVICE = {
    "partitions": "set REPLAYHOUSE_KAFKA_PARTITIONS to what it has, or use another REPLAYHOUSE_KAFKA_PREFIX",
    "replication": "set REPLAYHOUSE_KAFKA_REPLICATION to what it has, or reassign it with kafka-reassign-partitions.sh",
    "retention.ms": "set REPLAYHOUSE_KAFKA_RETENTION_HOURS to what it has, or alter it with kafka-configs.sh",
}
_OTHER_ADVICE = "alter it with kafka-configs.sh"


class Action(StrEnum):
    """What is to be done about a topic."""

    CREATE = "create"
    KEEP = "exists"
    TELL = "differs"


class Topic(NamedTuple):
    """A topic as it should be. `replication` is -1 where the brokers decide."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


class Found(NamedTuple):
    """A topic as it is; of its settings those that were asked for."""

    partitions: int
    replication: int
    settings: Mapping[str, str]


class Difference(NamedTuple):
    """Where a topic is not as it should be: `setting` is `partitions`, `replication` or one of Kafka's own."""

    setting: str
    wanted: str
    found: str

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE.get(self.setting, _OTHER_ADVICE)


class Planned(NamedTuple):
    """What is to be done about a topic, and where an existing one differs."""

    topic: Topic
    action: Action
    differences: tuple[Difference, ...] = ()

    def told(self) -> list[str]:
        """Each difference and what to do about it, as a sentence without its end."""
        return [described(self.topic, difference) for difference in self.differences]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "topic": self.topic.name,
            "plan": self.action.value,
            "partitions": self.topic.partitions,
            "replication": self.topic.replication,
            "settings": dict(self.topic.settings),
            "differences": [{**difference._asdict(), "advice": difference.advice} for difference in self.differences],
        }


def wanted_topics(kafka: KafkaSettings, contexts: Iterable[str] = CONTEXTS) -> tuple[Topic, ...]:
    """The topics that there should be for the contexts: of events, of state where it is on, and that of positions."""
    chosen, with_state = tuple(contexts), kafka.with_state
    retention = -1 if kafka.retention_hours is None else kafka.retention_hours * _HOUR_MS
    common = {"max.message.bytes": str(_LARGEST_BATCH_BYTES), "message.timestamp.type": "CreateTime"}
    events = {**common, "cleanup.policy": "delete", "retention.ms": str(retention), "retention.bytes": "-1"}
    state = {**common, "cleanup.policy": "compact"}
    # A record a transaction, of which the newest counts: small segments are soon compacted.
    positions = {**state, "segment.bytes": str(16 * 2**20), "min.cleanable.dirty.ratio": "0.1"}
    names = [(events_topic(kafka.prefix, context), kafka.partitions, events) for context in chosen]
    names += [(state_topic(kafka.prefix, it), kafka.partitions, state) for it in with_state if it in chosen]
    names.append((positions_topic(kafka.prefix), 1, positions))
    return tuple(Topic(name, partitions, kafka.replication, settings) for name, partitions, settings in names)


def plan_topics(kafka: KafkaSettings, bootstrap: str, contexts: Iterable[str] = CONTEXTS) -> list[Planned]:
    """What is to be done about each topic. Raises Unreachable."""
    wanted = wanted_topics(kafka, contexts)
    with administering(kafka, bootstrap) as admin:
        return _plan(admin, wanted)


def make_topics(kafka: KafkaSettings, bootstrap: str, contexts: Iterable[str] = CONTEXTS) -> list[Planned]:
    """Makes the topics that are missing, and leaves all others as they are; the plan that was carried out.

    Raises Unreachable, also where the brokers cannot make one for long, and UsageError where they refuse to.
    """
    wanted = wanted_topics(kafka, contexts)
    with administering(kafka, bootstrap) as admin:
        plan = _plan(admin, wanted)
        if missing := [planned.topic for planned in plan if planned.action is Action.CREATE]:
            _create(admin, missing)
        return plan


def check_topics(kafka: KafkaSettings, bootstrap: str, contexts: Iterable[str] = CONTEXTS) -> None:
    """The topics are there, and are such that what is published on them keeps its promises, when this returns.

    Raises UsageError that names the first which is missing or was changed, and says what to do; Unreachable.
    """
    for topic, action, differences in plan_topics(kafka, bootstrap, contexts):
        if action is Action.CREATE:
            raise UsageError(f"There is no topic {topic.name}: 'replayhouse kafka topics' shows which are missing.")
        for difference in differences:
            if difference.setting in _ESSENTIAL:
                raise UsageError(f"{described(topic, difference)}.")


def refuse_unfit(admin: Any, kafka: KafkaSettings, names: Collection[str]) -> None:
    """Raises UsageError if one of the topics, where it is there, forgets or refuses what is published on it."""
    wanted = [topic for topic in wanted_topics(kafka) if topic.name in names]
    there = found_topics(admin, wanted)
    for topic in wanted:
        for difference in differences_of(topic, there[topic.name]) if topic.name in there else ():
            if difference.setting in _ESSENTIAL_SETTINGS:
                raise UsageError(f"{described(topic, difference)}.")


def described(topic: Topic, difference: Difference) -> str:
    """A difference and what to do about it, as the end of a sentence."""
    setting, wanted, found = difference
    return f"The topic {topic.name} has {setting} {found}, not {wanted}: {difference.advice}"


@contextmanager
def administering(kafka: KafkaSettings, bootstrap: str) -> Iterator[Any]:
    """A KafkaAdminClient of kafka-python, once a broker has answered; its errors become ours."""
    from kafka import KafkaAdminClient

    reach(kafka, bootstrap)
    with translated_kafka(bootstrap, kafka), KafkaAdminClient(**kafka_python_config(kafka, bootstrap)) as admin:
        yield admin


def found_topics(admin: Any, wanted: Iterable[Topic]) -> dict[str, Found]:
    """Those of the topics that are there, by name."""
    from kafka.admin import ConfigResource, ConfigResourceType

    by_name = {topic.name: topic for topic in wanted}
    there = {told["name"]: told["partitions"] for told in admin.describe_topics() if told["name"] in by_name}
    if not there:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, list(by_name[name].settings)) for name in there]
    settings = admin.describe_configs(asked, config_filter="all")["topic"]
    return {
        name: Found(
            partitions=len(partitions),
            replication=min(len(partition["replica_nodes"]) for partition in partitions),
            settings={key: str(told["value"]) for key, told in settings[name].items()},
        )
        for name, partitions in there.items()
    }


def _plan(admin: Any, wanted: Iterable[Topic]) -> list[Planned]:
    there = found_topics(admin, wanted)
    plan = []
    for topic in wanted:
        if topic.name not in there:
            plan.append(Planned(topic, Action.CREATE))
            continue
        differences = tuple(differences_of(topic, there[topic.name]))
        plan.append(Planned(topic, Action.TELL if differences else Action.KEEP, differences))
    return plan


def differences_of(topic: Topic, found: Found) -> Iterator[Difference]:
    """Where a topic is not as it should be. That it takes larger messages does no harm."""
    if found.partitions != topic.partitions:
        yield Difference("partitions", str(topic.partitions), str(found.partitions))
    if topic.replication not in (-1, found.replication):
        yield Difference("replication", str(topic.replication), str(found.replication))
    for setting, wanted in topic.settings.items():
        has = found.settings[setting]
        is_roomier = setting == "max.message.bytes" and int(has) > int(wanted)
        if has != wanted and not is_roomier:
            yield Difference(setting, wanted, has)


def _create(admin: Any, missing: Iterable[Topic]) -> None:
    """All of them are ready to use when this returns; one that another command made in the meantime is let be."""
    options = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication,
            "configs": dict(topic.settings),
        }
        for topic in missing
    }
    left, deadline = options, time.monotonic() + _LONGEST_MAKING_SECONDS
    while left:
        answer = admin.create_topics(left, raise_errors=False)
        failed = [told for told in answer["topics"] if told["error_code"] not in (0, _ALREADY_EXISTS)]
        for told in failed:
            said = f"The brokers do not make the topic {told['name']}: {told['error_message']}"
            if not _passes(told):
                raise UsageError(said)
            if time.monotonic() > deadline:
                raise Unreachable(said)
        left = {told["name"]: options[told["name"]] for told in failed}
        if left:
            time.sleep(_PAUSE_SECONDS)
    admin.wait_for_topics(list(options))


def _passes(told: Mapping[str, Any]) -> bool:
    """Whether a topic that was not made may be made a little later.

    A controller that hears nothing of a broker for seconds counts it as gone ("fenced") until it does: on a machine
    that was asleep, or too busy, that is so for a moment.
    """
    from kafka.errors import RetriableError, for_code

    return "fenced" in str(told["error_message"]) or issubclass(for_code(told["error_code"]), RetriableError)
