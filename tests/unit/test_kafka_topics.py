"""Which topics there should be, and where those that are there differ."""

import pytest

from infra.errors import UsageError
from infra.kafka.settings import LARGEST_MESSAGE_BYTES, KafkaSettings
from infra.kafka.topics import Difference, Found, Topic, contexts_with_state, described, differences_of, wanted_topics

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
        contexts_with_state(settings(state="customer,sale"))


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
