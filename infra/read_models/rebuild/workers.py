"""What every rebuild shares, whatever becomes of the tables: the work cut into ranges, and the processes that do it.

The tables that are filled stand beside the live ones; nothing here looks at those.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.infra.read_models.digests import tables_as_json
from replayhouse.infra.read_models.rebuild.range_loader import Finish, Loader, Range, Task, ranges
from replayhouse.infra.read_models.rebuild.taken_over import Standing, TakeOver
from replayhouse.infra.read_models.schema import Model
from replayhouse.infra.read_models.stream_source import LOG, Source
from replayhouse.infra.read_models.windows import events_of
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.infra.runtime.crews import crew
from replayhouse.infra.telemetry.spans import brought, traced
from replayhouse.projections.digest import NOTHING, Digest, digest_of
from replayhouse.projections.projection import Rows

if TYPE_CHECKING:
    from replayhouse.infra.sealed_log.own_segments import OwnSegments
    from replayhouse.infra.sealed_log.reader import SealedLog

_EVENTS_A_RANGE = 25_000
_MOST_RANGES = 64
_EVENTS_WORTH_A_PROCESS = 30_000  # a process that is not forked takes half a second to start

_EVENTS_AS_DEAR_AS_ONE_FOLDED = 8  # so many of them, if their rows are taken over

_ONE_DIED = (
    "A process of the rebuild ended unexpectedly, perhaps for want of memory. The live read models stay as they were: "
    "run it again, with fewer --workers."
)

Parts = Callable[[int, int], None]
"""Takes how many of how many parts of the work are done."""


def untold(done: int, of: int) -> None:
    """For where nobody asks how far it is."""


@dataclass
class Rebuilt:
    """What came of a context: its new revision, the position it shows, how much was folded, its tables' digests.

    `revision` is None where the tables stand under a prefix. `differed` names the live tables whose rows were not what
    the log makes; None where nobody could tell. `counts` tells what was folded on columns.
    """

    revision: int | None
    position: int
    events: int = 0
    seconds: float = 0.0
    tables: dict[str, Digest] = field(default_factory=dict)
    differed: list[str] | None = None
    counts: Counts = field(default_factory=Counts)

    def as_json(self) -> dict[str, Any]:
        """As `rebuild --json` prints it: `differed` only where there is something to tell."""
        return {
            "revision": self.revision,
            "position": self.position,
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "tables": tables_as_json(self.tables),
            "columns": self.counts.as_json(),
            **({"differed": self.differed} if self.differed else {}),
        }


def sealed_log(database: Database, segments: "OwnSegments | None") -> AbstractContextManager["SealedLog | None"]:
    """The log as it is sealed, for the time of the block; None where there are no segments, or not to be read."""
    return nullcontext() if segments is None else segments.up_to_date(database)


def load_all(
    database: Database,
    conn: psycopg.Connection,
    models: Sequence[Model],
    built: Mapping[str, Rebuilt],
    workers: int,
    occurred_before: datetime | None = None,
    source: Source = LOG,
    tell: Parts = untold,
    standing: Mapping[str, Standing] | None = None,
    with_digests: bool = True,
    sealed: "SealedLog | None" = None,
) -> None:
    """Fills new tables (their unknown members are in, their keys off) with all streams up to the positions of `built`.

    With `occurred_before`, a local time, with what had happened by then. What is shown is told in `built`, by context.
    Of contexts with live tables that are `standing`, only touched streams are folded, and the rows of the others are
    taken over; their digests are not taken unless that is wanted. What is folded whole comes from where the log is
    `sealed`, if it is. The tables of a context are finished as soon as its
    last range is in, and linked when all are. Raises Unfoldable, ReplayhouseError where a process dies, and InputError
    where a file of the sealed log cannot be read.
    """
    started, finished = time.monotonic(), 0
    taken_over = standing or {}
    tasks, left, events = _planned(conn, models, built, occurred_before, source, taken_over, with_digests, sealed)
    of = sum(left.values()) + sum(len(built[model.projection.context].tables) for model in models)
    tell(finished, of)
    by_context = {model.projection.context: model for model in models}
    with crew(processes_for(workers, events), traced(partial(Loader, database, sealed)), _ONE_DIED) as at_work:
        for done, loaded in brought(at_work.do(tasks)):
            finished += 1
            tell(finished, of)
            if loaded is not None:
                rebuilt = built[done.context]
                if done.context not in taken_over:
                    rebuilt.events += loaded.events
                rebuilt.counts += loaded.counts
                for name, digest in loaded.tables.items():
                    rebuilt.tables[name] += digest
                left[done.context] -= 1
                if left[done.context] == 0:
                    for task in _finishes(by_context[done.context], rebuilt):
                        at_work.add(task)
            built[done.context].seconds = time.monotonic() - started
    for model in models:
        model.link(conn)


def _planned(
    conn: psycopg.Connection,
    models: Sequence[Model],
    built: Mapping[str, Rebuilt],
    occurred_before: datetime | None,
    source: Source,
    standing: Mapping[str, Standing],
    with_digests: bool,
    sealed: "SealedLog | None",
) -> tuple[list[Task], dict[str, int], int]:
    """What there is to do at first, how many parts of each context that is, and how many events it is worth in all."""
    tasks: list[Task] = []
    left: dict[str, int] = {}
    total = 0
    for model in models:
        context, position = model.projection.context, built[model.projection.context].position
        built[context].tables = unknown_members(model)
        if occurred_before is not None and not model.projection.has_business_time:
            tasks += _finishes(model, built[context])
            continue
        if context in standing:
            known = standing[context]
            built[context].events = known.events
            of_context = _taken_over(model, position, known, with_digests)
            total += known.folded + known.events // _EVENTS_AS_DEAR_AS_ONE_FOLDED
        elif sealed is not None:
            of_context = _sealed_ranges(model, position, occurred_before, sealed)
            total += sealed.events_in(context, position)
        else:
            events = events_of(conn, context, position, source)
            of_context = list(ranges(context, model.schema, position, parts_of(events), occurred_before, source))
            total += events
        left[context] = len(of_context)
        tasks += of_context
    return tasks, left, total


def _sealed_ranges(model: Model, position: int, occurred_before: datetime | None, sealed: "SealedLog") -> list[Task]:
    """The whole of a context, cut where its files are; of one without events, one range with nothing in it."""
    context, log = model.projection.context, sealed.up_to(position)
    size = max(_EVENTS_A_RANGE, log.events_in(context) // _MOST_RANGES)
    return [
        Range(context, model.schema, low, high, position, occurred_before)
        for low, high in log.ranges(context, size) or [(UUID(int=0), UUID(int=2**128 - 1))]
    ]


def _taken_over(model: Model, position: int, standing: Standing, with_digests: bool) -> list[Task]:
    """What is to be taken over, and what is to be folded beside it."""
    context = model.projection.context
    tasks: list[Task] = [TakeOver(context, model.schema, name, standing, with_digests) for name in model.tables]
    tasks += ranges(context, model.schema, position, parts_of(standing.folded), touched=standing.touched)
    return tasks


def processes_for(workers: int, events: int) -> int:
    """How many of so many processes it is worth to start for so many events."""
    return min(workers, 1 + events // _EVENTS_WORTH_A_PROCESS)


def parts_of(events: int) -> int:
    """Into how many parts so many events are cut."""
    return max(1, min(_MOST_RANGES, events // _EVENTS_A_RANGE))


def _finishes(model: Model, rebuilt: Rebuilt) -> list[Finish]:
    context = model.projection.context
    return [Finish(context, model.schema, name, digest.rows) for name, digest in rebuilt.tables.items()]


def unknown_members(model: Model) -> dict[str, Digest]:
    """The digests of new tables as they were made."""
    found = dict.fromkeys((table.name for table in model.projection.tables), NOTHING)
    found.update(digests_of(model, [model.projection.unknown_members]))
    return found


def digests_of(model: Model, streams: Iterable[Rows]) -> dict[str, Digest]:
    """By table, the digest of the rows of some streams."""
    rows: Rows = defaultdict(list)
    for of_stream in streams:
        for name, of_table in of_stream.items():
            rows[name] += of_table
    return {name: digest_of(line_writer(model.projection_table(name)).lines(of)) for name, of in rows.items()}
