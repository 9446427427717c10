"""Where a zip prefix lies, by its samples."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.fulfillment.area import NEW_AREA, Area, Sample, area_of, area_stream_id, most_frequent, survey
from replayhouse.domain.fulfillment.events import AreaSurveyed, ShipmentCanceled
from replayhouse.domain.kernel.events import DomainEvent
from tests.support.orders import MONDAY

ZIP = "01001"


def sample(latitude: float = -23.5, longitude: float = -46.6, city: str = "sao paulo", state: str = "SP") -> Sample:
    return Sample(latitude, longitude, city, state)


def surveyed(*samples: Sample) -> AreaSurveyed:
    (event,) = survey(NEW_AREA, ZIP, samples)
    assert isinstance(event, AreaSurveyed)
    return event


def area_with(*samples: Sample) -> Area:
    return area_of(survey(NEW_AREA, ZIP, samples))


def test_an_area_lies_at_the_medians_of_its_samples_each_by_itself() -> None:
    event = surveyed(sample(-10, -40), sample(-20, -60), sample(-30, -50))
    assert event == AreaSurveyed(ZIP, -20, -50, "sao paulo", "SP", 3)


def test_of_an_even_number_of_samples_the_two_middle_ones_count_by_half() -> None:
    event = surveyed(sample(-10, -40), sample(-13, -45), sample(-20, -50), sample(-30, -60))
    assert (event.latitude, event.longitude) == (-16.5, -47.5)


def test_equal_samples_count_each() -> None:
    event = surveyed(sample(-10), sample(-10), sample(-10), sample(-20), sample(-30))
    assert (event.latitude, event.samples) == (-10, 5)


@pytest.mark.parametrize(
    ("latitude", "longitude", "is_inside"),
    [
        (-33.76, -74.00, True),
        (5.28, -28.84, True),
        (-33.7601, -50, False),
        (5.2801, -50, False),
        (-10, -74.0001, False),
        (-10, -28.8399, False),
        (41.6, -8.4, False),
    ],
)
def test_samples_count_inside_brazil_only_borders_included(latitude: float, longitude: float, is_inside: bool) -> None:
    assert bool(survey(NEW_AREA, ZIP, [sample(latitude, longitude)])) == is_inside


def test_samples_outside_count_neither_for_medians_nor_for_modes() -> None:
    outside = [sample(41.6, -8.4, "braga", "PT")] * 3
    assert surveyed(sample(), *outside) == surveyed(sample())


def test_an_area_without_a_sample_inside_is_no_news() -> None:
    assert survey(NEW_AREA, ZIP, [sample(41.6, -8.4)]) == ()
    assert survey(NEW_AREA, ZIP, []) == ()


def test_city_and_state_are_the_most_frequent_each_by_itself_as_given() -> None:
    event = surveyed(
        sample(city="São Paulo", state="SP"),
        sample(city="São Paulo", state="RJ"),
        sample(city="sao paulo", state="RJ"),
    )
    assert (event.city, event.state) == ("São Paulo", "RJ")


def test_of_equally_frequent_texts_the_smallest_by_code_point_counts() -> None:
    assert most_frequent(["são paulo", "sao paulo", "são paulo", "sao paulo"]) == "sao paulo"
    assert most_frequent(["a", "Z", "é"]) == "Z"


def test_the_newest_samples_replace_the_earlier_ones() -> None:
    area = area_with(sample(-10), sample(-20))
    (event,) = survey(area, ZIP, [sample(-30)])
    assert event == AreaSurveyed(ZIP, -30, -46.6, "sao paulo", "SP", 1)


def test_the_same_samples_in_another_order_are_no_news() -> None:
    samples = [sample(-10, city="a"), sample(-20, city="b"), sample(-30, city="b")]
    assert survey(area_with(*samples), ZIP, samples[::-1]) == ()


def test_an_area_that_loses_its_last_sample_is_known_no_longer_and_may_come_back() -> None:
    area = area_with(sample())
    events = survey(area, ZIP, [sample(41.6, -8.4)])
    assert events == (AreaSurveyed(ZIP, None, None, None, None, 0),)
    lost = area_of([*survey(NEW_AREA, ZIP, [sample()]), *events])
    assert lost.samples == 0
    assert survey(lost, ZIP, []) == ()
    assert survey(lost, ZIP, [sample()]) == (surveyed(sample()),)


def test_an_area_has_a_stream_of_its_own_whatever_else_happens() -> None:
    assert area_stream_id("01001") == UUID("522813a2-3ba4-5ad1-a9e5-02890f32038f"), "the same on every machine"
    assert area_stream_id("01001") != area_stream_id("01002")
    strangers: list[DomainEvent] = [ShipmentCanceled(MONDAY)]
    assert area_of([*strangers, surveyed(sample()), *strangers]) == area_with(sample())


INSIDE = st.builds(
    Sample, st.floats(-33.76, 5.28), st.floats(-74.0, -28.84), st.sampled_from(["a", "b", "ã"]), st.sampled_from("XYZ")
)


@given(st.lists(INSIDE, min_size=1, max_size=9), st.data())
def test_a_survey_does_not_depend_on_the_order_of_the_samples_and_lies_among_them(
    samples: list[Sample], data: st.DataObject
) -> None:
    event = surveyed(*samples)
    mixed = data.draw(st.permutations(samples))
    assert surveyed(*mixed) == event
    latitudes = sorted(sample.latitude for sample in samples)
    assert event.latitude is not None
    assert latitudes[0] <= event.latitude <= latitudes[-1]
    assert survey(area_with(*samples), ZIP, mixed) == ()
