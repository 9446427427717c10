"""Quality: what the rules found in the loads, and the records that were kept apart."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.decisions import Decided
    from replayhouse.infra.application.quality_of_loads import QualityOfLoads
    from replayhouse.infra.application.quality_report import QualityReport
    from replayhouse.infra.application.quarantine import Quarantine
    from replayhouse.infra.application.release import Refused


class Quality(Base):
    """The methods that have to do with the quality of what is loaded."""

    def quality_report(self, batch: str | UUID | None = None, *, at: str | None = None) -> "QualityReport":
        """How each rule fared in a load: by its id or name, or how either begins; by default in the newest.

        `at`: as a moment shows it, which is a position, a recorded time, or the name of what stands. Raises UsageError
        where there is no such load, or moment.
        """
        from replayhouse.infra.application.quality_report import quality_report

        return self._do(quality_report, None if batch is None else str(batch), at)

    def quality_of_loads(self, at: str | None = None, *, limit: int = 20, offset: int = 0) -> "QualityOfLoads":
        """The same of many loads, the newest first: `limit` of them at most, after as many as `offset` says.

        Raises UsageError for what is no moment.
        """
        from replayhouse.infra.application.quality_of_loads import quality_of_loads

        return self._do(quality_of_loads, at, limit, offset)

    def quarantine(
        self,
        batch: str | UUID | None = None,
        file: str | None = None,
        rule: str | None = None,
        status: str = "quarantined",
        limit: int | None = None,
        offset: int = 0,
        *,
        with_texts: bool = True,
    ) -> "Quarantine":
        """The records that were kept apart: those that a load was the first to, of a file, by a rule, with a status.

        `status` is quarantined, released, discarded or all; `limit`: at most so many, after as many as `offset` says.
        Their texts may hold personal data: who reads them is noted in the access log, and they are left out where
        `with_texts` is false. Raises UsageError for a load, a file, a rule or a status that there is not.
        """
        from replayhouse.infra.application.quarantine import Filter, quarantine

        asked = Filter(None if batch is None else str(batch), file, rule, status, limit, offset)
        return self._do(quarantine, asked, with_texts=with_texts)

    def write_quarantine(
        self,
        path: str | PathLike[str],
        batch: str | UUID | None = None,
        file: str | None = None,
        rule: str | None = None,
        status: str = "quarantined",
        limit: int | None = None,
        *,
        force: bool = False,
    ) -> int:
        """Writes the same, texts whole, to a CSV file that only its owner may read; returns how many they are.

        Raises UsageError also where there is such a file, unless `force` says to write over it.
        """
        from replayhouse.infra.application.quarantine import Filter, write_quarantine

        asked = Filter(None if batch is None else str(batch), file, rule, status, limit)
        return self._do(write_quarantine, Path(path), asked, replaces=force)

    def release(self, row: str | UUID, text: str | None = None, reason: str = "let in by hand") -> "Decided | Refused":
        """Lets a quarantined record in, corrected to `text` or as it is, and catches the read models up.

        `row`: its id, or how that begins. It goes the way of every record of an extract: one that does not pass even so
        is Refused, and nothing is appended. Raises UsageError where no such row is quarantined, or its text is gone;
        Rejected of a sample of geolocation; Conflicting while a load is at work, open or half taken back.
        """
        from replayhouse.infra.application.release import release

        return self._do(release, str(row), text, reason)

    def discard(self, row: str | UUID, reason: str) -> "Decided":
        """Gives a quarantined record up: it stays in the list, and the same text does not come back later.

        Raises UsageError where no such row is quarantined; Conflicting while a load is at work, open or half taken
        back.
        """
        from replayhouse.infra.application.discard import discard

        return self._do(discard, str(row), reason)
