"""Publishing the log: the relays of the contexts at work, until all is published or somebody ends them."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.sinks import sink_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import Published, run_relays


@dataclass(frozen=True)
class PublishReport:
    """What each relay has done, by its name: that of its context, or `sales.state` for the rows of `sales`."""

    relays: Mapping[str, Published]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"contexts": {name: published._asdict() for name, published in self.relays.items()}}


def publish(
    site: Site,
    contexts: Iterable[str] | None,
    *,
    follow: bool = False,
    recover: bool = False,
    stop: threading.Event | None = None,
) -> PublishReport:
    """Publishes what the log holds; with `follow`, and what is appended, until `stop` is set."""
    wanted, kafka, database = chosen(contexts), site.kafka, site.database
    order = Order(follow=follow, recover=recover)
    relays = run_relays(database, sink_of(site), kafka, wanted, order, stop or threading.Event(), site.warn)
    return PublishReport(relays)
