"""What stands over every page: how far the log is, at which moments it was complete, and whether it was verified."""

from collections.abc import Sequence
from dataclasses import dataclass

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit import verifications
from replayhouse.infra.audit.verifications import Verification
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.loads.load_ends import LoadEnd, load_ends
from replayhouse.infra.read_models import marts_shown


@dataclass(frozen=True)
class Glance:
    """The head of the log; up to which position the live marts show it (None: there are none); the ends of loads.

    `verified` is None where nobody has verified the log yet.
    """

    head: Head
    marts: int | None
    ends: Sequence[LoadEnd]
    verified: Verification | None


def glance(site: Site) -> Glance:
    """Looks, in some milliseconds, and changes nothing."""
    with site.database.connect("replayhouse glance") as conn:
        shown = marts_shown.noted(conn)
        return Glance(
            read_head(conn), None if shown is None else shown.position, load_ends(conn), verifications.latest(conn)
        )
