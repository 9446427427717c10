"""What `ingest` answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.quality.events import FileCount
from replayhouse.infra.loads.batches import Load
from replayhouse.infra.loads.missing_kinds import MissingKind, documents_of_missing
from replayhouse.ingest.assess import SetAside

if TYPE_CHECKING:
    from replayhouse.infra.application.answers_of_record import AnswersMade


@dataclass(frozen=True)
class IngestReport:
    """What `ingest` answers. `events` by context; `status` is completed, unchanged, planned or rejected.

    Of a load that is rejected, or would be, nothing is new, changed or unchanged, and it has no score. `set_aside`
    tells of the files of which records are kept apart, `passed_over` of other files beside them, `loaded_before` of
    the newest load of the same files, where others came after it, the newest of which is `loaded_since`. `answers`
    tells of the answers of record, where those were to be made; `missing_records` of what earlier loads of the source
    brought and the extract lacks, None where a source does not say that its extracts hold everything. `absent` are the
    patterns of optional files of the mapping that none fits.
    """

    batch_id: UUID
    name: str
    status: str
    counts: Mapping[str, FileCount]
    events: Mapping[str, int]
    position: int
    chain: str
    score: float | None
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    passed_over: tuple[str, ...] = ()
    loaded_before: Load | None = None
    loaded_since: Load | None = None
    answers: "AnswersMade | None" = None
    missing_records: tuple[MissingKind, ...] | None = None
    absent: tuple[str, ...] = ()

    @property
    def rows(self) -> dict[str, int]:
        """Records of each of the nine files, quarantined ones too."""
        return {file: sum(of_kind.values()) for file, of_kind in self.kinds.items()}

    @property
    def kinds(self) -> dict[str, dict[str, int]]:
        """How many records of each file are new, changed, unchanged and quarantined."""
        kinds = ("new", "changed", "unchanged", "quarantined")
        return {file: {kind: getattr(counted, kind) for kind in kinds} for file, counted in self.counts.items()}

    def document(self) -> dict[str, object]:
        """As JSON shows it; `reasons` only where there are some, `answers` only where they were asked for.

        So is `missing_records` only of a source whose extracts hold everything, `absent` only where a file is.
        """
        return {
            "batch": self.batch_id,
            "name": self.name,
            "status": self.status,
            "files": {file: {"rows": self.rows[file], **of_kind} for file, of_kind in self.kinds.items()},
            "events": {context: self.events.get(context, 0) for context in CONTEXTS},
            "position": self.position,
            "chain": self.chain,
            "score": self.score,
            **({"reasons": list(self.reasons)} if self.reasons else {}),
            **documents_of_missing(self.missing_records),
            **({"absent": list(self.absent)} if self.absent else {}),
            **({"answers": self.answers._asdict()} if self.answers else {}),
        }
