"""Catching the read models in ClickHouse up with the log. Those in PostgreSQL are neither read nor written."""

from collections.abc import Iterable
from functools import partial

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.places import refuse_other_places
from replayhouse.infra.application.project import CaughtUp, ProjectReport
from replayhouse.infra.application.site import Site
from replayhouse.infra.clickhouse.session import keeping


def project_to(site: Site, to: str, contexts: Iterable[str] | None, *, retry_parked: bool) -> ProjectReport:
    """Brings the read models of these contexts (or all) up to the head of the log there.

    What was never shown there, or by an earlier version of the program, is filled from the first event on. Streams that
    cannot be folded are parked, and told. Raises UsageError, Unreachable, WrongServer and Conflicting.
    """
    refuse_other_places(to)
    wanted, doing = chosen(contexts), "catching ClickHouse up"
    site.tell(doing, 0, 0)
    settings, workers = site.clickhouse, site.settings.workers
    with (
        site.prepare_workers(),
        keeping(site.database, settings, wanted, workers=workers, tell=partial(site.tell, doing)) as keeper,
    ):
        events = keeper.catch_up(retry_parked=retry_parked)
        known = {context: keeper.known[context] for context in wanted}
    for context, told in known.items():
        for stream, parked in told.parked.items():
            site.warn(f"The stream {stream} of {context} cannot be folded, and keeps its rows there: {parked.error}.")
    return ProjectReport(
        {context: CaughtUp(events[context], told.position, len(told.parked)) for context, told in known.items()}
    )
