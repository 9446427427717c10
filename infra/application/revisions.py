"""What stands beside the live read models: earlier revisions, and read models under prefixes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models import prefixes as beside
from replayhouse.infra.read_models.prefixes import Prefix
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.read_models.rebuild.revisions import ListedRevision, listed


@dataclass(frozen=True)
class Revisions:
    """What `revisions` answers: those of the contexts, the oldest of each first, and what stands under prefixes."""

    revisions: list[ListedRevision]
    prefixes: list[Prefix]

    def document(self) -> list[dict[str, object]]:
        """As JSON shows it: one list of both."""
        of_prefixes = ("position", "as_of", "occurred_before", "source", "made_at", "digest")
        return [revision._asdict() for revision in self.revisions] + [
            {"prefix": prefix.prefix, "contexts": prefix.contexts, "status": "prefix"}
            | {name: getattr(prefix, name) for name in of_prefixes}
            for prefix in self.prefixes
        ]


class Dropped(NamedTuple):
    """What `drop` answers: the prefix whose schemas are gone."""

    prefix: str

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"dropped": self.prefix}


def revisions(site: Site, contexts: Iterable[str] | None) -> Revisions:
    """The revisions of these contexts (or all), and all prefixes."""
    wanted = chosen(contexts)
    with site.database.connect("replayhouse revisions", autocommit=True) as connection:
        prepare(connection)
        return Revisions(listed(connection, wanted), beside.prefixes(connection))


def drop(site: Site, prefix: str) -> Dropped:
    """Removes the schemas of a prefix."""
    with site.database.connect("replayhouse revisions drop", autocommit=True) as connection:
        beside.drop(connection, prefix)
    return Dropped(prefix)
