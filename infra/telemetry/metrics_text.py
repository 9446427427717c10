"""Readings as text for Prometheus: its text format, version 0.0.4, which prometheus_client writes."""

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from platform import python_version

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from replayhouse.infra.telemetry.metrics import BUILD_INFO, METRICS, Kind, Metric, Reading

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text_of(readings: Iterable[Reading]) -> bytes:
    """The text of these readings; those of one metric stand together, in the order of the list of metrics."""
    return generate_latest(_Told(readings))


def of_the_build() -> Reading:
    """Which program it is that tells."""
    return Reading(BUILD_INFO, (version("replayhouse"), python_version()), 1)


class _Told(Collector):
    """What prometheus_client asks for the families of metrics."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._by_metric: dict[Metric, list[Reading]] = {}
        for reading in readings:
            self._by_metric.setdefault(reading.metric, []).append(reading)

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            if found := self._by_metric.get(metric):
                yield _family(metric, found)


def _family(metric: Metric, readings: Iterable[Reading]) -> Family:
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for reading in readings:
        family.add_metric(reading.labels, reading.value)
    return family
