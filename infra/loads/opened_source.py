"""An extract of another shape that is open to be loaded: files that a mapping makes records of."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from replayhouse.infra.loads.opened import MEMORY, Complete, Opener
from replayhouse.infra.sources.expectations import expected_of
from replayhouse.infra.sources.find_mapping import NoMapping, find_mapping
from replayhouse.infra.sources.kept_mappings import KeptMapping
from replayhouse.infra.sources.left_out import kinds_left_out
from replayhouse.infra.sources.lineage import hash_of, source_of
from replayhouse.infra.sources.mapping import Mapping as SourceMapping
from replayhouse.infra.sources.mapping import mapping_of_texts
from replayhouse.infra.sources.raw_extract import refuse_what_is_no_raw_extract
from replayhouse.infra.sources.raw_files import RawTable, open_raw
from replayhouse.infra.sources.running import Made, all_read, run_mapping
from replayhouse.infra.sources.secret import secret_of
from replayhouse.infra.sources.shown_cells import personal_columns
from replayhouse.infra.staging.extract import Extract, ExtractFile
from replayhouse.infra.staging.staging import Staged, stage_records
from replayhouse.ingest.assess import MAY_BE_WITHOUT


class OpenedSource:
    """Files of another shape, as `tables`, and the records `made` of them once they are staged.

    `secret` gives what ids of people are made with. `left_out` are the kinds of records of which all files are absent.
    """

    passed_over: tuple[str, ...] = ()

    def __init__(
        self,
        mapping: SourceMapping,
        path: Path,
        tables: Mapping[str, RawTable],
        secret: Callable[[], bytes],
    ) -> None:
        self._mapping = mapping
        self._path = path
        self.tables = tables
        self._secret = secret
        self.left_out = kinds_left_out(mapping, tables)
        self.made: Mapping[str, Made] = {}

    @property
    def currency(self) -> str:
        """That which the mapping says."""
        return self._mapping.source.currency

    @property
    def source_name(self) -> str:
        """What the mapping calls it."""
        return self._mapping.source.name

    @property
    def mapping_texts(self) -> Mapping[str, str]:
        """Its files."""
        return self._mapping.texts

    @property
    def files(self) -> Mapping[str, str]:
        """By kind of record a hash of the mapping and all real files."""
        made = {*self._mapping.records, *self._mapping.selects} - self.left_out
        return {record: hash_of(self._mapping, self.tables, record) for record in sorted(made)}

    @property
    def absent(self) -> tuple[str, ...]:
        """The patterns of its optional files that none fits."""
        return tuple(table.file for table in self.tables.values() if not table.is_there)

    @property
    def complete(self) -> Complete | None:
        """What the mapping says of it; which kinds are there in part is known once they are staged."""
        source, off = self._mapping.source, self._mapping.expectations.off
        is_told = "records_still_there" not in off
        return Complete(source.name, source.may_shrink, self._in_part, is_told) if source.complete else None

    @property
    def _in_part(self) -> tuple[str, ...]:
        return tuple(record for record, found in self.made.items() if not found.is_whole)

    def stage(self, directory: Path, known: Path | None, opened_on: date, threads: int) -> Staged:
        """Makes the records and stages them."""
        cells = directory.with_name("made")
        made = run_mapping(self._mapping, self.tables, cells, MEMORY, self._secret())
        self.made = made
        hashes = self.files
        expected = expected_of(self._mapping.expectations, self._mapping.regions)
        extract = Extract(
            self._path,
            {
                record: ExtractFile(found.raw.parquet, found.raw.file, found.raw.bytes, hashes[record])
                for record, found in made.items()
            },
        )
        return stage_records(
            extract,
            all_read(cells, made),
            cells,
            directory,
            known,
            opened_on=opened_on,
            memory_limit=MEMORY,
            threads=threads,
            is_made=True,
            expected=expected._replace(
                without=(*expected.without, *(kind for kind in MAY_BE_WITHOUT if kind in self.left_out))
            ),
            is_complete=self._mapping.source.complete,
            in_part=self._in_part,
            malformed={
                record: sum(self.tables[name].malformed_rows for name in found.tables) for record, found in made.items()
            },
            unquoted=[(record, column) for record in made for column in personal_columns(self._mapping, record)],
        )

    def source(self) -> dict[str, Any]:
        """Its name, the mapping's hash, and the real files."""
        return source_of(self._mapping, self.made).document()


def open_source(mapping: SourceMapping, path: Path, scratch: Path, secret: Callable[[], bytes]) -> OpenedSource:
    """Opens an extract of another shape, and reads its files."""
    return OpenedSource(mapping, path, open_raw(mapping, path, scratch / "extract"), secret)


def opener_of(
    source: str, path: Path, *, may_make: bool, kept: Callable[[str], KeptMapping | None] = lambda _: None
) -> Opener:
    """What opens an extract by a mapping: that of a folder, a shipped one by its name, or one that loads have kept.

    `kept` finds the last. `may_make`: the secret of the store is made where there is none. Raises UsageError for what
    is no mapping, InputError where no file at the path is one that it names.
    """
    try:
        mapping = find_mapping(source)
    except NoMapping:
        if (found := kept(source)) is None:
            raise
        mapping = mapping_of_texts(Path(source), dict(found.files))
    refuse_what_is_no_raw_extract(mapping, path)

    def opened(connection: psycopg.Connection, scratch: Path) -> OpenedSource:
        return open_source(mapping, path, scratch, lambda: secret_of(connection, may_make=may_make))

    return opened
