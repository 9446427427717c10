"""The segments of its log that a warehouse keeps in its home, for rebuilds, where that is wanted."""

from typing import TYPE_CHECKING

from replayhouse.infra.application.site import Site

if TYPE_CHECKING:
    from replayhouse.infra.sealed_log.own_segments import OwnSegments


def own_segments(site: Site) -> "OwnSegments | None":
    """Those of the home; None where they are not wanted (REPLAYHOUSE_SEGMENTS)."""
    if site.settings.segments == "off":
        return None
    from replayhouse.infra.sealed_log.own_segments import OwnSegments  # and with it Arrow

    return OwnSegments(site.settings.home, site.warn)
