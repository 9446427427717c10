"""`export` and `digest --in`: the star schema as Parquet and DuckDB as of one moment, held against its manifest."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.support.cli import Loaded


@pytest.fixture(scope="module")
def exported(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the loaded warehouse, for tests that only look at it."""
    folder = tmp_path_factory.mktemp("exported") / "reports"
    loaded.program.succeed("export", folder)
    return folder


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_an_export_has_the_digests_of_the_live_tables_wherever_they_are_recomputed(
    loaded: Loaded, exported: Path
) -> None:
    live = loaded.program.json("digest")

    told = loaded.program.json("digest", "--in", exported)

    status = loaded.program.json("status")
    assert told == {**live, "position": status["position"], "chain": status["chain"]}
    assert loaded.program.json("export", exported)["contexts"] == live["contexts"]


def test_every_file_is_the_one_that_the_manifest_tells_of(exported: Path) -> None:
    told = manifest(exported)
    places = {**told["contexts"], "shared": told["shared"], "mart": told["mart"]}
    for place, shown in places.items():
        for name, table in shown["tables"].items():
            file = exported / table["file"]
            assert (table["file"], table["bytes"]) == (f"{place}/{name}.parquet", file.stat().st_size)
            assert pq.read_metadata(file).num_rows == table["rows"]
    assert {"fact_order", "fact_order_item", "fact_payment"} == places["sales"]["tables"].keys()
    assert "dim_product" in places["marketplace"]["tables"]
    assert "dim_date" in places["shared"]["tables"]


def test_the_duckdb_file_has_the_same_rows(exported: Path) -> None:
    told = manifest(exported)
    with duckdb.connect(str(exported / "warehouse.duckdb"), read_only=True) as connection:
        for context, shown in told["contexts"].items():
            for name, table in shown["tables"].items():
                rows = connection.execute(f"SELECT count(*) FROM {context}.{name}").fetchone()
                assert rows == (table["rows"],), name


def test_what_has_not_changed_is_not_written_again(loaded: Loaded, exported: Path) -> None:
    before = (exported / "manifest.json").read_bytes()

    done = loaded.program.succeed("export", exported)

    assert "Nothing has changed" in done.out
    assert (exported / "manifest.json").read_bytes() == before
