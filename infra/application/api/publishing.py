"""Kafka: the broker for trying out, the topics, and the log on its way out and back."""

from collections.abc import Callable, Generator, Iterable
from os import PathLike
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.publish import PublishReport
    from replayhouse.infra.application.rebuild_from_topics import FromTopics
    from replayhouse.infra.application.topics import TopicsReport
    from replayhouse.infra.application.trial_broker import BrokerStatus, Started, Stopped
    from replayhouse.infra.kafka.comparison import Verified
    from replayhouse.infra.kafka.message_view import Seen


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

    def publish(
        self,
        contexts: Iterable[str] | None = None,
        *,
        follow: bool = False,
        recover: bool = False,
        stop: Event | None = None,
    ) -> "PublishReport":
        """Publishes the events of the log, each once and in order; those of all contexts where none is named.

        A relay for each context goes on where its topic ends. With `follow` they stay and publish whatever is appended,
        until another thread sets `stop`, or an exception such as KeyboardInterrupt ends them. `recover` takes the
        position from what the topic holds, where the relay's own is missing. The relays' threads call `warn`. Raises
        Unreachable where brokers or database stay away and nothing is followed, Conflicting once another relay
        publishes, UsageError and ReplayhouseError for what a person must decide; `stop` is set then.
        """
        from replayhouse.infra.application.publish import publish

        return self._do(publish, contexts, follow=follow, recover=recover, stop=stop)

    def verify_topics(self, contexts: Iterable[str] | None = None) -> "Verified":
        """Holds what the topics have against the log, event by event: `difference` is the first, or None.

        Raises UsageError where a topic does not exist, Unreachable.
        """
        from replayhouse.infra.application.verify_topics import verify_topics

        return self._do(verify_topics, contexts)

    def consume(
        self,
        context: str,
        *,
        from_beginning: bool = False,
        follow: bool = False,
        limit: int | None = None,
        is_ended: Callable[[], bool] = lambda: False,
    ) -> "Generator[Seen]":
        """The events of a context as those see them who consume its topic, by position, one after the other.

        They are the newest ten, or `limit` of them; with `from_beginning` all, from the first on; with `follow` what
        comes from now on, for which it waits until `is_ended()`. Personal fields are not shown. To leave earlier, close
        the generator. Raises UsageError where the topic does not exist, Unreachable, both when the first is asked for.
        """
        from replayhouse.infra.application.consume import consume

        return self._each(
            consume, context, from_beginning=from_beginning, follow=follow, limit=limit, is_ended=is_ended
        )

    def rebuild_from_topics(
        self, prefix: str, contexts: Iterable[str] | None = None, *, keys: str | PathLike[str] | None = None
    ) -> "FromTopics":
        """Folds the star schema from the topics alone, into the schemas `<prefix>_sales` and so on of this database.

        The log may be that of somebody else, whose live tables have the same digests. `keys` is the file of keys of a
        backup of the publisher's; without it, personal fields are withheld. Raises Rejected where the topics do not
        hold whole streams, InputError for a file that is none, UsageError, Conflicting, Unreachable.
        """
        from replayhouse.infra.application.rebuild_from_topics import rebuild_from_topics

        return self._do(rebuild_from_topics, prefix, contexts, None if keys is None else Path(keys))
