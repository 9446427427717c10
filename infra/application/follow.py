"""Following the log: the read models are kept up with it until somebody says that it is enough."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Event

from replayhouse.infra.application.answers_of_record import answering_beside
from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.read_models.live.watcher import Watch
from replayhouse.infra.read_models.versions import OtherVersion
from replayhouse.infra.runtime.telling import Warn


@dataclass(frozen=True)
class FollowReport:
    """What `follow` answers: how many events of each context were projected meanwhile.

    `stopped` has the contexts that could not be followed to the end, because a newer program is at work on them.
    """

    events: Mapping[str, int]
    stopped: Mapping[str, NewerVersion | OtherVersion]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"contexts": {context: {"events": done} for context, done in self.events.items()}}


def follow(
    site: Site, contexts: Iterable[str] | None, stop: Event, *, retry_parked: bool, news: Warn | None
) -> FollowReport:
    """Follows the log for these contexts (or all) until `stop` is set, or a newer program leaves nothing to follow.

    Meanwhile all questions are answered, and the answers kept, whenever the marts show something new.
    `news` takes which contexts are followed from here; by default that is told as what is being done.
    """
    watch = Watch(site.database, chosen(contexts), stop, site.warn, news or (lambda text: site.tell(text, 0, 0)))
    with answering_beside(site.database, stop, site.warn):
        watch.run(retry_parked=retry_parked, workers=site.settings.workers)
    return FollowReport(watch.events, watch.stopped)
