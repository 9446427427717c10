"""The broker for trying out, which belongs to the home; and whether the brokers that the settings name answer."""

from typing import NamedTuple

from replayhouse.infra.application.site import Site
from replayhouse.infra.kafka.broker.node import Broker, trial_broker
from replayhouse.infra.kafka.connectivity import reach
from replayhouse.infra.runtime.errors import UsageError


class BrokerStatus(NamedTuple):
    """Whether a broker answers, and at which address.

    `pid` is the number of its process and `data` its folder, None for a cluster of one's own.
    """

    running: bool
    bootstrap: str | None
    pid: int | None
    data: str | None

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return self._asdict()


class Started(NamedTuple):
    """The broker that runs now; `started` tells whether it did not run before."""

    broker: BrokerStatus
    started: bool

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {**self.broker.document(), "started": self.started}


class Stopped(NamedTuple):
    """`stopped` tells whether the broker ran before; now it does not."""

    stopped: bool

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"running": False, "stopped": self.stopped}


def start_broker(site: Site) -> Started:
    """Starts the broker of the home; one that runs already stays as it is."""
    broker = _broker_of(site)
    if not broker.is_alive():
        site.tell("starting the broker; the first time Maven fetches it", 0, 0)
    was_started = broker.start()
    return Started(_status_of(broker, is_running=True), was_started)


def stop_broker(site: Site) -> Stopped:
    """Stops the broker of the home; what it acknowledged is kept."""
    return Stopped(_broker_of(site).stop())


def broker_status(site: Site) -> BrokerStatus:
    """How the broker of the home is, or the cluster that the settings name. Raises Unreachable for the latter."""
    kafka = site.kafka
    if kafka.bootstrap is not None:
        reach(kafka, kafka.bootstrap)
        return BrokerStatus(running=True, bootstrap=kafka.bootstrap, pid=None, data=None)
    broker = trial_broker(site.settings.home)
    return _status_of(broker, is_running=broker.answers())


def _status_of(broker: Broker, *, is_running: bool) -> BrokerStatus:
    return BrokerStatus(
        running=is_running,
        bootstrap=broker.bootstrap if is_running else None,
        pid=broker.pid if is_running else None,
        data=str(broker.folder),
    )


def _broker_of(site: Site) -> Broker:
    """The broker of the home. Raises UsageError where REPLAYHOUSE_KAFKA_BOOTSTRAP names others."""
    if site.kafka.bootstrap is not None:
        raise UsageError(
            "REPLAYHOUSE_KAFKA_BOOTSTRAP names a cluster of your own: start and stop it there, or unset the variable "
            "to use a broker for trying out."
        )
    return trial_broker(site.settings.home)
