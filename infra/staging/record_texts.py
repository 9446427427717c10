"""The text of a record, as quarantine keeps it: its lines in the file, or, of one that a mapping made, its cells."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import duckdb

from replayhouse.infra.staging.files import SOURCE_FILES

_CELL = """
    CASE WHEN regexp_matches({name}, '[",\\n\\r]') THEN '"' || replace({name}, '"', '""') || '"'
         ELSE coalesce({name}, '') END"""

_OF_CELLS = """
    SELECT file_row_number::INTEGER AS record, concat_ws(',', {cells}) AS text
    FROM read_parquet($cells, file_row_number = true)"""

_LACKS_COLUMNS = "SELECT count(*) FROM unsaid WHERE file = $file"


def texts_of_lines(path: Path, places: Iterable[tuple[int, int]]) -> Iterator[str]:
    """The texts of records by the line that each starts on and the lines that it spans, without their line ends.

    The lines ascend.
    """
    with path.open("rb") as stream:
        at = 1
        for line, lines in places:
            text = b"".join(islice(stream, line - at, line - at + lines))
            at = line + lines
            closed = text.removesuffix(b"\n").removesuffix(b"\r") if text.endswith(b"\n") else text
            yield closed.decode()


def texts_of_cells(connection: duckdb.DuckDBPyConnection, file: str) -> str:
    """A query of number and text of a file's records that a mapping made; `$cells` is the Parquet with their cells.

    The text is what `quality release` takes: all columns of the file, or the required ones where it has no others.
    """
    [(lacking,)] = connection.execute(_LACKS_COLUMNS, {"file": file}).fetchall()
    columns = SOURCE_FILES[file].required_columns if lacking else SOURCE_FILES[file].columns
    return _OF_CELLS.format(cells=", ".join(_CELL.format(name=name) for name in columns))
