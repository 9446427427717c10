"""Which cells a report on a mapping may show: those that are not about a person, as far as the mapping tells."""

from collections.abc import Collection, Iterable

from replayhouse.infra.sources.document import Sql
from replayhouse.infra.sources.mapping import Mapping
from replayhouse.infra.sources.names import may_take_all
from replayhouse.infra.staging.files import PERSONAL_FILES
from replayhouse.ingest.records import RECORDS, CellKind

_NEVER_PERSONAL = frozenset({CellKind.ID, CellKind.TIME, CellKind.SCORE, CellKind.STATUS})
"""Kinds of cells that are shown of people as well: an id is one that the source, or the mapping, made up."""


def shown_raw_columns(mapping: Mapping, name: str) -> tuple[str, ...]:
    """The columns of a file whose cells may be shown: not those that records of people are made of."""
    columns = mapping.files[name].columns
    personal = set(mapping.files[name].personal)
    for record in PERSONAL_FILES & {*mapping.records, *mapping.selects}:
        for column in RECORDS[record].columns():
            if column.kind not in _NEVER_PERSONAL:
                personal |= _made_of(mapping, record, column.name, columns)
    return tuple(column for column in columns if column not in personal)


def personal_columns(mapping: Mapping, record: str) -> tuple[str, ...]:
    """The columns of a record that may be made of a column that the mapping calls personal."""
    told = mapping.records.get(record)
    files = [mapping.files[told.from_]] if told is not None else mapping.files.values()
    personal = {column for file in files for column in file.personal}
    names = (column.name for column in RECORDS[record].columns())
    return tuple(name for name in names if _made_of(mapping, record, name, personal))


def shown_columns(mapping: Mapping, record: str, tables: Iterable[str]) -> tuple[str, ...]:
    """The columns of a record, made from these files, whose cells may be shown."""
    personal = {column for name in tables for column in mapping.files[name].personal}
    return tuple(
        column.name
        for column in RECORDS[record].columns()
        if not _made_of(mapping, record, column.name, personal)
        and (record not in PERSONAL_FILES or column.kind in _NEVER_PERSONAL)
    )


def _made_of(mapping: Mapping, record: str, column: str, raw: Collection[str]) -> set[str]:
    """Which of these raw columns a column of a record may be made of."""
    if record in mapping.selects:
        return _named_in(mapping.selects[record], raw)
    match mapping.records[record].columns.get(column):
        case Sql(sql=sql):
            return _named_in(sql, raw)
        case str(name):
            return {name} & set(raw)
        case _:
            return set()


def _named_in(sql: str, columns: Collection[str]) -> set[str]:
    """The columns whose names stand in SQL, or all where it may name them by a star."""
    text = sql.casefold().replace('""', '"')
    return set(columns) if may_take_all(text) else {column for column in columns if column.casefold() in text}
