"""Which topics there should be, and where those that are there differ."""

from typing import Any

import pytest

from replayhouse.infra.kafka import topics
from replayhouse.infra.kafka.topics import Difference, Found, Topic, described, differences_of, wanted_topics
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable, UsageError
from replayhouse.infra.runtime.kafka_settings import LARGEST_MESSAGE_BYTES, KafkaSettings

EVENTS = {
    "max.message.bytes": "1048588",
    "message.timestamp.type": "CreateTime",
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
SALES = Topic("replayhouse.sales.events.v1", 6, -1, EVENTS)
AS_WANTED = Found(6, 1, EVENTS)


def settings(**given: object) -> KafkaSettings:
    return KafkaSettings.model_validate(given)


def test_events_are_kept_for_ever_unless_told_otherwise_and_never_compacted() -> None:
    first, *_ = wanted_topics(settings())
    assert first == SALES
    for topic in wanted_topics(settings(retention_hours=48)):
        if ".events." in topic.name:
            assert topic.settings == {**EVENTS, "retention.ms": str(48 * 3_600_000)}


def test_there_is_a_topic_of_events_for_each_context_and_one_of_positions() -> None:
    assert [topic.name for topic in wanted_topics(settings(prefix="shop"), ["sales", "quality"])] == [
        "shop.sales.events.v1",
        "shop.quality.events.v1",
        "shop.relay.positions.v1",
    ]


def test_positions_are_one_partition_of_which_the_newest_record_counts() -> None:
    positions = wanted_topics(settings(partitions=12))[-1]
    assert positions.partitions == 1
    assert positions.settings["cleanup.policy"] == "compact"


def test_state_topics_are_compacted_and_only_there_where_they_are_turned_on() -> None:
    named = {topic.name: topic for topic in wanted_topics(settings(state="customer, sales"))}
    state = [name for name in named if ".state." in name]
    assert state == ["replayhouse.sales.state.v1", "replayhouse.customer.state.v1"]
    assert {named[name].settings["cleanup.policy"] for name in state} == {"compact"}
    assert not [topic for topic in wanted_topics(settings(state="customer"), ["sales"]) if ".state." in topic.name]


def test_every_topic_takes_the_largest_message() -> None:
    for topic in wanted_topics(settings(state="sales")):
        assert int(topic.settings["max.message.bytes"]) > LARGEST_MESSAGE_BYTES


def test_state_of_what_is_no_context_is_refused() -> None:
    with pytest.raises(UsageError, match=r"REPLAYHOUSE_KAFKA_STATE names 'sale'.*sales, fulfillment"):
        _ = settings(state="customer,sale").with_state


def test_a_topic_as_wanted_does_not_differ() -> None:
    assert list(differences_of(SALES, AS_WANTED)) == []
    assert list(differences_of(SALES, AS_WANTED._replace(replication=3))) == [], "the brokers decide"


def test_a_topic_that_takes_larger_messages_does_for_us() -> None:
    roomy = AS_WANTED._replace(settings={**EVENTS, "max.message.bytes": "2000000"})
    assert list(differences_of(SALES, roomy)) == []


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (AS_WANTED._replace(partitions=7), Difference("partitions", "6", "7")),
        (
            AS_WANTED._replace(settings={**EVENTS, "cleanup.policy": "compact,delete"}),
            Difference("cleanup.policy", "delete", "compact,delete"),
        ),
        (
            AS_WANTED._replace(settings={**EVENTS, "retention.ms": "604800000"}),
            Difference("retention.ms", "-1", "604800000"),
        ),
        (
            AS_WANTED._replace(settings={**EVENTS, "max.message.bytes": "1000"}),
            Difference("max.message.bytes", "1048588", "1000"),
        ),
    ],
)
def test_what_differs_is_told_with_what_to_do(found: Found, difference: Difference) -> None:
    assert list(differences_of(SALES, found)) == [difference]
    told = described(SALES, difference)
    for part in ("replayhouse.sales.events.v1", *difference, difference.advice):
        assert part in told


def test_another_replication_differs_where_one_was_asked_for() -> None:
    assert list(differences_of(SALES._replace(replication=3), AS_WANTED)) == [Difference("replication", "3", "1")]


class Brokers:
    """An administrator's client of brokers that answer so, one after the other, and make what is left in the end."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self._answers = list(answers)
        self.made: list[str] = []

    def create_topics(self, options: dict[str, Any], raise_errors: bool) -> Any:
        first, *others = options
        code, message = self._answers.pop(0) if self._answers else (0, "")
        self.made += others if code else options
        told = [(first, code, message), *((name, 0, None) for name in others)]
        return {"topics": [{"name": n, "error_code": c, "error_message": m} for n, c, m in told]}

    def wait_for_topics(self, names: list[str]) -> None:
        assert sorted(self.made) == sorted(names)


FENCED = (38, "Unable to replicate the partition 1 time(s): All brokers are currently fenced.")
OTHER = Topic("replayhouse.quality.events.v1", 6, -1, EVENTS)


def test_a_broker_that_is_away_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "_PAUSE_SECONDS", 0.0)
    brokers = Brokers(FENCED, (7, "The request timed out."), FENCED)
    topics._create(brokers, [SALES, OTHER])
    assert brokers.made == [OTHER.name, SALES.name]


@pytest.mark.parametrize(
    ("answer", "longest", "error"),
    [
        ((38, "The target replication factor of 3 cannot be reached because only 1 broker(s) are"), 30.0, UsageError),
        ((44, "The policy forbids it."), 30.0, UsageError),
        (FENCED, -1.0, Unreachable),
    ],
)
def test_what_the_brokers_refuse_or_cannot_do_for_long_is_told(
    answer: tuple[int, str], longest: float, error: type[ReplayhouseError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "_LONGEST_MAKING_SECONDS", longest)
    with pytest.raises(error, match=f"do not make the topic {SALES.name}: "):
        topics._create(Brokers(answer), [SALES, OTHER])
