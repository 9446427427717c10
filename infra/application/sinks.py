"""Where the log is published to: the one place that knows which adapter of the port `Cluster` that is."""

from replayhouse.infra.application.site import Site
from replayhouse.infra.kafka.clients import bootstrap_of
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.publishing.ports import Cluster


def sink_of(site: Site) -> Cluster:
    """The brokers that the settings name. Raises Unreachable where there are none, UsageError."""
    return KafkaCluster(site.kafka, bootstrap_of(site.settings, site.kafka))
