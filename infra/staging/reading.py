"""The statements that read the cells of the nine files, made from what the records declare (ingest/records.py).

Of every record: its number in its file, its cells as values, its key, its fingerprint, and the first problem of its
own, if any: required cells before unreadable values before values out of range, each in the order of the columns (R4).
All goes by the names of the columns. The macros are those of sql/macros.sql.
"""

from collections.abc import Collection, Iterator
from itertools import chain

from replayhouse.domain.kernel.places import UNKNOWN as NOWHERE
from replayhouse.infra.staging.files import PERSONAL_FILES
from replayhouse.ingest.records import CellKind, Column, Record, with_postcodes, with_unknown

READ_KEYED = """
CREATE TEMP TABLE read_{file} AS
SELECT line, lines, record, {fields},
    {key} AS key,
    fingerprint_of(concat_ws(chr(0), {canonical})) AS fingerprint,
    CASE
        {problems}
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines, cell.file_row_number::INTEGER AS record,
        {values}
    FROM read_parquet(getvariable('cells') || '/{file}.parquet', file_row_number = true) AS cell
);
"""

READ_SAMPLES = """
CREATE TABLE {file} AS
SELECT line, lines, record, {fields},
    CASE
        {problems}
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines, cell.file_row_number::INTEGER AS record,
        {values}
    FROM read_parquet(getvariable('cells') || '/{file}.parquet', file_row_number = true) AS cell
);
"""
"""A million samples have no key of their own (R40): they are read straight into their table, those with a problem leave
it again (quarantine.sql)."""

REGION = f"coalesce(getvariable('regions')[cell.{{state}}], '{NOWHERE}')"
"""The region of a state, of a source with regions of its own."""

READ_PART = """
INSERT INTO part
SELECT '{file}', '{file}.{column}', record, key, part_fingerprint(key, {canonical}, {field} IS NULL)
FROM read_{file}
WHERE problem IS NULL;
"""
"""The fingerprint of an optional column by itself, so that an extract is compared by the columns that it has."""

UNKNOWN = """
INSERT INTO may_be_unknown VALUES ('{file}', '{field}');
"""
"""What the source may not know, for the checks on it."""

KEYS = {
    "customers": "key_of_customer",
    "order_items": "key_of_item",
    "order_payments": "key_of_payment",
    "order_reviews": "key_of_review",
    "orders": "key_of_order",
    "products": "key_of_product",
    "sellers": "key_of_seller",
    "categories": "key_of_category",
}
"""The macro that makes the key, by file. Samples have none."""

READERS = {
    CellKind.ID: ("as_id", "an_id()"),
    CellKind.TIME: ("as_time", "a_time()"),
    CellKind.WHOLE: ("as_whole", "a_whole_number()"),
    CellKind.SCORE: ("as_whole", "a_whole_number()"),
    CellKind.MONEY: ("as_money", "an_amount()"),
    CellKind.ZIP: ("as_zip", "a_zip_prefix()"),
    CellKind.POSTCODE: ("as_postcode", "a_postcode()"),
    CellKind.DEGREES: ("as_degrees", "a_decimal_number()"),
}
"""The macro that reads a cell, and the one that says what it wants; of the other kinds any cell is read as it is."""


STATES = {"customers": "customer_state", "sellers": "seller_state"}
"""Records that lie in a region, by file, with the column of their state."""


def read_statements(
    absent: Collection[tuple[str, str]],
    unknown: Collection[tuple[str, str]] = frozenset(),
    *,
    has_postcodes: bool = False,
    has_regions: bool = False,
) -> str:
    """The statements for all files; columns are named by file and the CSV's name.

    `absent` are the optional ones that the extract lacks, `unknown` the required ones that its source may leave empty,
    of those of `ingest.records.MAY_BE_UNKNOWN`. Raises ValueError for others of these. `has_postcodes`: its zips need
    not be Brazil's. `has_regions`: it has regions of its own, which are then compared as an optional column is.
    """
    shapes = with_postcodes(with_unknown(unknown)) if has_postcodes else with_unknown(unknown)
    parts = (
        READ_PART.format(file=file, column=column.name, field=column.field, canonical=_canonical(column))
        for file, shape in shapes.items()
        for column in shape.columns()
        if column.is_optional and (file, column.name) not in absent
    )
    regions = (
        READ_PART.format(file=file, column="region", field="region", canonical="canonical(region)")
        for file in (STATES if has_regions else ())
    )
    told = (UNKNOWN.format(file=file, field=_field(shapes[file], name)) for file, name in sorted(unknown))
    return "".join(chain((_read(file, shape, has_regions) for file, shape in shapes.items()), parts, regions, told))


def _field(shape: type[Record], name: str) -> str:
    return next(column.field for column in shape.columns() if column.name == name)


def _read(file: str, shape: type[Record], has_regions: bool) -> str:
    columns = shape.columns()
    statement = READ_KEYED if file in KEYS else READ_SAMPLES
    fields = {column.field: _value(column) for column in columns}
    if file in STATES:
        fields["region"] = REGION.format(state=STATES[file]) if has_regions else "NULL::VARCHAR"
    return statement.format(
        file=file,
        fields=", ".join(fields),
        key=_key(file, shape) if file in KEYS else "",
        canonical=", ".join(_canonical(column) for column in columns if not column.is_optional),
        problems="\n        ".join(_problems(file, columns)),
        values=",\n        ".join(f"{value} AS {field}" for field, value in fields.items()),
    )


def _value(column: Column) -> str:
    if column.kind not in READERS:
        return f"cell.{column.name}"
    return f"{READERS[column.kind][0]}(cell.{column.name})"


def _key(file: str, shape: type[Record]) -> str:
    """The macro's word on the natural key: an id that is the key itself as a value, else as it is written."""
    natural = [column for name in shape.natural_key for column in shape.columns() if column.field == name]
    is_digest = len(natural) > 1
    arguments = (
        f"cell.{column.name}" if is_digest and column.kind is CellKind.ID else column.field for column in natural
    )
    return f"{KEYS[file]}({', '.join(arguments)})"


def _canonical(column: Column) -> str:
    return f"canonical_id(cell.{column.name})" if column.kind is CellKind.ID else f"canonical({column.field})"


def _problems(file: str, columns: tuple[Column, ...]) -> Iterator[str]:
    for column in columns:
        if not column.may_be_empty:
            yield f"WHEN cell.{column.name} IS NULL THEN empty('{column.name}')"
    for column in columns:
        if column.kind in READERS:
            yield f"WHEN {_is_unreadable(column)} THEN {_unreadable(file, column)}"
    for column in columns:
        if column.kind is CellKind.STATUS:
            yield f"WHEN rank_of({column.field}) IS NULL THEN not_a_status('{column.name}', {column.field})"
    for column in columns:
        if column.kind is CellKind.SCORE:
            yield f"WHEN {column.field} NOT BETWEEN 1 AND 5 THEN not_a_score('{column.name}')"


def _is_unreadable(column: Column) -> str:
    if column.may_be_empty:
        return f"is_unreadable(cell.{column.name}, {column.field})"
    return f"{column.field} IS NULL"


def _unreadable(file: str, column: Column) -> str:
    """A zip prefix is quoted nowhere, and of people nothing is."""
    wanted = READERS[column.kind][1]
    if file in PERSONAL_FILES or column.kind in (CellKind.ZIP, CellKind.POSTCODE):
        return f"unreadable_unquoted('{column.name}', {wanted})"
    return f"unreadable('{column.name}', cell.{column.name}, {wanted})"
