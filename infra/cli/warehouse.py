"""The warehouse of a command: by the settings in the environment, telling on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.cli.output import progress, warn, warn_in_lines
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.metrics_settings import load_metrics_settings
from replayhouse.infra.runtime.settings import load_settings


@contextmanager
def named_warehouse(*, stays: bool = False) -> Iterator[Warehouse]:
    """The warehouse that the settings name; how far its work is stands on standard error while the block runs.

    A command that `stays` draws no bar, which would stand there all the while.
    """
    with progress(draws=not stays) as tell, Warehouse(load_settings(), tell=tell, warn=warn_in_lines) as warehouse:
        yield warehouse


@contextmanager
def followed_warehouse(metrics_port: int | None) -> Iterator[Warehouse]:
    """The same for a command that stays; it answers Prometheus meanwhile, where a port is given or set."""
    port = load_metrics_settings().port if metrics_port is None else metrics_port
    with named_warehouse(stays=True) as warehouse:
        if port is None:
            yield warehouse
            return
        with warehouse.metrics_told(port) as address:
            warn(f"Metrics for Prometheus: {address}")
            yield warehouse


def refuse_metrics_port(metrics_port: int | None) -> None:
    """Raises UsageError where a port is given to a command that ends."""
    if metrics_port is not None:
        raise UsageError("--metrics-port goes with --follow: a command that ends is not asked for its metrics.")
