"""The kernel: which events count after loads were taken back, identities, money, places, errors, states."""

import pickle
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayhouse.domain.kernel.errors import DomainError
from replayhouse.domain.kernel.events import DomainEvent, Rewound, effective, personal
from replayhouse.domain.kernel.ids import UNKNOWN_ID, natural_id
from replayhouse.domain.kernel.money import NOTHING, brl, total_of
from replayhouse.domain.kernel.places import (
    REGION_OF_STATE,
    is_in_brazil,
    normalised_city,
    region_of,
    zip_prefix_of,
)
from replayhouse.domain.kernel.state import Steps, changed, evolved, folded

calm = settings(deadline=None)  # how long one example takes says nothing on a busy machine


@dataclass(frozen=True, slots=True)
class Noted(DomainEvent):
    """Any event; `note` is unique in a stream."""

    note: int


@dataclass(frozen=True, slots=True)
class Vowed(DomainEvent):
    """An event that counts whatever happens to the load before it."""

    survives_rewind: ClassVar[bool] = True

    note: int


def rewound(to_version: int) -> Rewound:
    return Rewound(datetime(2026, 1, 1), UNKNOWN_ID, to_version)


# --- effective --------------------------------------------------------------------------------------------------


def test_a_stream_that_nothing_was_taken_back_from_counts_as_it_is() -> None:
    stream = [Noted(1), Noted(2)]
    assert effective(stream) is stream


def test_events_after_the_version_that_a_stream_was_rewound_to_count_no_longer() -> None:
    assert effective([Noted(1), Noted(2), Noted(3), rewound(1)]) == [Noted(1)]


def test_version_0_rewinds_the_whole_stream() -> None:
    assert effective([Noted(1), Noted(2), rewound(0)]) == []


def test_versions_go_on_counting_after_a_rewind() -> None:
    """The events of a load after a retraction count, and can be taken back in their turn."""
    stream = [Noted(1), Noted(2), rewound(1), Noted(4)]
    assert effective(stream) == [Noted(1), Noted(4)]
    assert effective([*stream, rewound(3)]) == [Noted(1)]


def test_a_later_rewind_may_reach_further_back_than_an_earlier_one() -> None:
    assert effective([Noted(1), Noted(2), rewound(1), Noted(4), rewound(0)]) == []


def test_an_event_that_survives_a_rewind_stays_in_its_place() -> None:
    assert effective([Noted(1), Vowed(2), Noted(3), rewound(0), Noted(5)]) == [Vowed(2), Noted(5)]


Load = tuple[int, list[DomainEvent]]  # the version before it, and its events


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[DomainEvent], list[DomainEvent]]:
    """A stream as loads and retractions of the newest ones write it, and the events that a reader should see."""
    stream: list[DomainEvent] = []
    standing: list[Load] = []
    for _ in range(draw(st.integers(0, 8))):
        back = draw(st.integers(0, 3))
        if back == 0 or not standing:
            kinds = draw(st.lists(st.sampled_from([Noted, Noted, Vowed]), min_size=1, max_size=4))
            before = len(stream)
            events: list[DomainEvent] = [kind(before + at) for at, kind in enumerate(kinds)]
            standing.append((before, events))
            stream.extend(events)
            continue
        taken_back = standing[-back:]
        del standing[-back:]
        stream.append(rewound(taken_back[0][0]))
        vows: list[DomainEvent] = [e for _, events in taken_back for e in events if e.survives_rewind]
        if vows:
            # What survived belongs to no load any more: nothing ever takes it back.
            standing.append((len(stream), vows))
    return stream, [event for _, events in standing for event in events]


@calm
@given(histories())
def test_what_counts_is_what_the_loads_that_stand_brought(
    history: tuple[list[DomainEvent], list[DomainEvent]],
) -> None:
    stream, expected = history
    assert list(effective(stream)) == expected


@calm
@given(histories())
def test_what_counts_keeps_its_order_and_holds_no_rewind(history: tuple[list[DomainEvent], list[DomainEvent]]) -> None:
    stream, _ = history
    counting = effective(stream)
    assert list(effective(counting)) == list(counting)
    assert [event for event in stream if event in counting] == list(counting)


# --- events, states, errors -------------------------------------------------------------------------------------


def test_a_personal_field_is_marked_in_the_class() -> None:
    @dataclass(frozen=True, slots=True)
    class Confided(DomainEvent):
        topic: str
        secret: str | None = personal()

    marked = {field.name for field in fields(Confided) if field.metadata.get("personal")}
    assert marked == {"secret"}


def test_an_event_counts_as_a_fact_of_its_stream_in_its_first_shape_unless_it_says_otherwise() -> None:
    assert (Noted.version, Noted.subject, Noted.survives_rewind) == (1, None, False)


def test_a_changed_state_is_another_one_and_the_first_stays() -> None:
    @dataclass(frozen=True)
    class State:
        name: str
        count: int = 0

    first = State("order")
    second = changed(first, {"count": 1})
    assert (first, second) == (State("order", 0), State("order", 1))
    assert type(second) is State


def test_a_fold_is_one_event_after_the_other_and_leaves_the_new_state_new() -> None:
    @dataclass(frozen=True)
    class State:
        notes: tuple[int, ...] = ()
        count: int = 0

    steps: Steps[State] = {Noted: lambda state, e: {"notes": (*state.notes, e.note), "count": state.count + 1}}
    new, events = State(), [Noted(3), rewound(1), Noted(4)]
    one_by_one = new
    for event in events:
        one_by_one = evolved(one_by_one, event, steps)
    assert folded(new, events, steps) == one_by_one == State((3, 4), 2)
    assert new == State()


def test_an_error_says_which_rule_on_which_aggregate_with_which_values() -> None:
    error = DomainError("a score is 1 to 5", "review", score=6)
    assert str(error) == "a score is 1 to 5: review (score 6)"
    assert (error.rule, error.aggregate, error.values) == ("a score is 1 to 5", "review", {"score": 6})
    assert str(DomainError("it fits", "box", width=2, height=3)) == "it fits: box (width 2, height 3)"
    assert str(DomainError("a batch is opened once", "batch")) == "a batch is opened once: batch"


# --- identities and money ---------------------------------------------------------------------------------------


def test_a_natural_id_is_the_same_on_every_machine() -> None:
    """Changing how it is made would orphan every stream of that kind."""
    assert natural_id("area", "01001") == UUID("522813a2-3ba4-5ad1-a9e5-02890f32038f")


def test_the_same_key_of_another_kind_is_another_id() -> None:
    assert natural_id("area", "x") != natural_id("category", "x")


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("1.004999", "1.00"), ("2.675", "2.68"), ("7", "7.00")],
)
def test_money_is_rounded_half_away_from_zero(amount: str, cents: str) -> None:
    assert str(brl(Decimal(amount))) == cents


def test_the_total_of_nothing_is_zero_with_two_decimals() -> None:
    assert str(total_of([])) == "0.00"
    assert total_of([]) == NOTHING
    assert total_of([Decimal("0.10"), Decimal("0.20")]) == Decimal("0.30")


# --- places -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "region"),
    [("AM", "North"), ("BA", "Northeast"), ("DF", "Central-West"), ("SP", "Southeast"), ("RS", "South")],
)
def test_each_state_lies_in_a_region(state: str, region: str) -> None:
    assert region_of(state) == region


@pytest.mark.parametrize("state", [None, "", "sp", "XX", "unknown"])
def test_what_is_not_a_state_lies_in_an_unknown_region(state: str | None) -> None:
    assert region_of(state) == "unknown"


def test_brazil_has_27_states() -> None:
    assert len(REGION_OF_STATE) == 27


def test_a_zip_prefix_gets_the_zeros_back_that_a_spreadsheet_dropped() -> None:
    assert (zip_prefix_of("1001"), zip_prefix_of("13023")) == ("01001", "13023")


@pytest.mark.parametrize(
    ("given_city", "normalised"),
    [
        ("São Paulo", "sao paulo"),
        ("  sao   paulo ", "sao paulo"),
        ("SAO PAULO", "sao paulo"),
        ("sa\u0303o paulo", "sao paulo"),
        ("são\u00a0paulo", "sao paulo"),
        ("sao paulo / sp", "sao paulo / sp"),
        ("d´oeste", "d´oeste"),
        ("nº 4", "nº 4"),
        ("rio\tde\njaneiro", "rio de janeiro"),
    ],
)
def test_cities_are_made_comparable_without_losing_more_than_accents_case_and_blanks(
    given_city: str, normalised: str
) -> None:
    assert normalised_city(given_city) == normalised


@calm
@given(st.text())
def test_a_normalised_city_stays_as_it_is(city: str) -> None:
    assert normalised_city(normalised_city(city)) == normalised_city(city)


@pytest.mark.parametrize(
    ("latitude", "longitude", "inside"),
    [
        (-33.76, -74.00, True),
        (5.28, -28.84, True),
        (-33.77, -50.0, False),
        (5.29, -50.0, False),
        (-10.0, -74.01, False),
        (-10.0, -28.83, False),
    ],
)
def test_the_borders_belong_to_brazil(latitude: float, longitude: float, inside: bool) -> None:
    assert is_in_brazil(latitude, longitude) is inside


def test_an_error_of_the_domain_is_the_same_in_another_process() -> None:
    error = DomainError("an order does not go backwards", "order", known="shipped", shown="created")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.rule, again.values) == (str(error), error.rule, error.values)
