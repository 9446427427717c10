"""Which kinds of records an extract leaves out, because the files that they are made from are optional and absent."""

from collections.abc import Mapping
from contextlib import closing

import duckdb

from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.sources.mapping import Mapping as SourceMapping
from replayhouse.infra.sources.queries import query_of
from replayhouse.infra.sources.raw_files import RawTable
from replayhouse.infra.sources.selects import Checker, RefusedError


def kinds_left_out(mapping: SourceMapping, tables: Mapping[str, RawTable]) -> frozenset[str]:
    """The kinds of records that a mapping makes from absent files alone; queries that it may not have are run later."""
    if all(table.is_there for table in tables.values()):
        return frozenset()
    with closing(interruptible(duckdb.connect(":memory:"))) as connection:
        checker = Checker(connection, tables, ())
        made = {*mapping.records, *mapping.selects}
        return frozenset(record for record in made if _is_left_out(checker, mapping, tables, record))


def _is_left_out(checker: Checker, mapping: SourceMapping, tables: Mapping[str, RawTable], record: str) -> bool:
    try:
        read = checker.tables_of(query_of(mapping, record).text)
    except RefusedError:
        return False
    return bool(read) and not any(tables[name].is_there for name in read)
