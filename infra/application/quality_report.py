"""What the rules found in a load: how each of them fared, its score, and the records that were kept apart."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.quality.batch import Batch, batch_of
from replayhouse.domain.quality.rules import RULE, WEIGHTS, Severity
from replayhouse.infra.application.batches import all_batches
from replayhouse.infra.application.seen import seen_at
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.kept_apart import kept_apart_by_rule
from replayhouse.infra.loads.missing_kinds import MissingKind, documents_of_missing, missing_of
from replayhouse.infra.loads.names import load_named
from replayhouse.infra.runtime.errors import Unknown


class NotBegun(Unknown):
    """The moment that is looked at knows nothing of the load yet."""


class Finding(NamedTuple):
    """A rule that records broke: `failed` of `checked`, and the rule in words."""

    rule: str
    failed: int
    checked: int
    sentence: str


class QualityReport(NamedTuple):
    """A load with what the rules found. `quarantine`: by rule, how many records this load was first to keep apart.

    `missing_records` are those that it lacks though earlier loads of its source brought them; None of a source that
    does not say that its extracts hold everything, of a load that has not ended, and to who may not read of loads.
    """

    batch_id: UUID
    batch: Batch
    quarantine: Mapping[str, int]
    missing_records: tuple[MissingKind, ...] | None = None

    @property
    def score(self) -> Decimal | None:
        """None of a load that was rejected: what could be checked of it says little about the rest."""
        return None if self.batch.status == "rejected" else self.batch.score

    @property
    def findings(self) -> list[Finding]:
        """What records broke: the graver first, then the more frequent."""
        broken = sorted(
            (check for check in self.batch.checks if check.failed),
            key=lambda check: (-WEIGHTS[Severity(check.severity)], -check.failed, check.rule),
        )
        return [
            Finding(check.rule, check.failed, check.checked, sentence(check.rule) or check.rule) for check in broken
        ]

    @property
    def broken(self) -> int:
        """How many rules records broke."""
        return sum(check.failed > 0 for check in self.batch.checks)

    @property
    def missed(self) -> int:
        """Of how many rules the target was missed."""
        return sum(not check.passed for check in self.batch.checks)

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        batch = self.batch
        return {
            "batch": self.batch_id,
            "name": batch.name,
            "status": batch.status,
            "opened_at": batch.opened_at,
            "score": self.score,
            "rows": batch.rows,
            "quarantined": batch.quarantined,
            "reasons": batch.reasons,
            "checks": [
                {
                    "rule": check.rule,
                    "sentence": sentence(check.rule),
                    "dimension": check.dimension,
                    "severity": check.severity,
                    "checked": check.checked,
                    "failed": check.failed,
                    "passed": check.passed,
                }
                for check in batch.checks
            ],
            "quarantine": self.quarantine,
            **documents_of_missing(self.missing_records),
        }


def quality_report(site: Site, batch: str | None, at: str | None = None) -> QualityReport:
    """The report of the load with that id or name, by default of the newest, as a moment shows it.

    Raises Unknown where there is no such load, of which NotBegun where the moment does not know it yet.
    """
    with site.as_reader.connect("replayhouse quality") as connection:
        batch_id = load_named(connection, batch) if batch is not None else _newest(connection)
        up_to = seen_at(connection, at, None).position
        stream = EventStore().streams(connection, "quality", [batch_id], up_to).get(batch_id)
        told = batch_of(stream.effective_events) if stream is not None else None
        if told is None and at is not None:
            raise NotBegun(f"The load {batch_id} had not begun at position {up_to:,}.")
        if told is None or not told.is_opened:
            raise Unknown(f"There is no load {batch_id}: replayhouse batches lists them all.")
        return QualityReport(batch_id, told, kept_apart_by_rule(connection, batch_id), missing_of(connection, batch_id))


def _newest(connection: psycopg.Connection) -> UUID:
    loads = all_batches(connection)
    if not loads:
        raise Unknown("There is no load yet: ingest an extract first (replayhouse ingest PATH).")
    return loads[-1].batch_id


def sentence(rule: str) -> str | None:
    """A rule in words; None of one that this version does not know."""
    return RULE[rule].sentence if rule in RULE else None
