"""Read models: the star schema is kept up with the log, made anew, compared, and read.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from collections.abc import Iterable
from threading import Event
from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.digest import DigestReport
    from replayhouse.infra.application.follow import FollowReport
    from replayhouse.infra.application.project import ProjectReport
    from replayhouse.infra.application.rebuild import RebuildReport
    from replayhouse.infra.application.revisions import Dropped, Revisions
    from replayhouse.infra.read_models.rebuild.revert import Reverted


class ReadModels(Base):
    """The methods that have to do with read models. `contexts` are some of the contexts, or one; None for all."""

    def project(self, contexts: Iterable[str] | None = None, *, retry_parked: bool = False) -> "ProjectReport":
        """Catches the live read models up with the log.

        A stream that cannot be folded is parked and the others go on; `retry_parked` tries those parked before again.
        Raises NewerVersion or OtherVersion where a newer version of the program has written what is met.
        """
        from replayhouse.infra.application.project import project

        return self._do(project, contexts, retry_parked=retry_parked)

    def follow(
        self, contexts: Iterable[str] | None = None, stop: Event | None = None, *, retry_parked: bool = False
    ) -> "FollowReport":
        """Stays, and keeps the live read models up with the log until `stop` is set, perhaps by another thread.

        Without `stop` it ends by KeyboardInterrupt alone. It waits for a database that goes away meanwhile. Contexts
        that a newer version of the program is at work on are left to that, and told in `stopped`.
        """
        from replayhouse.infra.application.follow import follow

        return self._do(follow, contexts, stop or Event(), retry_parked=retry_parked)

    def rebuild(
        self, contexts: Iterable[str] | None = None, *, workers: int | None = None, reason: str | None = None
    ) -> "RebuildReport":
        """Folds everything again beside the live tables, and swaps the new revisions in, all at once.

        `workers` processes share the work, by default those of the settings; `reason` is noted with the revisions.
        Raises Conflicting while another rebuild is at work, Unfoldable where a stream cannot be folded: the live
        tables are then as they were.
        """
        from replayhouse.infra.application.rebuild import rebuild

        return self._do(rebuild, contexts, workers, reason)

    def digest(self, contexts: Iterable[str] | None = None) -> "DigestReport":
        """Digest and number of rows of each live table, as of one moment. The same log gives the same digests."""
        from replayhouse.infra.application.digest import digest

        return self._do(digest, contexts)

    def revisions(self, contexts: Iterable[str] | None = None) -> "Revisions":
        """The revisions of the read models, and what stands under prefixes."""
        from replayhouse.infra.application.revisions import revisions

        return self._do(revisions, contexts)

    def drop(self, prefix: str) -> "Dropped":
        """Removes the schemas of a prefix.

        Raises UsageError where nothing stands under it, Conflicting while views of others stand on its tables.
        """
        from replayhouse.infra.application.revisions import drop

        return self._do(drop, prefix)

    def revert(self, context: str, to: int | None = None) -> "Reverted":
        """Swaps an earlier revision of a read model in again: the one of that number, or the one that was live last.

        Raises UsageError where there is none that could be, Conflicting while a rebuild is at work.
        """
        from replayhouse.infra.application.revert import revert

        return self._do(revert, context, to)
