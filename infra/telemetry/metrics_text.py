"""What is told to Prometheus, as text: its text format, version 0.0.4, which prometheus_client writes."""

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from platform import python_version

from replayhouse.infra.telemetry import metrics_process
from replayhouse.infra.telemetry.metrics import BUILD_INFO, METRICS, Kind, Metric, Reading
from replayhouse.infra.telemetry.metrics_library import (
    Collector,
    CounterMetricFamily,
    Family,
    GaugeMetricFamily,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text_of(readings: Iterable[Reading]) -> bytes:
    """The text of these readings alone."""
    return generate_latest(_Told(readings, ()))


def text_of_process(readings: Iterable[Reading]) -> bytes:
    """The text of these readings, of which program it is that tells, and of what this process has counted."""
    return generate_latest(_Told([of_the_build(), *readings], metrics_process.families()))


def of_the_build() -> Reading:
    """Which program it is that tells."""
    return Reading(BUILD_INFO, (version("replayhouse"), python_version()), 1)


class _Told(Collector):
    """What prometheus_client asks for the families of metrics: they come in the order of the list of metrics."""

    def __init__(self, readings: Iterable[Reading], counted: "Iterable[Family]") -> None:
        by_metric: dict[Metric, list[Reading]] = {}
        for reading in readings:
            by_metric.setdefault(reading.metric, []).append(reading)
        self._families = {family.name: family for family in counted if family.samples}
        for metric, found in by_metric.items():
            family = _family(metric, found)
            self._families[family.name] = family

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            if found := self._families.get(metric.name.removesuffix("_total")):
                yield found


def _family(metric: Metric, readings: Iterable[Reading]) -> Family:
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for reading in readings:
        family.add_metric(reading.labels, reading.value)
    return family
