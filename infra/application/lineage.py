"""The lineage of a row: from a table of the star schema to the events and the lines of extracts that made it."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from replayhouse.infra.application.access import asking, note_access, noted
from replayhouse.infra.application.history import may_be_told, with_keys
from replayhouse.infra.application.id_of import ALIAS, id_of
from replayhouse.infra.application.prepared import prepared
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.kinds import OF_COLUMN, HistoryKind
from replayhouse.infra.audit.lineage.marts import MartLineage, find_mart_row, mart_columns, marts
from replayhouse.infra.audit.lineage.rows import declared_tables, is_personal, name_row
from replayhouse.infra.audit.lineage.trace import RowLineage, trace_row
from replayhouse.infra.runtime.errors import Forbidden, Unknown, UsageError
from replayhouse.infra.runtime.telling import count


def lineage(
    site: Site, table: str, key: Sequence[object], limit: int, instead: Path | None
) -> RowLineage | MartLineage:
    """What made the row with that primary key, value by value; of a mart, the rows behind those with these values.

    `limit` lines of a file, and rows behind a mart's, are told at most; `instead` is where the extract is now, if not
    where it was loaded from. What may be shown in clear is noted in the access log first; to those who may not see it,
    it stays sealed. Raises UsageError where there is no such table, row or extract.
    """
    if limit < 1:
        raise UsageError(f"The limit is {limit:,}: it must be 1 or more.")
    if instead is not None and not instead.exists():
        raise UsageError(f"{instead} does not exist.")
    values = [str(value) for value in key]
    with site.as_reader.connect("replayhouse audit lineage", autocommit=True) as connection, ExitStack() as stack:
        prepared(site, connection)
        name = _with_schema(table, [*declared_tables(), *marts(connection)])
        if name not in declared_tables():
            _note_mart(site, name)
            return find_mart_row(connection, name, values, limit)
        row = name_row(connection, name, values)
        told = f"lineage of {name} {' '.join(map(str, row.key.values()))}"
        reveals = is_personal(name) and noted(
            site, "audit lineage", told, row.subjects, is_record=name == "quality.quarantine"
        )
        folding = with_keys(site, connection, stack) if is_personal(name) else connection
        telling = folding if may_be_told(site) else connection
        return trace_row(telling, folding, row, limit, instead, reveals=reveals)


def row_key(
    site: Site, table: str, given: Sequence[str], own: Sequence[str], source: str | None, id_kind: str | None
) -> list[str]:
    """The key of a row, value by value: its ids are those of the things that have the keys `own` in their source.

    They stand for the first ids of the key, in order; `given` are the other values. Raises UsageError where the key
    has fewer ids, and what `id_of` does.
    """
    with site.as_reader.connect("replayhouse audit lineage", autocommit=True) as connection:
        prepared(site, connection)
        name = _with_schema(table, [*declared_tables(), *marts(connection)])
        declared = declared_tables().get(name)
        columns = mart_columns(connection, name) if declared is None else declared.primary_key.columns.keys()
    keys, others, values = list(own), list(given), list[str]()
    for column in columns:
        kind = ALIAS if column == "customer_alias" else OF_COLUMN.get(column)
        if keys and kind is not None and kind is not HistoryKind.BATCH:
            values.append(id_of(site, kind, keys.pop(0), source, id_kind).hex)
        elif others:
            values.append(others.pop(0))
        else:
            break
    if keys:
        raise UsageError(
            f"The key of {name} begins with {' '.join(list(columns)[: len(values) + 1]).upper()}: --key stands for the "
            f"ids among them, and was given {count(len(own), 'time')}."
        )
    return values + others


def _note_mart(site: Site, name: str) -> None:
    """What a view shows of persons, only its SQL knows: so it is shown to those only who may see all."""
    if not asking(site).by.sees_people:
        raise Forbidden(f"{name} may show personal fields: who may not see these is told the lineage of tables only.")
    note_access(site, "audit lineage", f"lineage of {name}", ())


def _with_schema(table: str, known: Sequence[str]) -> str:
    """The name of a table with its schema, which may be left out where one schema has it. Raises UsageError."""
    meant = [name for name in known if table in (name, name.partition(".")[2])]
    if not meant:
        raise Unknown(f"There is no table {table} whose rows can be traced; there are {', '.join(known)}.")
    if len(meant) > 1:
        raise UsageError(f"There are {' and '.join(meant)}: say which.")
    return meant[0]
