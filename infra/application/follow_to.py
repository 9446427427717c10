"""Following the log into ClickHouse, until somebody says that it is enough."""

from collections.abc import Iterable
from functools import partial
from threading import Event

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.follow import FollowReport
from replayhouse.infra.application.places import refuse_other_places
from replayhouse.infra.application.site import Site
from replayhouse.infra.clickhouse.follower import Follower
from replayhouse.infra.runtime.telling import Warn


def follow_to(
    site: Site, to: str, contexts: Iterable[str] | None, stop: Event, *, retry_parked: bool, news: Warn | None
) -> FollowReport:
    """Keeps these contexts (or all) up with the log there until `stop` is set.

    Waits for a database that goes away, ClickHouse or that of the log. `news` takes whether it is this process that is
    at work; by default that is told as what is being done. Raises UsageError where no ClickHouse is named.
    """
    refuse_other_places(to)
    wanted, settings = chosen(contexts), site.clickhouse
    follower = Follower(
        site.database,
        settings,
        wanted,
        stop,
        site.warn,
        news or (lambda text: site.tell(text, 0, 0)),
        workers=site.settings.workers,
        parts=partial(site.tell, "filling ClickHouse"),
    )
    follower.run(retry_parked=retry_parked)
    return FollowReport(follower.events, {})
