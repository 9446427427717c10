"""Rebuilding the live read models: everything is folded again, and swapped in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.own_segments import own_segments
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models.rebuild.rebuild import rebuild as fold_again
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.runtime.given_texts import recordable


@dataclass(frozen=True)
class RebuildReport:
    """What `rebuild` answers, by context."""

    contexts: Mapping[str, Rebuilt]

    @property
    def events(self) -> int:
        """How many events were folded, of all contexts together."""
        return sum(rebuilt.events for rebuilt in self.contexts.values())

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"contexts": {context: rebuilt.as_json() for context, rebuilt in self.contexts.items()}}


def rebuild(site: Site, contexts: Iterable[str] | None, workers: int | None, reason: str | None) -> RebuildReport:
    """Folds every stream of these contexts (or all) into next revisions, and swaps them in all at once."""
    why = None if reason is None else recordable(reason)
    wanted, settings, doing = chosen(contexts), site.settings, "folding every stream again"
    with site.prepare_workers(workers):
        database = site.database
        site.tell(doing, 0, 0)
        found = fold_again(
            database,
            wanted,
            workers or settings.workers,
            reason=why,
            keep=settings.keep_revisions,
            tell=partial(site.tell, doing),
            warn=site.warn,
            segments=own_segments(site),
        )
    return RebuildReport(found)
