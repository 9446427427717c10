"""One event of the log: what it says, of what thing, and how its hash leads to the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from replayhouse.infra.application.access import noted
from replayhouse.infra.application.seen import seen_at
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.documents import DoesNotHold
from replayhouse.infra.audit.history import HistoricEvent, history_of_stream
from replayhouse.infra.audit.inclusion import Proof, leaf, steps_of
from replayhouse.infra.audit.kinds import HistoryKind, kind_of
from replayhouse.infra.audit.lineage.sources import Cited, cited_by
from replayhouse.infra.audit.proofs import proof_in_commit
from replayhouse.infra.event_store.commits import count_after
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.event_store.merkle import Step
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY


@dataclass(frozen=True)
class LoggedEvent:
    """An event, and the proof that it stands in its commit, which was recomputed from what the log holds now.

    `personal` are the facts that may identify a person. `kind` and `key` name the thing that it is about, where that is
    one with a history; `later` counts the commits between its own and the head. `is_seen` tells whether the moment
    that was asked for shows it.
    """

    event: HistoricEvent
    personal: frozenset[str]
    kind: HistoryKind | None
    key: UUID
    proof: Proof
    later: int
    head: Head
    is_seen: bool

    @property
    def leaf(self) -> bytes:
        """The hash of all that the log says of the event."""
        return leaf(self.proof.event)

    @property
    def steps(self) -> Sequence[Step]:
        """How the leaf leads to the root of the commit."""
        return steps_of(self.proof)

    @property
    def cited(self) -> Sequence[Cited]:
        """The lines that caused it, file by file."""
        return cited_by(self.event.source)

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        commit = self.proof.commit
        return {
            **self.event.document(),
            "load": self.event.batch_name,
            "kind": self.kind,
            "key": self.key,
            "leaf": self.leaf.hex(),
            "path": [
                {"side": "left" if step.is_left else "right", "hash": step.beside.hex(), "makes": step.node.hex()}
                for step in self.steps
            ],
            "commit": {
                "first": commit.first_position,
                "last": commit.last_position,
                "recorded_at": commit.recorded_at,
                "root": commit.root,
                "chain_before": self.proof.chain_before,
                "chain": self.proof.head.chain,
            },
            "later_commits": self.later,
            "head": {"position": self.head.position, "chain": self.head.chain.hex()},
        }


def event(site: Site, position: int, at: str | None) -> LoggedEvent:
    """The event at a position, whatever moment is looked at, its hashes recomputed up to its commit.

    What is shown in clear is noted in the access log first; to those who may not see it, it stays sealed. Raises
    Unknown where there is no such position, UsageError for what is no moment, DoesNotHold where the log does not
    hold there, LostKeys where personal fields can be neither shown nor said to be erased.
    """
    with site.database.connect("replayhouse log", autocommit=True) as connection:
        proof = proof_in_commit(connection, position)
        proved = proof.event
        personal = frozenset(personal_fields(REGISTRY.event_type_of(proved.topic)))
        reveals = bool(personal) and noted(
            site,
            "log",
            f"the event at position {position}",
            [proved.originator_id],
            is_record=proved.context == "quality",
        )
        stream = history_of_stream(connection, proved.context, proved.originator_id, reveals=reveals)
        found = next((one for one in stream if one.position == position), None)
        if found is None:
            raise DoesNotHold(f"The log was changed while position {position:,} was read: ask again.")
        kind = kind_of(stream[0].topic)
        key = UUID(stream[0].facts["review_id"]) if kind is HistoryKind.REVIEW else found.stream
        later = count_after(connection, proof.commit.last_position)
        is_seen = at is None or _is_seen(site, position, at)
        return LoggedEvent(found, personal, kind, key, proof, later, read_head(connection), is_seen)


def _is_seen(site: Site, position: int, at: str) -> bool:
    """Whether a moment shows the position. What stands for moments, others know than who reads the log alone."""
    with site.as_reader.connect("replayhouse log", autocommit=True) as connection:
        return position <= seen_at(connection, at, None).position
