"""Digests of the live read models: by them it is seen that two of them show the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models.digests import ContextDigest, digests


@dataclass(frozen=True)
class DigestReport:
    """What `digest` answers, by context."""

    contexts: Mapping[str, ContextDigest]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"contexts": {context: found.as_json() for context, found in self.contexts.items()}}


def digest(site: Site, contexts: Iterable[str] | None) -> DigestReport:
    """The digest and number of rows of each live table of these contexts (or all), as of one moment."""
    return DigestReport(digests(site.database, chosen(contexts)))
