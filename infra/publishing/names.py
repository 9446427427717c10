"""What things are called that are published: topics, transactional ids, sources. All of it is part of the contract."""


def events_topic(prefix: str, context: str) -> str:
    """The topic of a context's events: `replayhouse.sales.events.v1`."""
    return f"{prefix}.{context}.events.v1"


def state_topic(prefix: str, context: str) -> str:
    """The compacted topic with the newest rows of a context's tables: `replayhouse.sales.state.v1`."""
    return f"{prefix}.{context}.state.v1"


def positions_topic(prefix: str) -> str:
    """The compacted topic, of one partition, where each relay keeps how far it is: `replayhouse.relay.positions.v1`."""
    return f"{prefix}.relay.positions.v1"


def transactional_id(prefix: str, relay: str) -> str:
    """Who publishes a context's events (`sales`) or state (`sales.state`): of two with one id the older is fenced."""
    return f"{prefix}.relay.{relay}"


def source_of(prefix: str, context: str) -> str:
    """The CloudEvents source of a context's events: `/replayhouse/sales`."""
    return f"/{prefix}/{context}"
