"""What DuckDB says of a query that failed, without what may stand in a cell."""

import re
from collections.abc import Collection

NOT_QUOTED = "(not quoted)"

_SHOWN_SQL = re.compile(r"\n\nLINE \d+: ")
_CAST_OF = " when casting from source column "
_QUOTED = re.compile(r"""(?<!\w)["'](?:.*["'](?!\w)|.*\Z)""", re.DOTALL)
"""From the first quotation mark to the last, or to the end: what stands between may be a cell, of several lines."""
_TYPE_OR_NUMBER = re.compile(r"([A-Z]+\d*(?:\(\d+,\d+\))?)|-?\d[\w.+-]*")
_AFTER_A_COLON = re.compile(r"(?<=: ).*", re.DOTALL)


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
