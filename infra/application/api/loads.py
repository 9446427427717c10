"""Loads: extracts come in, are listed, judged and taken back.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.batches import Batch
    from replayhouse.infra.application.demo import DemoReport
    from replayhouse.infra.application.ingest_report import IngestReport
    from replayhouse.infra.application.load_details import LoadDetails
    from replayhouse.infra.application.retract import RetractReport
    from replayhouse.infra.sources.kept_mappings import KeptMapping


class Loads(Base):
    """The methods that have to do with loads."""

    def ingest(
        self,
        path: str | PathLike[str],
        name: str | None = None,
        *,
        source: str | PathLike[str] | None = None,
        dry_run: bool = False,
        project: bool = True,
        answers: bool = False,
    ) -> "IngestReport":
        """Loads an extract, a folder or zip with some of the nine files, and catches the read models up.

        `name`: what the load is called, by default as the path is. `source`: of an extract of another shape, the folder
        of the mapping that makes records of it, or the name of a shipped one. `dry_run`: appends nothing, and says what
        would be.
        `project=False` leaves the read models as they are. `answers`: after that all questions are answered, and the
        answers kept; of those that cannot be, it warns. Makes a warehouse where there is none. An extract that is
        not believable as a whole is rejected: `status` says so, and `reasons` why. Raises InputError where there is
        no extract, Conflicting while another load is under way.
        """
        from replayhouse.infra.application.large_loads import run_on_columns

        on_columns = not dry_run and run_on_columns(Path(path))

        from replayhouse.infra.application.ingest import ingest

        return self._do(
            ingest,
            Path(path),
            name,
            source=None if source is None else fspath(source),
            dry_run=dry_run,
            project=project,
            answers=answers,
            on_columns=on_columns,
        )

    def batches(self, source: str | None = None) -> "list[Batch]":
        """The loads so far, the oldest first; with `source` those of a source, by its name: "olist" is the nine files'.

        Raises Unknown where there is no load of that source.
        """
        from replayhouse.infra.application.batches import batches

        return self._do(batches, source)

    def load_mapping(self, load: str | UUID) -> "KeptMapping":
        """The mapping by which the records of a load of another source were made, as it was then.

        `load`: its id or name, or how either begins. Raises Unknown where there is no such load, where it is of the
        nine files, or was loaded before mappings were kept.
        """
        from replayhouse.infra.application.load_mapping import load_mapping

        return self._do(load_mapping, str(load))

    def load_details(self, load: str | UUID, *, at: str | int | None = None, counts: bool = True) -> "LoadDetails":
        """A load as of a moment: its files, what became of their records, its events by topic, how it ended.

        `load`: its id or name, or how either begins. Without `counts` the events of a load of more than 100,000 are not
        counted by topic. Raises UsageError where there is no such load or moment.
        """
        from replayhouse.infra.application.load_details import load_details

        return self._do(load_details, str(load), at, counts=counts)

    def retract(
        self,
        batch: str | UUID | None = None,
        reason: str | None = None,
        *,
        source: str | None = None,
        cascade: bool = False,
        dry_run: bool = False,
    ) -> "RetractReport":
        """Takes the newest load back, and catches the read models up: they are as if it had never been there.

        `batch`: its id or name, or how either begins. `reason`: why; it is recorded. `cascade`: takes all later loads
        back before it, the newest first. `source`, in the place of a load: all loads of that source. `dry_run`: takes
        nothing back, and needs no reason; `tables` tells which rows would change. What a killed process began goes on
        when this is called again. Raises UsageError where there is no such load, or nothing to take back; Conflicting
        where later loads, or decisions of people, stand on it.
        """
        from replayhouse.infra.application.retract import retract

        load = None if batch is None else str(batch)
        return self._do(retract, load, reason, source=source, cascade=cascade, dry_run=dry_run)

    def demo(self, orders: int = 2_000, seed: int = 1) -> "DemoReport":
        """Loads an extract that is made up on the spot, and asks the star schema three questions.

        It has a warehouse of its own, with an embedded database, in the folder `demo` of this one's home; it is made
        anew each time, and goes on when this returns: `replayhouse.open(home=report.home)` is the one. This warehouse
        is not touched. Raises UsageError where that folder holds something that no demo has made, Conflicting while
        another demo works there.
        """
        from replayhouse.infra.application.demo import demo

        return self._do(demo, orders, seed)
