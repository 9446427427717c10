"""prometheus_client, as this program uses it: the one place where it is imported, whatever the environment says.

A variable that another program of the same user may have set would make the library write values into files.
"""

import os

_OF_OTHERS = "PROMETHEUS_MULTIPROC_DIR"

_kept = os.environ.pop(_OF_OTHERS, None)
try:
    from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import Collector
finally:
    if _kept is not None:
        os.environ[_OF_OTHERS] = _kept

disable_created_metrics()  # type: ignore[no-untyped-call] # the library has no types there

__all__ = [
    "Collector",
    "CollectorRegistry",
    "Counter",
    "CounterMetricFamily",
    "Family",
    "GaugeMetricFamily",
    "Histogram",
    "generate_latest",
]
