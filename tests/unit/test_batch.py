"""A load from opening to completion, rejection or its being taken back: each step in its turn, told twice or not."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.marketplace.events import SellerMoved
from replayhouse.domain.quality.batch import (
    NEW_BATCH,
    Batch,
    accept,
    assess,
    batch_of,
    complete,
    evolve,
    open_batch,
    reject,
    retract,
)
from replayhouse.domain.quality.events import (
    BatchAccepted,
    BatchAssessed,
    BatchCompleted,
    BatchOpened,
    BatchRejected,
    BatchRetracted,
    CheckResult,
    ContextCount,
    ExtractFile,
    FileCount,
)

calm = settings(deadline=None)  # how long one example takes says nothing on a busy machine

NOW, LATER = datetime(2026, 1, 2, 3), datetime(2026, 1, 2, 4)
FILES = (ExtractFile("orders", 2_000, "0" * 64, 100), ExtractFile("customers", 1_000, "1" * 64, 90))
CHECKS = (CheckResult("order_has_lines", "completeness", "MEDIUM", 100, 1, True),)
SCORE = Decimal("99.00")
COUNTS = (FileCount("orders", 98, 0, 0, 2), FileCount("customers", 90, 0, 0, 0))
APPENDED = (ContextCount("sales", 500), ContextCount("customer", 200), ContextCount("quality", 4))
REWOUND = (ContextCount("sales", 500), ContextCount("customer", 200))

Step = Callable[[Batch, datetime], tuple[DomainEvent, ...]]
STEPS: dict[str, Step] = {
    "open": lambda batch, at: open_batch(batch, "march", FILES, at),
    "assess": lambda batch, at: assess(batch, CHECKS, SCORE, at),
    "accept": lambda batch, at: accept(batch, 190, 2, at),
    "reject": lambda batch, at: reject(batch, ["orders: a quote is open at the end"], at),
    "complete": lambda batch, at: complete(batch, COUNTS, APPENDED, at),
    "retract": lambda batch, at: retract(batch, "wrong month", "ana", REWOUND, at),
}


def batch_after(*steps: str) -> Batch:
    batch = NEW_BATCH
    for step in steps:
        for event in STEPS[step](batch, NOW):
            batch = evolve(batch, event)
    return batch


OPEN = batch_after("open")
ASSESSED = batch_after("open", "assess")
ACCEPTED = batch_after("open", "assess", "accept")
REJECTED = batch_after("open", "assess", "reject")
COMPLETED = batch_after("open", "assess", "accept", "complete")
RETRACTED = batch_after("open", "assess", "accept", "complete", "retract")


def test_each_step_of_a_load_is_recorded_with_what_it_says() -> None:
    assert STEPS["open"](NEW_BATCH, NOW) == (BatchOpened(NOW, NOW, "march", FILES),)
    assert STEPS["assess"](OPEN, NOW) == (BatchAssessed(NOW, CHECKS, SCORE),)
    assert STEPS["accept"](ASSESSED, NOW) == (BatchAccepted(NOW, 190, 2),)
    assert STEPS["reject"](ASSESSED, NOW) == (BatchRejected(NOW, ("orders: a quote is open at the end",)),)
    assert STEPS["complete"](ACCEPTED, NOW) == (BatchCompleted(NOW, NOW, COUNTS, APPENDED),)
    assert STEPS["retract"](COMPLETED, NOW) == (BatchRetracted(NOW, "wrong month", "ana", REWOUND),)


@pytest.mark.parametrize(
    ("batch", "status"),
    [
        (NEW_BATCH, ""),
        (OPEN, "open"),
        (ASSESSED, "open"),
        (ACCEPTED, "accepted"),
        (REJECTED, "rejected"),
        (COMPLETED, "completed"),
        (RETRACTED, "retracted"),
    ],
)
def test_a_load_is_open_until_it_is_accepted_or_rejected(batch: Batch, status: str) -> None:
    assert batch.status == status


ALLOWED = {
    "open": [NEW_BATCH],
    "assess": [OPEN],
    "accept": [ASSESSED],
    "reject": [OPEN, ASSESSED],
    "complete": [ACCEPTED],
    "retract": [OPEN, ASSESSED, ACCEPTED, COMPLETED],
}
KNOWN = {
    "open": [OPEN, ASSESSED, ACCEPTED],
    "assess": [ASSESSED, ACCEPTED, REJECTED, COMPLETED, RETRACTED],
    "accept": [ACCEPTED],
    "reject": [REJECTED],
    "complete": [COMPLETED],
    "retract": [RETRACTED],
}
ALL = {
    "new": NEW_BATCH,
    "open": OPEN,
    "assessed": ASSESSED,
    "accepted": ACCEPTED,
    "rejected": REJECTED,
    "completed": COMPLETED,
    "retracted": RETRACTED,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ALL)
def test_a_step_in_its_turn_is_an_event_told_again_none_and_out_of_turn_an_error(step: str, name: str) -> None:
    batch = ALL[name]
    if batch in ALLOWED[step]:
        assert len(STEPS[step](batch, NOW)) == 1
    elif batch in KNOWN[step]:
        assert STEPS[step](batch, LATER) == ()
    else:
        with pytest.raises(DomainError):
            STEPS[step](batch, NOW)


def test_a_load_under_way_is_not_opened_with_other_files() -> None:
    with pytest.raises(DomainError, match="a batch is opened once"):
        open_batch(OPEN, "march", FILES[:1], NOW)


def test_a_resumed_load_keeps_the_name_it_was_opened_with() -> None:
    assert open_batch(OPEN, "another name", FILES, LATER) == ()


def test_an_open_load_is_assessed_anew_if_the_result_is_another_one() -> None:
    (event,) = assess(ASSESSED, CHECKS, Decimal("98.00"), LATER)
    assert evolve(ASSESSED, event).score == Decimal("98.00")


def test_an_accepted_load_is_not_assessed_anew() -> None:
    with pytest.raises(DomainError, match="only an open batch is assessed"):
        assess(ACCEPTED, CHECKS, Decimal("98.00"), LATER)


def test_steps_told_again_in_other_words_are_errors() -> None:
    with pytest.raises(DomainError, match="accepted"):
        accept(ACCEPTED, 190, 3, LATER)
    with pytest.raises(DomainError, match="rejected"):
        reject(REJECTED, ["another reason"], LATER)
    with pytest.raises(DomainError, match="completed"):
        complete(COMPLETED, COUNTS, (), LATER)
    with pytest.raises(DomainError, match="retracted"):
        retract(RETRACTED, "another reason", "ana", REWOUND, LATER)


def test_a_load_is_assessed_before_it_is_accepted() -> None:
    with pytest.raises(DomainError, match="assessed before it is accepted"):
        accept(OPEN, 190, 2, NOW)


def test_a_load_is_not_rejected_without_a_reason() -> None:
    with pytest.raises(DomainError, match="for a reason"):
        reject(ASSESSED, [], NOW)


def test_a_completed_load_knows_what_it_brought() -> None:
    assert (COMPLETED.name, COMPLETED.opened_at, COMPLETED.completed_at) == ("march", NOW, NOW)
    assert (COMPLETED.rows, COMPLETED.quarantined, COMPLETED.score) == (190, 2, SCORE)
    assert (COMPLETED.files, COMPLETED.checks, COMPLETED.file_counts) == (FILES, CHECKS, COUNTS)
    assert COMPLETED.appended == APPENDED


def test_events_of_a_load_are_counted_without_those_about_the_load() -> None:
    assert COMPLETED.events == 700
    assert ACCEPTED.events == 0


def test_a_rejected_load_has_the_rows_of_its_files_and_the_reasons() -> None:
    assert (REJECTED.rows, REJECTED.reasons) == (190, ("orders: a quote is open at the end",))


def test_a_retracted_load_still_tells_what_it_had_brought() -> None:
    assert (RETRACTED.events, RETRACTED.rewound) == (700, REWOUND)
    assert (RETRACTED.retracted_because, RETRACTED.retracted_by) == ("wrong month", "ana")


ANY_STEPS = st.lists(st.sampled_from(sorted(STEPS)), max_size=8)


def stream_of(steps: list[str]) -> list[DomainEvent]:
    """What is recorded if these steps are tried one after the other, those out of turn in vain."""
    stream: list[DomainEvent] = []
    for step in steps:
        try:
            stream += STEPS[step](batch_of(stream), NOW)
        except DomainError:
            continue
    return stream


@calm
@given(ANY_STEPS)
def test_whatever_is_tried_a_load_ends_once(steps: list[str]) -> None:
    kinds = [type(event) for event in stream_of(steps)]
    assert len(kinds) == len(set(kinds))
    assert not (BatchRejected in kinds and BatchAccepted in kinds)
    assert kinds[:1] in ([], [BatchOpened])


@calm
@given(ANY_STEPS, st.data())
def test_any_selection_of_a_loads_stream_can_be_shown(steps: list[str], data: st.DataObject) -> None:
    stream = [SellerMoved("01001", "sao paulo", "SP"), *stream_of(steps)]
    keep = data.draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    kept = [event for event, is_kept in zip(stream, keep, strict=True) if is_kept]
    batch = batch_of(kept)
    assert batch.events == (700 if any(isinstance(event, BatchCompleted) for event in kept) else 0)
    assert batch.is_assessed == any(isinstance(event, BatchAssessed) for event in kept)
