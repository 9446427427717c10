"""Working through the plan of a load: families are decided on, and appended chunk by chunk.

A chunk is one transaction. Killed at any point and started again, a unit goes on after its last chunk, and what it
decides is the same: a family stands in one chunk, and everything it is held against stands in its own streams.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import TypeVar
from uuid import UUID

from replayhouse.ingest.decision import Decision, Known
from replayhouse.ingest.ports import Chunk, Due, LoadLog, StagedWork, Unit
from replayhouse.ingest.translate.catalogue import decide_area, decide_category, decide_product, decide_seller
from replayhouse.ingest.translate.person import decide_person, lapse
from replayhouse.ingest.work import AreaWork, CategoryWork, Family, PersonWork, ProductWork

EVENTS_A_CHUNK = 15_000
"""A chunk is appended once it holds so many events, so that others wait for the log but a moment."""

FAMILIES_AT_ONCE = 1_000
"""So many families are looked up in the log together."""

LAPSED_AT_ONCE = 5_000
"""So many lapsed persons are evaluated, and appended, together."""

Item = TypeVar("Item")


def work_through(
    unit: Unit, work: StagedWork, log: LoadLog, as_of: date | None, seller_zips: Mapping[UUID, str]
) -> int:
    """Decides and appends what is left of a unit; returns how many events that were."""
    progress = log.progress(unit)
    if progress.is_done:
        return 0
    appended = 0
    chunk = Chunk(unit, progress.next_part, progress.after, unit.end)
    merged = Known()
    for batch in batched(work.families(unit, progress.after), FAMILIES_AT_ONCE):
        known, reviews = log.known([family for _, family in batch])
        merged = merged.with_streams_of(known)
        for place, family in batch:
            chunk.decisions += decide(family, known, seller_zips, reviews, as_of, chunk.due)
            if len(chunk.decisions) >= EVENTS_A_CHUNK:
                chunk.up_to = place
                appended += log.append(chunk, merged)
                chunk = Chunk(unit, chunk.part + 1, place, unit.end)
                merged = known
    return appended + log.append(chunk, merged)


def decide(
    family: Family,
    known: Known,
    seller_zips: Mapping[UUID, str],
    reviews: Mapping[UUID, list[UUID]],
    as_of: date | None,
    due: list[Due],
) -> list[Decision]:
    """The decisions on a family; whose date of lapsing changed is added to `due`."""
    if isinstance(family, PersonWork):
        decided = decide_person(family, known, seller_zips, reviews, as_of)
        if decided.due_changed and family.customer_id is not None:
            due.append(Due(family.customer_id, decided.due))
        return decided.decisions
    if isinstance(family, ProductWork):
        return decide_product(family, known)
    if isinstance(family, CategoryWork):
        return decide_category(family, known)
    if isinstance(family, AreaWork):
        return decide_area(family, known)
    return decide_seller(family, known)


def evaluate_the_lapsed(log: LoadLog, as_of: date | None) -> int:
    """The last step of a load: persons whom it does not show, but who have not bought for long (R33).

    Nobody where there is no date to evaluate as of.
    """
    appended = 0
    if as_of is None:
        return appended
    while customer_ids := log.due_customers(as_of, LAPSED_AT_ONCE):
        known = log.known_customers(customer_ids)
        decided = [(customer_id, lapse(customer_id, known, as_of)) for customer_id in customer_ids]
        decisions = [decision for _, lapsed in decided for decision in lapsed.decisions]
        appended += log.append_lapsed(
            decisions, [Due(customer_id, lapsed.due) for customer_id, lapsed in decided], known
        )
    return appended


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items each, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def numbered(decisions: Iterable[Decision], known: Known) -> Iterator[tuple[Decision, int]]:
    """Each decision with its version: the streams go on where the log has them."""
    versions: dict[str, dict[int, int]] = {}  # by the number of the id: a UUID computes its hash in Python
    for decision in decisions:
        context, stream_id, _, _ = decision
        of_context = versions.get(context)
        if of_context is None:
            of_context = versions[context] = {}
        stream = stream_id.int
        version = of_context.get(stream)
        version = (known.last_version(context, stream_id) if version is None else version) + 1
        of_context[stream] = version
        yield decision, version


def units_of(sizes: Mapping[int, int], events_a_unit: int = EVENTS_A_CHUNK) -> list[Unit]:
    """Neighbouring buckets put together until they hold about a chunk's worth of events.

    `sizes` maps buckets to events, estimated. Every bucket from 0 to 255 is in one unit.
    """
    units: list[Unit] = []
    first, events = 0, 0
    for bucket in range(256):
        size = sizes.get(bucket, 0)
        if events and events + size > events_a_unit:
            units.append(Unit(first, bucket - 1))
            first, events = bucket, 0
        events += size
    units.append(Unit(first, 255))
    return units
