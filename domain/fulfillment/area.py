"""The area of a zip prefix: where it lies and what it is called, by the samples of the geolocation file (R27, R28)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple
from uuid import UUID

from replayhouse.domain.fulfillment.events import AreaSurveyed
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import natural_id
from replayhouse.domain.kernel.places import is_in_brazil
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded


class Sample(NamedTuple):
    """One row of the geolocation file: degrees, and the place's name as given."""

    latitude: float
    longitude: float
    city: str
    state: str


@dataclass(frozen=True)
class Area:
    """What is known of a zip prefix; `survey` is None until it was surveyed."""

    survey: AreaSurveyed | None = None

    @property
    def samples(self) -> int:
        """How many samples inside Brazil tell of it."""
        return self.survey.samples if self.survey else 0

    @property
    def place(self) -> AreaSurveyed | None:
        """Where it lies and what it is called; None while no sample tells of it (R27)."""
        return self.survey if self.samples else None


NEW_AREA = Area()


def area_stream_id(zip_prefix: str) -> UUID:
    """The stream of a zip prefix of five digits."""
    return natural_id("area", zip_prefix)


def area_of(events: Iterable[DomainEvent]) -> Area:
    """The area that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_AREA, events, _EVOLUTION)


def evolve(area: Area, event: DomainEvent) -> Area:
    """The area after an event: the last survey counts. An event of another kind leaves it as it is."""
    return evolved(area, event, _EVOLUTION)


def _surveyed(_: Area, event: AreaSurveyed) -> Changes:
    return {"survey": event}


_EVOLUTION: Steps[Area] = {AreaSurveyed: _surveyed}


def survey(area: Area, zip_prefix: str, samples: Sequence[Sample]) -> tuple[DomainEvent, ...]:
    """The newest extract's samples of a prefix replace the earlier ones (R40); those outside Brazil count for nothing.

    Nothing if they say what is known; `samples` 0 if none is left inside.
    """
    inside = [sample for sample in samples if is_in_brazil(sample.latitude, sample.longitude)]
    if inside:
        latitudes, longitudes, cities, states = zip(*inside, strict=True)
        surveyed = AreaSurveyed(
            zip_prefix=zip_prefix,
            latitude=median(latitudes),
            longitude=median(longitudes),
            city=most_frequent(cities),
            state=most_frequent(states),
            samples=len(inside),
        )
    elif area.samples == 0:
        return ()
    else:
        surveyed = AreaSurveyed(zip_prefix, latitude=None, longitude=None, city=None, state=None, samples=0)
    return () if surveyed == area.survey else (surveyed,)


def most_frequent(texts: Iterable[str]) -> str:
    """The mode; of equally frequent texts the smallest by code point (R28)."""
    counts = Counter(texts)
    most = max(counts.values())
    return min([text for text, count in counts.items() if count == most])
