"""Catching the read models up with the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.marts import Unmakeable
from replayhouse.infra.read_models.status import parked_streams
from replayhouse.infra.read_models.status import status as status_of
from replayhouse.infra.read_models.versions import OtherVersion
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.telling import count


class CaughtUp(NamedTuple):
    """What came of a context: events that were projected now, the position it shows, streams that are parked."""

    events: int
    projected: int
    parked: int


@dataclass(frozen=True)
class ProjectReport:
    """What `project` answers, by context."""

    contexts: Mapping[str, CaughtUp]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"contexts": {context: told._asdict() for context, told in self.contexts.items()}}


def project(site: Site, contexts: Iterable[str] | None, *, retry_parked: bool) -> ProjectReport:
    """Brings the live read models of these contexts (or all) up to the head of the log."""
    wanted, database, settings = chosen(contexts), site.database, site.settings
    doing = "catching up"
    site.tell(doing, 0, 0)
    events = catch_up(
        database,
        wanted,
        retry_parked=retry_parked,
        workers=settings.workers,
        keep=settings.keep_revisions,
        tell=partial(site.tell, doing),
        warn=site.warn,
    )
    found = status_of(database)
    return ProjectReport(
        {context: CaughtUp(done, found[context].projected, found[context].parked) for context, done in events.items()}
    )


def catch_up_all(site: Site) -> None:
    """Brings every context's live read model up to the head of the log, after a use case that has appended to it.

    That is done whatever becomes of this: what another command or version of the program holds up is told, and so are
    streams that are parked on the way.
    """
    doing = "catching the read models up"
    site.tell(doing, 0, 0)
    settings = site.settings
    try:
        catch_up(
            site.as_program,
            workers=settings.workers,
            keep=settings.keep_revisions,
            tell=partial(site.tell, doing),
            warn=site.warn,
        )
    except (Conflicting, NewerVersion, OtherVersion, Unmakeable) as error:
        site.warn(
            f"The read models could not follow. {error} What was recorded stands: replayhouse project shows it later."
        )
    warn_of_parked(site)


def warn_of_parked(site: Site) -> None:
    """Says so if there are streams that could not be folded."""
    with site.as_program.connect("replayhouse status") as connection:
        parked = len(parked_streams(connection))
    if parked:
        site.warn(
            f"Parked, with their rows as they were: {count(parked, 'stream')} that cannot be folded. "
            "replayhouse status shows which and why."
        )
