"""Filling the read models in ClickHouse anew: everything is folded again, and swapped in there."""

from collections.abc import Iterable
from functools import partial

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.places import refuse_other_places
from replayhouse.infra.application.rebuild import RebuildReport
from replayhouse.infra.application.site import Site
from replayhouse.infra.clickhouse.session import keeping


def rebuild_to(
    site: Site, to: str, contexts: Iterable[str] | None, workers: int | None, *, withhold_personal: bool
) -> RebuildReport:
    """Folds every stream of these contexts (or all) into new tables there, which take the place of those that stand.

    With `withhold_personal`, without the personal fields; what follows the log keeps to that. Raises Unfoldable where a
    stream cannot be folded, ReplayhouseError where ClickHouse does not have what it was sent: what stood, stands.
    """
    refuse_other_places(to)
    wanted, doing = chosen(contexts), "folding every stream into ClickHouse"
    site.tell(doing, 0, 0)
    with (
        site.prepare_workers(workers),
        keeping(
            site.database,
            site.clickhouse,
            wanted,
            workers=workers or site.settings.workers,
            is_withheld=withhold_personal,
            tell=partial(site.tell, doing),
        ) as keeper,
    ):
        return RebuildReport(keeper.rebuild())
