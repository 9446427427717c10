"""`export` and `digest --in`: the star schema as Parquet and DuckDB as of one moment, held against its manifest."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest

import replayhouse
from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.projections.marts import MARTS
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.cli import Loaded

PLACES = (*PROJECTIONS, "shared", "mart")
KEYS = """
    SELECT schema_name, table_name, constraint_column_names FROM duckdb_constraints() WHERE constraint_type = ?
"""
COMMENTS = """
    SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE schema_name <> 'main'
    UNION ALL SELECT schema_name || '.' || view_name, comment FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT schema_name || '.' || table_name || '.' || column_name, comment
    FROM duckdb_columns() WHERE schema_name <> 'main' AND NOT internal
"""
COMMENTS_THERE = """
    SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, ''), d.description
    FROM pg_description AS d
    JOIN pg_class AS c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'v', 'm')
"""


@pytest.fixture(scope="module")
def exported(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the loaded warehouse, for tests that only look at it."""
    folder = tmp_path_factory.mktemp("exported") / "reports"
    loaded.program.succeed("export", folder)
    return folder


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def places(folder: Path) -> dict[str, Any]:
    told = manifest(folder)
    return {**told["contexts"], "shared": told["shared"], "mart": told["mart"]}


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)


def test_an_export_has_the_digests_of_the_live_tables_wherever_they_are_recomputed(
    loaded: Loaded, exported: Path
) -> None:
    live, status = loaded.program.json("digest"), loaded.program.json("status")

    told = loaded.program.json("digest", "--in", exported)

    assert told == {**live, "position": status["position"], "chain": status["chain"]}
    again = loaded.program.json("export", exported)
    assert (again["contexts"], again["position"], again["chain"]) == (live["contexts"], told["position"], told["chain"])


def test_every_file_is_the_one_that_the_manifest_tells_of(exported: Path) -> None:
    told = manifest(exported)
    files = [table for place in places(exported).values() for table in place["tables"].values()]
    for one in (*files, told["warehouse"]):
        data = (exported / one["file"]).read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(data), sha256(data).hexdigest())
    for place, shown in places(exported).items():
        for name, table in shown["tables"].items():
            assert table["file"] == f"{place}/{name}.parquet"
            assert pq.read_metadata(exported / table["file"]).num_rows == table["rows"]


def test_tables_views_calendar_and_marts_are_all_there(exported: Path) -> None:
    found = {f"{place}.{name}" for place, shown in places(exported).items() for name in shown["tables"]}

    folded = {f"{context}.{table.name}" for context, made in PROJECTIONS.items() for table in made.tables}
    beside = {"marketplace.dim_product", "shared.dim_date", *(f"mart.{mart.name}" for mart in MARTS)}
    assert found == folded | beside


def test_parquet_has_the_types_that_are_declared(exported: Path) -> None:
    for context, made in PROJECTIONS.items():
        for table in made.tables:
            schema = pq.read_schema(exported / context / f"{table.name}.parquet")
            assert schema.equals(arrow_schema(table)), table.name


def test_the_view_of_duckdb_finds_what_that_of_the_warehouse_does(exported: Path) -> None:
    with opened(exported) as connection:
        view, file = "marketplace.dim_product", exported / "marketplace" / "dim_product.parquet"
        assert connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == [
            ("dim_product",)
        ]
        of_file = f"SELECT * REPLACE (product_id::UUID AS product_id) FROM read_parquet('{file}')"
        for one, other in ((f"SELECT * FROM {view}", of_file), (of_file, f"SELECT * FROM {view}")):
            assert connection.execute(f"{one} EXCEPT ALL {other}").fetchall() == []
    assert manifest(exported)["views"] == ["marketplace.dim_product"]


def test_duckdb_has_the_primary_keys_and_the_links_that_always_hold(exported: Path) -> None:
    with opened(exported) as connection:
        keys = {f"{s}.{t}": list(columns) for s, t, columns in connection.execute(KEYS, ["PRIMARY KEY"]).fetchall()}
        links = {(s, t, *columns) for s, t, columns in connection.execute(KEYS, ["FOREIGN KEY"]).fetchall()}

    declared = {
        f"{context}.{table.name}": [column.name for column in table.primary_key.columns]
        for context, made in PROJECTIONS.items()
        for table in made.tables
    }
    assert keys == {**declared, "shared.dim_date": ["date_key"], **{f"mart.{m.name}": list(m.key) for m in MARTS}}
    assert ("sales", "fact_order_item", "order_id") in links
    assert ("customer", "segment_history", "customer_id") in links


def test_keys_that_would_need_too_much_memory_are_told_in_comments(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replayhouse.infra.exporting.duckdb_file.MOST_ROWS_WITH_KEYS", 100)

    with replayhouse.open(home=loaded.program.home) as warehouse:
        warehouse.export(tmp_path / "large", ["sales", "marketplace"])

    with opened(tmp_path / "large") as connection:
        keys = {f"{s}.{t}" for s, t, _ in connection.execute(KEYS, ["PRIMARY KEY"]).fetchall()}
        comments = dict(connection.execute(COMMENTS).fetchall())
        assert connection.execute(KEYS, ["FOREIGN KEY"]).fetchall() == []
    assert "marketplace.dim_seller" in keys
    assert "sales.fact_order" not in keys
    assert comments["sales.fact_order_item"].endswith("(key: order_id, item_no)")
    assert loaded.program.run("digest", "--in", tmp_path / "large").code == 0


def test_tables_and_columns_have_the_comments_of_the_warehouse(loaded: Loaded, exported: Path) -> None:
    with psycopg.connect(loaded.url) as there:
        wanted: dict[str, str] = dict(there.execute(COMMENTS_THERE, [list(PLACES)]).fetchall())
    with opened(exported) as connection:
        found = dict(connection.execute(COMMENTS).fetchall())

    assert found == wanted


def test_the_duckdb_file_says_what_it_shows(exported: Path) -> None:
    told = manifest(exported)
    with opened(exported) as connection:
        about = connection.execute("SELECT store::VARCHAR, moment, position, chain, is_in_clear FROM about").fetchall()
    assert about == [(told["store"], "live", told["position"], told["chain"], True)]


def test_what_has_not_changed_is_not_written_again(loaded: Loaded, exported: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in exported.rglob("*")}

    done = loaded.program.succeed("export", exported)

    assert "Nothing has changed" in done.out
    assert {path: path.stat().st_mtime_ns for path in exported.rglob("*")} == before
    assert loaded.program.json("export", exported)["status"] == "unchanged"


def test_some_contexts_are_exported_without_the_marts_that_need_all(loaded: Loaded, tmp_path: Path) -> None:
    told = loaded.program.json("export", tmp_path / "sales", "sales", "--contexts", "marketplace")

    assert told["contexts"] == {
        context: shown
        for context, shown in loaded.program.json("digest")["contexts"].items()
        if context in told["contexts"]
    }
    assert list(told["contexts"]) == ["sales", "marketplace"]
    assert places(tmp_path / "sales")["mart"]["tables"] == {}
    assert list(loaded.program.json("digest", "--in", tmp_path / "sales")["contexts"]) == ["sales", "marketplace"]
    assert loaded.program.run("digest", "customer", "--in", tmp_path / "sales").code == 2


def test_python_has_the_same(loaded: Loaded, exported: Path) -> None:
    with replayhouse.open(home=loaded.program.home) as warehouse:
        report = warehouse.export(exported)
        found = warehouse.digest_in(exported, ["sales"])

    assert report.is_unchanged
    assert found.is_equal
    assert (
        found.contexts["sales"].tables["fact_order"].rows == report.manifest.contexts["sales"].tables["fact_order"].rows
    )


def test_a_table_of_many_parts_is_the_same(
    loaded: Loaded, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replayhouse.infra.read_models.arrow._PART_BYTES", 3_000)

    with replayhouse.open(home=loaded.program.home) as warehouse:
        report = warehouse.export(tmp_path / "parts")

    assert pq.read_metadata(tmp_path / "parts" / "sales" / "fact_order.parquet").num_row_groups > 1
    assert {c: {n: t.digest for n, t in shown.tables.items()} for c, shown in report.manifest.contexts.items()} == {
        c: {n: t["digest"] for n, t in shown["tables"].items()} for c, shown in manifest(exported)["contexts"].items()
    }


def test_an_empty_warehouse_can_be_exported(empty: Any, tmp_path: Path) -> None:
    told = empty.json("export", tmp_path / "nothing")

    assert (told["position"], told["chain"]) == (0, "0" * 64)
    assert told["contexts"] == empty.json("digest")["contexts"]
    assert empty.succeed("digest", "--in", tmp_path / "nothing").code == 0


def test_files_are_for_their_owner_alone(exported: Path) -> None:
    for path in (exported, *exported.rglob("*")):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o077 == 0, path
