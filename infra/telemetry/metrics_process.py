"""What this process counts of its own work: answers, and requests over HTTP.

Nothing is counted until somebody may ask for it (`count_from_here`): a command that ends soon loads no library for it.
What is counted begins with 0 in each process; rates over time take that into account.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from replayhouse.infra.telemetry.metrics import ANSWERS, QUESTION_SECONDS, REQUEST_SECONDS, Metric

if TYPE_CHECKING:
    from replayhouse.infra.telemetry.metrics_library import Counter, Family, Histogram

Source = Literal["kept", "computed"]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods of HTTP that are told by name."""

_OTHER = "_OTHER"  # as OpenTelemetry's conventions call a method that is none of those known


class _Counted:
    """The counters and histograms."""

    def __init__(self) -> None:
        from replayhouse.infra.telemetry.metrics_library import CollectorRegistry

        self.registry: CollectorRegistry = CollectorRegistry()
        self.answers = self._counter(ANSWERS)
        self.question_seconds = self._histogram(QUESTION_SECONDS)
        self.request_seconds = self._histogram(REQUEST_SECONDS)

    def _counter(self, metric: Metric) -> "Counter":
        from replayhouse.infra.telemetry.metrics_library import Counter

        return Counter(metric.name, metric.meaning, metric.labels, registry=self.registry)

    def _histogram(self, metric: Metric) -> "Histogram":
        from replayhouse.infra.telemetry.metrics_library import Histogram

        return Histogram(metric.name, metric.meaning, metric.labels, registry=self.registry, buckets=metric.buckets)


_counted: _Counted | None = None


def count_from_here() -> None:
    """From now on this process counts; it goes on with what it counted before."""
    global _counted
    _counted = _counted or _Counted()


def answered(source: Source) -> None:
    """An answer to a question was found kept, or computed."""
    if _counted is not None:
        _counted.answers.labels(source).inc()


def computed(question: int, seconds: float) -> None:
    """The answer to the question of this number was computed."""
    if _counted is not None:
        _counted.question_seconds.labels(str(question)).observe(seconds)


def requested(method: str, route: str, status: int, seconds: float) -> None:
    """A request was answered. `route` is a template of the program's, empty where no view was found for the path."""
    if _counted is not None:
        _counted.request_seconds.labels(method if method in METHODS else _OTHER, route, str(status)).observe(seconds)


def families() -> "Iterator[Family]":
    """What was counted; nothing where nothing is."""
    if _counted is not None:
        yield from _counted.registry.collect()
