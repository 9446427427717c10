"""What is asked of brokers about hanging transactions, and what is made of their refusals."""

from typing import Any

import pytest
from kafka import TopicPartition
from kafka.admin import AbortTransactionSpec, PartitionProducerState, ProducerState
from kafka.errors import ClusterAuthorizationFailedError, IncompatibleBrokerVersion, InvalidProducerEpochError

from replayhouse.infra.kafka.hanging_transactions import end_hanging
from replayhouse.infra.runtime.errors import Unreachable

PLACE = TopicPartition("positions", 0)
OURS, ANOTHERS, EPOCH = 7, 8, 5


class Brokers:
    """Brokers whose partition has the given producers; they answer an abort with `refusal`."""

    def __init__(self, *producers: ProducerState, refusal: Exception | None = None) -> None:
        self._producers = list(producers)
        self._refusal = refusal
        self.aborted: list[AbortTransactionSpec] = []

    def describe_transactions(self, ids: list[str]) -> dict[str, Any]:
        (name,) = ids
        return {name: type("Described", (), {"producer_id": OURS, "producer_epoch": EPOCH})}

    def describe_producers(self, places: list[TopicPartition]) -> dict[TopicPartition, PartitionProducerState]:
        return {place: PartitionProducerState(self._producers) for place in places}

    def abort_transaction(self, spec: AbortTransactionSpec) -> None:
        self.aborted.append(spec)
        if self._refusal is not None:
            raise self._refusal


def producing(producer_id: int, epoch: int, offset: int = 40, coordinator_epoch: int = 3) -> ProducerState:
    return ProducerState(producer_id, epoch, 0, 0, coordinator_epoch, offset)


def ended(brokers: Any) -> int:
    return len(end_hanging(brokers, "a relay", [PLACE]))


def test_only_what_an_earlier_producer_of_the_id_has_open_is_ended() -> None:
    brokers = Brokers(
        producing(OURS, EPOCH - 1),
        producing(OURS, EPOCH),  # the newest one, at work
        producing(OURS, EPOCH + 1),  # one that took over meanwhile
        producing(ANOTHERS, 0),
        producing(OURS, EPOCH - 2, offset=-1),  # nothing is open
    )
    assert ended(brokers) == 1
    assert brokers.aborted == [AbortTransactionSpec(PLACE, OURS, EPOCH - 1, 3)]


def test_a_partition_that_no_transaction_was_ever_ended_in_is_let_have_its_first_coordinator() -> None:
    brokers = Brokers(producing(OURS, EPOCH - 1, coordinator_epoch=-1))
    assert ended(brokers) == 1
    assert brokers.aborted[0].coordinator_epoch == 0


def test_who_may_not_end_it_is_told_who_may_and_how() -> None:
    brokers = Brokers(producing(OURS, EPOCH - 1), refusal=ClusterAuthorizationFailedError())
    with pytest.raises(Unreachable, match=r"abort --topic positions --partition 0 --start-offset 40\."):
        ended(brokers)


def test_what_somebody_else_has_ended_meanwhile_is_none_of_ours() -> None:
    ended(Brokers(producing(OURS, EPOCH - 1), refusal=InvalidProducerEpochError()))


def test_brokers_too_old_to_tell_are_let_alone() -> None:
    class Old(Brokers):
        def describe_transactions(self, ids: list[str]) -> dict[str, Any]:
            raise IncompatibleBrokerVersion

    assert ended(Old(producing(OURS, EPOCH - 1))) == 0
