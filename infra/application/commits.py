"""The log as a whole: its head, its commits, and what the last verification of it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from replayhouse.infra.application.seen import seen_at
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit import verifications
from replayhouse.infra.audit.proofs import store_id
from replayhouse.infra.audit.verifications import Verification
from replayhouse.infra.event_store.commits import Commit, count_after, newest_before
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.loads.names import NameAndSource, names_of
from replayhouse.infra.runtime.errors import UsageError


class NamedCommit(NamedTuple):
    """A commit with the name and the source of the load that it is of, or the name of whatever else appended it."""

    commit: Commit
    load: str | None
    source: str | None

    @property
    def events(self) -> int:
        """How many events were appended at once."""
        return self.commit.last - self.commit.first + 1

    def document(self) -> dict[str, Any]:
        """As JSON shows it; of a commit that has a `flaw` there is nothing more to say than where it ends."""
        commit = self.commit
        if commit.flaw is not None:
            return {"last": commit.last, "flaw": commit.flaw}
        return {
            "first": commit.first,
            "last": commit.last,
            "events": self.events,
            "batch": commit.batch_id,
            "load": self.load,
            "source": self.source,
            "recorded_at": commit.recorded_at,
            "root": commit.root.hex(),
            "chain": commit.chain.hex(),
            "flaw": None,
        }


@dataclass(frozen=True)
class Commits:
    """The head of the log as it is, and some of its commits, the newest first; `number` is how many there are in all.

    `up_to` is the position up to which the moment sees the log. `before`: commits that end before this position come
    next; None where there are no more. `verified` is None where nobody has looked yet. `has_key`: whether the key that
    signs checkpoints is there.
    """

    store: UUID
    head: Head
    up_to: int
    commits: Sequence[NamedCommit]
    number: int
    before: int | None
    verified: Verification | None
    has_key: bool

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        head, verified = self.head, self.verified
        return {
            "store": self.store,
            "head": {"position": head.position, "recorded_at": head.recorded_at, "chain": head.chain.hex()},
            "verified": None if verified is None else {**verified._asdict(), "holds": verified.reason is None},
            "number": self.number,
            "commits": [commit.document() for commit in self.commits],
            "before": self.before,
        }


def commits(site: Site, at: str | None, before: int | None, limit: int) -> Commits:
    """The commits that end before a position, of those that a moment shows.

    Raises UsageError for what is no moment, or no limit; Rejected where the log has no head any more.
    """
    if limit < 1:
        raise UsageError(f"The limit is {limit:,}: it must be 1 or more.")
    with site.as_reader.connect("replayhouse log", autocommit=True) as connection, connection.transaction():
        head, up_to = read_head(connection), seen_at(connection, at, None).position
        site.narrow(connection)
        end = up_to + 1 if before is None else min(up_to + 1, before)
        found = newest_before(connection, end, limit + 1)
        shown = found[:limit]
        names = names_of(connection, {commit.batch_id for commit in shown if commit.batch_id is not None})
        return Commits(
            store_id(connection),
            head,
            up_to,
            [_named(commit, names) for commit in shown],
            count_after(connection, 0),
            shown[-1].last if len(found) > limit else None,
            verifications.latest(connection),
            site.settings.signing_key_path.exists(),
        )


def _named(commit: Commit, names: Mapping[UUID, NameAndSource]) -> NamedCommit:
    found = names.get(commit.batch_id) if commit.batch_id else None
    return NamedCommit(commit, None, None) if found is None else NamedCommit(commit, *found)
