"""Kafka: the broker for trying out, the topics, and the log on its way out and back."""

from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.topics import TopicsReport
    from replayhouse.infra.application.trial_broker import BrokerStatus, Started, Stopped


class Publishing(Base):
    """The methods that have to do with Kafka. Its settings are those of docs/kafka.md."""

    def start_broker(self) -> "Started":
        """Starts a broker for trying out, which goes on by itself, and keeps its data in the home folder.

        It needs Java; the first time Maven fetches it. Raises UsageError where this machine cannot run it, or the
        settings name a cluster of one's own; Unreachable where it does not start.
        """
        from replayhouse.infra.application.trial_broker import start_broker

        return self._do(start_broker)

    def stop_broker(self) -> "Stopped":
        """Stops the broker for trying out; its topics and their events are there again after the next start.

        Raises UsageError where the settings name a cluster of one's own.
        """
        from replayhouse.infra.application.trial_broker import stop_broker

        return self._do(stop_broker)

    def broker_status(self) -> "BrokerStatus":
        """Whether there is a broker, and where. Raises Unreachable where a cluster of one's own does not answer."""
        from replayhouse.infra.application.trial_broker import broker_status

        return self._do(broker_status)

    def topics(self) -> "TopicsReport":
        """Which topics there should be, and what is to be done about each. Raises Unreachable."""
        from replayhouse.infra.application.topics import topics

        return self._do(topics, apply=False)

    def make_topics(self) -> "TopicsReport":
        """Makes the topics that are missing. What is there is never changed; where it differs, the report says so.

        Raises Unreachable, and UsageError where the brokers refuse to make one.
        """
        from replayhouse.infra.application.topics import topics

        return self._do(topics, apply=True)
