"""A sealed log folded into Parquet by the processes of this machine, or by whatever engine takes the parts of it.

Killed at any moment it leaves what counted before, and the next one removes what it had written.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.replaying.folding import Folded, FoldedTable, fold_range, member_rows
from replayhouse.infra.replaying.keys import KeysFrom
from replayhouse.infra.replaying.manifest import KIND, ContextRows, LimitsMet, RowsManifest, table_rows
from replayhouse.infra.replaying.output import Output
from replayhouse.infra.replaying.parts import EVENTS_A_PART, MEMBERS, Part, file_name, parts_of
from replayhouse.infra.replaying.row_files import RowsWriter
from replayhouse.infra.runtime.crews import crew
from replayhouse.infra.sealed_log.reader import SealedLog
from replayhouse.infra.telemetry.spans import Work, brought, span, traced
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.warehouse import PROJECTIONS

_ONE_DIED = (
    "A process of the replay ended unexpectedly, perhaps for want of memory. Nothing that was written counts: run it "
    "again, with fewer --workers."
)

_ATTEMPTS = 10**15

Parts = Callable[[int, int], None]
"""Takes how many of how many parts of the work are done."""


@dataclass(frozen=True)
class Job:
    """What is to be folded: some contexts of a log up to its position, and with which keys; None: they are withheld.

    Can be sent to other processes.
    """

    log: SealedLog
    contexts: Sequence[str]
    limits: LimitsMet
    keys: KeysFrom | None


class Engine(Protocol):
    """Folds parts, wherever that is, and hands out what came of each."""

    def __call__(self, job: Job, parts: Sequence[Part], folder: Path) -> Iterator[Folded]:
        """Each part once, in whatever order; `fold_range` has written the files of each to the folder."""
        ...


def replay(job: Job, output: Output, engine: Engine, tell: Parts) -> RowsManifest:
    """Folds all of it into the output, and finishes that. Raises Unfoldable, NewerVersion, InputError, LostKeys."""
    events = dict.fromkeys(job.contexts, 0)
    tables = {context: _members(output, context) for context in job.contexts}
    parts = parts_of(job.log, job.contexts, output.run, job.limits.occurred_before, EVENTS_A_PART)
    tell(0, len(parts))
    for done, folded in enumerate(engine(job, parts, output.folder), start=1):
        context = folded.part.context
        events[context] += folded.events
        for name, table in folded.tables.items():
            tables[context][name] += table
        tell(done, len(parts))
    manifest = _manifest(job, events, tables)
    output.finish(manifest)
    return manifest


def fold_part(job: Job, folder: Path, part: Part, attempt: int | None = None) -> Folded:
    """Folds a part into files of the folder, with the keys of the job: what a task of an engine does.

    A part may be begun twice: each `attempt` has files of its own, by a number drawn here where none is given. Raises
    what `fold_range` raises.
    """
    if attempt is None:
        attempt = secrets.randbelow(_ATTEMPTS)
    with ExitStack() as stack:
        keys_of = None if job.keys is None else stack.enter_context(job.keys.opened())
        return fold_range(job.log, replace(part, attempt=attempt), folder, keys_of)


def _members(output: Output, context: str) -> dict[str, FoldedTable]:
    """The rows that no stream makes, written once, and nothing of the other tables."""
    found = {table.name: FoldedTable() for table in PROJECTIONS[context].tables}
    for rows in member_rows(context):
        name = f"{context}/{rows.table}/{file_name(output.run, MEMBERS)}"
        writer = RowsWriter(output.folder, name, rows.batch.schema)
        writer.write(rows.batch)
        found[rows.table] = FoldedTable(rows.digest, (writer.finish(),))
    return found


def _manifest(job: Job, events: dict[str, int], tables: dict[str, dict[str, FoldedTable]]) -> RowsManifest:
    chain = job.log.chain
    return RowsManifest(
        format=KIND.format,
        program=version("replayhouse"),
        store=job.log.store,
        position=job.log.position,
        chain=None if chain is None else chain.hex(),
        limits=job.limits,
        personal="withheld" if job.keys is None else "in clear",
        withheld=personal_tables(job.contexts) if job.keys is None else (),
        contexts={
            context: ContextRows(
                events[context],
                PROJECTIONS[context].version,
                PROJECTIONS[context].fingerprint,
                {name: table_rows(table) for name, table in of_context.items()},
            )
            for context, of_context in tables.items()
        },
    )


def personal_tables(contexts: Iterable[str]) -> tuple[str, ...]:
    """The tables of some contexts that show personal fields of events."""
    return tuple(
        f"{context}.{table.name}"
        for context in contexts
        for table in PROJECTIONS[context].tables
        if personal_columns(table)
    )


class Pool:
    """The engine that every machine has: so many processes, each with a part at a time."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def __call__(self, job: Job, parts: Sequence[Part], folder: Path) -> Iterator[Folded]:
        """Raises ReplayhouseError where a process dies."""
        make = partial(_Folder, job.log, job.keys, folder)
        with crew(min(self._processes, len(parts)), traced(make), _ONE_DIED) as at_work:
            for _, folded in brought(at_work.do(parts)):
                yield folded


class _Folder:
    """A worker: folds parts one after the other, and looks keys up on a connection of its own."""

    def __init__(self, log: SealedLog, keys: KeysFrom | None, folder: Path) -> None:
        self._log = log
        self._folder = folder
        self._open = ExitStack()
        self._keys_of: KeysOf | None = None if keys is None else self._open.enter_context(keys.opened())

    def do(self, task: Part) -> Folded:
        """Folds a part into files of the folder."""
        with span(Work.REPLAY_PART):
            return fold_range(self._log, task, self._folder, self._keys_of)

    def close(self) -> None:
        """Ends the connection."""
        self._open.close()
