"""Deciding on persons of one shape at once: the decisions of `ingest.translate.person`, run on columns.

Where persons of a shape turn out to differ (Split), they are parted and decided anew, which is safe, for decisions are
pure. Where a column cannot do what a decision asks of it, or a record makes no sense, the persons go one by one: then
whatever is wrong is told of the one that it is of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.columns.shapes import parts_by
from replayhouse.infra.columns.values import Array, Split, Texts
from replayhouse.infra.loads import on_columns
from replayhouse.infra.loads.on_columns.staged_persons import StagedPersons
from replayhouse.infra.runtime.column_folds import Counts, described, note
from replayhouse.ingest.decision import Known
from replayhouse.ingest.translate.person import decide_person

PERSONS = "persons"
"""What is decided here, as it is noted how that went."""

MOST_PARTS = 200
"""Into more parts no shape is parted: what is left of it goes one by one."""


class Many(NamedTuple):
    """An event of each person of a shape: a column wherever they differ, `version` being the same for all."""

    context: str
    stream_id: Any
    version: int
    event: DomainEvent
    source: Any


@dataclass(frozen=True)
class ShapeDecided:
    """What was decided on the persons of a shape, in the order of the events of each; `due` as in PersonDecided."""

    persons: Array
    events: list[Many]
    customer_id: Any
    due_changed: bool
    due: Any


class ZipsOfSellers:
    """The zip prefix of each seller, `plain` or to be asked for a column of sellers."""

    def __init__(self, zips: Mapping[UUID, str]) -> None:
        self.plain = zips
        ids = np.array([str(seller).encode() for seller in zips], "S36")
        order = np.argsort(ids)
        self._ids = ids[order]
        self._zips = np.array(list(zips.values()), object)[order]

    def get(self, seller: Any) -> Any:
        """The zip prefix, or None where there is no such seller. Raises Split where there is one of some only."""
        if not len(self._ids):
            return None
        at = np.minimum(np.searchsorted(self._ids, seller.values), len(self._ids) - 1)
        is_known = self._ids[at] == seller.values
        if is_known.all():
            return Texts(self._zips[at])
        if is_known.any():
            raise Split(is_known)
        return None


def decide_shapes(
    staged: StagedPersons, are_new: Array, zips: ZipsOfSellers, as_of: date | None
) -> tuple[list[ShapeDecided], list[int]]:
    """The decisions on persons of whom the log knows nothing, by shape; and the persons that are to go one by one.

    `are_new` tells of each person whether they are of the former. Raises MemoryError: fewer persons may be decided at
    once.
    """
    decided: list[ShapeDecided] = []
    alone: list[int] = np.flatnonzero(~are_new).tolist()
    counts = Counts()
    for shape in staged.shapes(are_new):
        parts, made = [shape], 0
        while parts:
            persons = parts.pop()
            if len(persons) < on_columns.FEW or made > MOST_PARTS:
                alone += persons.tolist()
                counts += Counts(few=len(persons))
                continue
            counts += Counts(runs=1)
            try:
                decided.append(_decide(staged, persons, zips, as_of))
                counts += Counts(len(persons))
            except Split as split:
                parts += parts_by(split.labels, persons)
                made += 1
            except MemoryError:  # no fault of theirs
                raise
            except Exception as error:  # whatever it is: one by one it is told, and of whom
                alone += persons.tolist()
                counts += Counts(beyond=len(persons), error=described(error))
    note(PERSONS, counts)
    return decided, alone


def _decide(staged: StagedPersons, persons: Array, zips: Any, as_of: date | None) -> ShapeDecided:
    work = staged.work(persons)
    decided = decide_person(work, Known(), zips, {}, as_of)
    versions: dict[tuple[str, Any], int] = {}
    events = []
    for context, stream_id, event, source in decided.decisions:
        version = versions[context, stream_id] = versions.get((context, stream_id), 0) + 1
        events.append(Many(context, stream_id, version, event, source))
    return ShapeDecided(persons, events, work.customer_id, bool(decided.due_changed), decided.due)
