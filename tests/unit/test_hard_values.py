"""The golden rows of hard values have the same digest wherever they are written: by folds, and by DuckDB from Parquet.

What PostgreSQL makes of them stands in tests/integration/test_hard_values.py.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from replayhouse.infra.exporting import recomputed
from replayhouse.infra.exporting.duckdb_paths import rows_of
from replayhouse.infra.read_models.copy_text import LineWriter, copy_data
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.digest import digest_of
from tests.golden import hard_values as golden
from tests.support.hard_values import EXPECTED, HARD_VALUES, arrow_table, lines, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The rows as a Parquet file, in a folder whose name is no pattern."""
    folder = tmp_path / "it's [a] *?"
    folder.mkdir()
    pq.write_table(arrow_table(), folder / "hard_values.parquet")
    return folder / "hard_values.parquet"


def test_the_golden_rows_are_those_that_the_script_writes() -> None:
    assert rows() == list(golden.rows())
    assert "\t".join(map(golden.written, rows()[7])).encode() == lines()[7]


def test_folds_write_the_lines_that_stand_there() -> None:
    written = LineWriter(HARD_VALUES).lines(rows())

    assert copy_data(written, [row[-1] for row in rows()]) == b"".join(line + b"\n" for line in lines())
    assert (len(written), digest_of(written).hex) == (EXPECTED.rows, EXPECTED.digest)


def test_duckdb_recomputes_the_digest_from_parquet(file: Path) -> None:
    with recomputed.connected() as connection:
        found = recomputed.digest_of_files(connection, [file])

    assert (found.rows, found.hex) == (EXPECTED.rows, EXPECTED.digest)


@pytest.mark.parametrize("name", ["*", "a[!b]", "day=2026-11-30", "what?", "{a,b}", "http:here", "~", "-"])
def test_the_digest_is_that_of_the_files_however_their_folder_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, rows_there in ((name, arrow_table()), ("ac", arrow_table().slice(0, 1))):
        (tmp_path / folder).mkdir()
        pq.write_table(rows_there, tmp_path / folder / "rows.parquet")
    monkeypatch.chdir(tmp_path)

    for file in (Path(name, "rows.parquet"), tmp_path / name / "rows.parquet"):
        with recomputed.connected() as connection:
            assert recomputed.digest_of_files(connection, [file]).hex == EXPECTED.digest


def test_a_file_that_duckdb_would_look_for_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a\\b").mkdir()
    pq.write_table(arrow_table(), tmp_path / "a\\b" / "rows.parquet")

    with recomputed.connected() as connection, pytest.raises(UsageError, match=r"takes the \\ in that name"):
        recomputed.digest_of_files(connection, [tmp_path / "a\\b" / "rows.parquet"])


@pytest.mark.parametrize("column", EXPECTED.columns)
def test_duckdb_recomputes_the_digest_of_each_column(file: Path, column: str) -> None:
    with recomputed.connected() as connection:
        of_file = rows_of([file])
        found = recomputed.digest_of_rows(connection, f"(SELECT {column} FROM {of_file})")

    assert found.hex == EXPECTED.columns[column]


def test_parts_of_a_table_have_the_digest_of_the_whole_and_no_rows_that_of_nothing(tmp_path: Path) -> None:
    table, files = arrow_table(), [tmp_path / "0.parquet", tmp_path / "1.parquet", tmp_path / "none.parquet"]
    for file, part in zip(files, (table.slice(0, 700), table.slice(700), table.slice(0, 0)), strict=True):
        pq.write_table(part, file)

    with recomputed.connected() as connection:
        assert recomputed.digest_of_files(connection, files).hex == EXPECTED.digest
        assert recomputed.digest_of_files(connection, files[2:]).hex == "0" * 64


def test_a_value_that_differs_is_seen(tmp_path: Path) -> None:
    table = arrow_table()
    place = table.schema.get_field_index("degrees")
    changed = pa.array([0.0 if value == 5e-324 else value for value in table["degrees"].to_pylist()])
    pq.write_table(table.set_column(place, "degrees", changed), tmp_path / "changed.parquet")

    with recomputed.connected() as connection:
        assert recomputed.digest_of_files(connection, [tmp_path / "changed.parquet"]).hex != EXPECTED.digest
