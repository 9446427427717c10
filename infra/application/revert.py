"""Going back to an earlier revision of a read model."""

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models.rebuild.revert import Reverted
from replayhouse.infra.read_models.rebuild.revert import revert as swap_back


def revert(site: Site, context: str, to: int | None) -> Reverted:
    """Makes an earlier revision of a context live again, brought up to date; by default the one that was live last."""
    [wanted] = chosen([context])
    database = site.database
    site.tell("bringing the earlier revision up to date", 0, 0)
    return swap_back(database, wanted, to, keep=site.settings.keep_revisions, warn=site.warn)
