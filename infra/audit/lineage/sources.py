"""The lines of extracts that caused events: what `source` names, with the text of each line that is still at hand.

A person's line is not shown once the person's key is destroyed, though the file may still have it: what is erased here
is not told here.
"""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.customer.review import review_stream_id
from replayhouse.domain.quality.row import row_stream_id
from replayhouse.infra.runtime.identity import SEALED
from replayhouse.infra.sources.lineage import load_source
from replayhouse.infra.staging.files import PERSONAL_FILES
from replayhouse.infra.staging.lines import LinesAtHand, lines_at_hand
from replayhouse.infra.staging.real_files import RealFile

ERASED = "erased"
"""Stands for the text of a line about somebody, or a record, whose key was destroyed."""

RELEASE = "release"
"""What stands in a source before the row that a person let in, `release:<row_id> orders:1042`."""

NO_EXTRACT, NOT_NOTED, WITHHELD = "no extract", "not noted", "withheld"

_SAYS = {
    "gone": "the file is gone: {place}",
    "changed": "the file was changed since it was loaded, so its lines prove nothing: {place}",
    "unreadable": "the file cannot be read: {place} ({why})",
    WITHHELD: "not shown, for a line of this file may be about a person: {place}",
    NOT_NOTED: "nobody noted where the extract was",
    NO_EXTRACT: "no extract: what recorded this event was no load of this file",
}

_BATCHES = "SELECT batch_id, files, origin, source FROM event_store.batch WHERE batch_id = ANY(%s)"
_QUARANTINED_BY = """
    SELECT DISTINCT ON (originator_id) originator_id, batch_id FROM event_store.quality_events
    WHERE originator_id = ANY(%s) AND topic LIKE 'quality.RowQuarantined.%%'
    ORDER BY originator_id, originator_version DESC
"""
_ERASED = "SELECT subject_id FROM event_store.subject WHERE subject_id = ANY(%s) AND is_erased"
_PERSONS_OF_ORDERS = """
    SELECT o.order_id, a.customer_id
    FROM event_store.order_reference AS o
    JOIN event_store.alias_reference AS a USING (customer_alias)
    WHERE o.order_id = ANY(%s)
"""


def said(status: str, place: str | None = None, why: str = "") -> str:
    """Why lines were not found, in words."""
    return _SAYS[status].format(place=place or "", why=why)


class Cited(NamedTuple):
    """The lines of one file that an event names. `ranges` are first and last physical lines, as in `source`."""

    file: str
    ranges: tuple[tuple[int, int], ...]

    @property
    def told(self) -> str:
        """The lines as `source` tells them: `2210-2212,2215`."""
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ranges)

    def lines(self, limit: int) -> list[int]:
        """The lines by number, `limit` of them at most."""
        found: list[int] = []
        for first, last in self.ranges:
            found += range(first, min(last, first + limit - len(found) - 1) + 1)
        return found

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)


class Quoted(NamedTuple):
    """Lines of one file that an event names, and their texts as far as they are at hand.

    `status` is found, gone, changed, unreadable, not noted (where the extract was), no extract (the batch is none) or
    withheld; `place` is where the file is, or was looked for. `real_file` is the name of a file of another shape.
    """

    file: str
    lines: str
    status: str
    place: str | None
    texts: list[tuple[int, str]]
    left_out: int
    why: str = ""
    real_file: str | None = None

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.real_file or self.file

    @property
    def said(self) -> str:
        """Why there are no texts, where the lines were not found."""
        return said(self.status, self.place, self.why)

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "file": self.file,
            "lines": self.lines,
            "status": self.status,
            "place": self.place,
            "texts": [{"line": line, "text": text} for line, text in self.texts],
            "left_out": self.left_out,
            **({"real_file": self.real_file} if self.real_file is not None else {}),
        }


def released_row(source: str | None) -> UUID | None:
    """The quarantined row whose release caused an event; None where no release did."""
    first, _, row_id = (source or "").partition(" ")[0].partition(":")
    return _id(row_id) if first == RELEASE else None


def cited_by(source: str | None) -> list[Cited]:
    """What a source names, file by file: `orders:1042 order_items:2210-2212,2215`."""
    found = []
    for part in (source or "").split():
        file, _, told = part.partition(":")
        if file == RELEASE:  # a person let the record in: what follows is the row, no line
            continue
        ranges = [run.partition("-") for run in told.split(",")]
        found.append(Cited(file, tuple((int(first), int(last or first)) for first, _, last in ranges)))
    return found


class Sources:
    """Quotes the lines of several events at once: each file is read once. `limit`: texts of a file for an event."""

    def __init__(
        self,
        conn: psycopg.Connection,
        events: Collection[tuple[UUID | None, str | None]],
        limit: int,
        instead: Path | None = None,
    ) -> None:
        """`events` are batches and sources; `instead` is where the extract is now, if not where it was loaded from."""
        self._limit = limit
        released = {row for _, source in events if (row := released_row(source)) is not None}
        self._apart: dict[UUID | None, UUID] = dict(conn.execute(_QUARANTINED_BY, [list(released)]).fetchall())
        events = [(self._load_of(batch, source), source) for batch, source in events]
        batches = {batch for batch, source in events if batch is not None and source is not None}
        self._batches = {row[0]: row[1:] for row in conn.execute(_BATCHES, [list(batches)])}
        wanted: dict[tuple[UUID, str], set[int]] = defaultdict(set)
        for batch, source in events:
            if batch is not None and batch in self._batches:
                for cited in cited_by(source):
                    wanted[batch, cited.file].update(cited.lines(limit))
        self._found = {
            (batch, file): self._look(batch, file, lines, instead) for (batch, file), lines in wanted.items()
        }
        self._erased = _erased_lines(conn, {place: found for place, found in self._found.items() if found.records})

    def quote(self, batch: UUID | None, source: str | None, *, reveals: bool = True) -> list[Quoted]:
        """What is at hand of the lines that an event names; those of personal files are sealed unless it `reveals`.

        So are those of a record that was let in, which nobody could read: it may hold anything.
        """
        is_let_in = released_row(source) is not None
        batch, quoted = self._load_of(batch, source), []
        for cited in cited_by(source):
            if batch is None or batch not in self._batches:
                quoted.append(Quoted(cited.file, cited.told, NO_EXTRACT, None, [], 0))
                continue
            found, erased = self._found[batch, cited.file], self._erased.get((batch, cited.file), set())
            is_sealed = not reveals and (is_let_in or cited.file in PERSONAL_FILES)
            texts = [
                (line, ERASED if line in erased else SEALED if is_sealed else found.records[line])
                for line in cited.lines(self._limit)
                if line in found.records
            ]
            left_out = len(cited) - len(texts) if found.records else 0
            place, real = found.place or None, self._real_file(batch, cited.file)
            name = real.name if real is not None else None
            quoted.append(Quoted(cited.file, cited.told, found.status, place, texts, left_out, found.why, name))
        return quoted

    def _load_of(self, batch: UUID | None, source: str | None) -> UUID | None:
        """The load whose lines a source names: of a release, that which kept the row apart."""
        return self._apart.get(released_row(source)) if batch is None else batch

    def _look(self, batch: UUID, file: str, lines: set[int], instead: Path | None) -> LinesAtHand:
        files, origin, _ = self._batches[batch]
        sha256, real = files.get(file), self._real_file(batch, file)
        if sha256 is None:
            return LinesAtHand(NO_EXTRACT, "", {})
        if real is not None and real.is_withheld:
            return LinesAtHand(WITHHELD, origin or "", {})
        if instead is None and origin is None:
            return LinesAtHand(NOT_NOTED, "", {})
        return lines_at_hand(instead or Path(origin), file, sha256, lines, real)

    def _real_file(self, batch: UUID, file: str) -> RealFile | None:
        """The file of another shape that these records were made of; None where they stand in the file itself."""
        source = load_source(self._batches[batch][2])
        return source.files.get(file) if source is not None else None


def _erased_lines(
    conn: psycopg.Connection, found: Mapping[tuple[UUID, str], LinesAtHand]
) -> dict[tuple[UUID, str], set[int]]:
    """The lines that may not be told, by batch and file."""
    persons: dict[UUID, UUID] = dict(conn.execute(_PERSONS_OF_ORDERS, [list(_orders(found.items()))]).fetchall())
    subjects: dict[tuple[UUID, str], dict[int, set[UUID]]] = {
        place: {line: set(_subjects(place[1], at_hand, text, persons)) for line, text in at_hand.records.items()}
        for place, at_hand in found.items()
    }
    wanted = {subject for lines in subjects.values() for of_line in lines.values() for subject in of_line}
    erased = {subject for (subject,) in conn.execute(_ERASED, [list(wanted)])}
    return {place: {line for line, of_line in lines.items() if of_line & erased} for place, lines in subjects.items()}


def _orders(found: Iterable[tuple[tuple[UUID, str], LinesAtHand]]) -> Iterator[UUID]:
    for (_, file), at_hand in found:
        if file == "order_reviews":
            for text in at_hand.records.values():
                if (order := _id(_cells(at_hand, text).get("order_id"))) is not None:
                    yield order


def _subjects(file: str, at_hand: LinesAtHand, text: str, persons: Mapping[UUID, UUID]) -> Iterator[UUID]:
    """Whose keys a line goes with: the record's own, should it have been quarantined, and the person's."""
    yield row_stream_id(file, text)
    cells = _cells(at_hand, text)
    if file == "customers" and (person := _id(cells.get("customer_unique_id"))) is not None:
        yield person
    if file == "order_reviews":
        review, order = _id(cells.get("review_id")), _id(cells.get("order_id"))
        if order is not None and order in persons:
            yield persons[order]
        if review is not None and order is not None:
            yield review_stream_id(review, order)


def _cells(at_hand: LinesAtHand, text: str) -> dict[str, Any]:
    row = next(csv.reader(text.splitlines(keepends=True)), [])
    return dict(zip(at_hand.header, row, strict=False))


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text)
    except (TypeError, ValueError):
        return None
