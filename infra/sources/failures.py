"""What DuckDB says of a query that failed, without what may stand in a cell."""

import re
from collections.abc import Collection

import duckdb

NOT_QUOTED = "(not quoted)"

_SHOWN_SQL = re.compile(r"\n\nLINE \d+: ")
_CAST_OF = " when casting from source column "
_QUOTED = re.compile(r"""(?<!\w)["'](?:.*["'](?!\w)|.*\Z)""", re.DOTALL)
"""From the first quotation mark to the last, or to the end: what stands between may be a cell, of several lines."""
_TYPE_OR_NUMBER = re.compile(r"([A-Z]+\d*(?:\(\d+,\d+\))?)|-?\d[\w.+-]*")
_AFTER_A_COLON = re.compile(r"(?<=: ).*", re.DOTALL)


_CAST_TO = re.compile(r"(?: to |invalid )(timestamp|date|time|[A-Z]+\d*)\b")
_KINDS = {
    "whole number": ("INT8", "INT16", "INT32", "INT64", "INT128", "UINT8", "UINT16", "UINT32", "UINT64"),
    "number": ("DECIMAL", "DOUBLE", "FLOAT"),
    "date": ("date", "DATE"),
    "time": ("timestamp", "time", "TIMESTAMP", "TIME"),
}
_WORDS = {name: word for word, names in _KINDS.items() for name in names}
"""What types are called for people, by DuckDB's names of them."""

_LINE = re.compile(r"\n\nLINE (\d+): ")


def failed_cast(error: duckdb.ConversionException, columns: Collection[str], line: int | None = None) -> str:
    """What is wrong where a CAST, on that line, met what it cannot read: the rest of a sentence that quotes no cell."""
    told = without_cells(error, columns)
    _, _, column = told.partition(_CAST_OF)
    kind = found[1] if (found := _CAST_TO.search(told.partition(_CAST_OF)[0])) is not None else ""
    what = f"that is no {_WORDS.get(kind, kind)}" if kind else "that it cannot read"
    of = f" in the column {column!r}" if column else ""
    on = f" on line {line}" if line is not None else ""
    return f"has a CAST{on} that meets a cell{of} {what}: write TRY_CAST, which makes nothing of it and goes on"


def line_in_query(error: duckdb.Error) -> int | None:
    """The line that DuckDB points at, of a query that stands behind the first line of a statement; from 1."""
    found = _LINE.findall(str(error))
    return int(found[-1]) - 1 or None if found else None


def first_line(error: Exception) -> str:
    """The first line of what DuckDB says, without a point at its end."""
    return str(error).splitlines()[0].rstrip(".!")


def without_cells(error: Exception, columns: Collection[str]) -> str:
    """The first line of it without what is quoted, without numbers, and without what follows a second colon.

    The one of these `columns` that was cast is named.
    """
    kind, colon, said = _SHOWN_SQL.split(str(error))[0].partition(": ")
    said, _, column = said.rpartition(_CAST_OF) if _CAST_OF in said else (said, "", "")
    said = _QUOTED.sub(NOT_QUOTED, said)
    said = _TYPE_OR_NUMBER.sub(lambda found: found[1] or NOT_QUOTED, said)
    said = _AFTER_A_COLON.sub(NOT_QUOTED, said)
    told = (said.splitlines() or [""])[0].rstrip(".! ")
    return f"{kind}{colon}{told}" + (f"{_CAST_OF}{column}" if column in columns else "")
