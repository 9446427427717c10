"""Seconds that something took, several times over; and how a measurement says that it could not be made."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

LONG_SECONDS = 20.0
"""What takes longer than this is run once."""

RUNS = 3

FIGURES = (
    f"seconds with a span in brackets are the median of the runs, {RUNS} as a rule; those without are of one run, as "
    f"is what takes more than {LONG_SECONDS:.0f} s"
)
"""How the figures of a table are to be read."""


class NotMeasured(Exception):  # noqa: N818 - the name says what is the matter
    """A row of the table could not be measured; the message says why."""


@dataclass(frozen=True)
class Timing:
    """The runs of one thing, in seconds."""

    runs: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The median."""
        return median(self.runs)

    def __str__(self) -> str:
        if len(self.runs) == 1:
            return f"{self.seconds:.2f} s"
        return f"{self.seconds:.2f} s ({min(self.runs):.2f} to {max(self.runs):.2f})"


def timed(run: Callable[[], object]) -> float:
    """Seconds of one run."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def repeated(run: Callable[[], float], first: float | None = None) -> Timing:
    """Three runs, or one if that is long. `run` returns its seconds, so that it may prepare itself outside of them."""
    runs = [run() if first is None else first]
    while runs[0] <= LONG_SECONDS and len(runs) < RUNS:
        runs.append(run())
    return Timing(tuple(runs))


@dataclass(frozen=True)
class Best:
    """A baseline's best case: the setting, its runs, and the seconds of the first run of every setting."""

    setting: str
    timing: Timing
    firsts: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """The median of the best setting."""
        return self.timing.seconds


def best_of(settings: Mapping[str, Callable[[], float]], only: str | None = None) -> Best:
    """Runs each setting once, or only the named one once, and the quickest until it has its three runs."""
    if only is not None:
        seconds = settings[only]()
        return Best(only, Timing((seconds,)), {only: seconds})
    firsts = {name: run() for name, run in settings.items()}
    best = min(firsts, key=lambda name: firsts[name])
    return Best(best, repeated(settings[best], firsts[best]), firsts)
