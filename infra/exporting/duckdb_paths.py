"""How files are named to DuckDB, which sees more in a path than a path.

Where it begins with `~`, `http:` or `md:`, DuckDB looks elsewhere; `*`, `?` and `[` stand for other names; a folder
`day=2026-11-30` makes a column `day` of every row below it; of a backslash it makes a slash, and what it writes beside
a database goes elsewhere where there is a question mark.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from replayhouse.infra.runtime.errors import UsageError

_STANDS_FOR_OTHERS = re.compile(r"[*?\[]")


def named(path: Path) -> str:
    """The path of a database as DuckDB opens it and no other. Raises UsageError where there is no way to say it."""
    return _whole(path, "\\?")


def rows_of(files: Iterable[Path]) -> str:
    """The rows of Parquet files, all with the same columns, as they stand behind FROM. Raises what `named` does."""
    names = (_STANDS_FOR_OTHERS.sub(r"[\g<0>]", _whole(file, "\\")) for file in files)
    return f"read_parquet([{', '.join(map(literal, names))}], hive_partitioning = false)"


def _whole(path: Path, misread: str) -> str:
    whole = str(path.resolve())  # as it does itself
    if sign := next((sign for sign in misread if sign in whole), None):
        raise UsageError(
            f"DuckDB cannot work with {path}: it takes the {sign} in that name for something else. Name a folder that "
            "has none, and stands in none that has."
        )
    return whole


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'{}'".format(text.replace("'", "''"))
