"""The folder of an export: exchanged whole, refused where it is another's, and never half of anything."""

import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from replayhouse.infra.exporting import recomputed
from replayhouse.infra.exporting.folder import ExportFolder
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import an_order
from tests.support.cli import Program
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.homes import IN_SMALL_STEPS
from tests.support.in_process import Warehouse, refused
from tests.support.small_files import with_small_files
from tests.support.small_steps import KILL_AFTER

LATER = changed(a_good_extract(), orders=adding(an_order(6)))


@pytest.fixture(scope="module")
def begun(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with one load, to be copied."""
    folder = tmp_path_factory.mktemp("begun")
    with copied(server) as database:
        Warehouse(database, folder / "home").ingest(write(folder / "first", a_good_extract()))
        yield database


@pytest.fixture
def warehouse(server: EmbeddedServer, begun: Database, tmp_path: Path) -> Iterator[Warehouse]:
    with copied(server, begun) as database:
        yield Warehouse(database, tmp_path / "home")


@pytest.fixture
def folder(warehouse: Warehouse, tmp_path: Path) -> Path:
    """An export of it."""
    warehouse.json("export", tmp_path / "reports")
    return tmp_path / "reports"


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def state_of(folder: Path) -> dict[str, bytes]:
    """What readers see: every file under its own name."""
    return {name: (folder / name).read_bytes() for name in ["manifest.json", *files_of(folder)]}


def files_of(folder: Path) -> list[str]:
    told = manifest(folder)
    places = [*told["contexts"].values(), told["shared"], told["mart"]]
    return [told["warehouse"]["file"], *(table["file"] for place in places for table in place["tables"].values())]


def bytes_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_tidy(folder: Path) -> bool:
    """Whether nothing is there but one generation, the names that lead to it, and the lock."""
    hidden = [path for path in folder.iterdir() if path.name.startswith(".")]
    names = {path.name for path in folder.iterdir()} - {path.name for path in hidden}
    return (
        sorted(path.name[:8] for path in hidden) == [".current", ".export-", ".lock"]
        and names == {path.name for path in (folder / ".current").iterdir()}
        and all(path.exists() for path in folder.iterdir())
    )


# --- again ----------------------------------------------------------------------------------------------------------


def test_a_later_export_takes_the_place_of_the_former_and_files_that_are_the_same_stay(
    warehouse: Warehouse, folder: Path, tmp_path: Path
) -> None:
    before = {name: (folder / name).stat() for name in files_of(folder)}
    warehouse.ingest(write(tmp_path / "later", LATER))

    told = warehouse.json("export", folder)

    assert told["contexts"] == warehouse.json("digest")["contexts"]
    assert warehouse.run("digest", "--in", folder).code == 0
    assert is_tidy(folder)
    same = {name for name, former in before.items() if os.path.samestat(former, (folder / name).stat())}
    assert {"marketplace/product.parquet", "shared/dim_date.parquet"} <= same
    assert not {"sales/fact_order.parquet", "quality/batch.parquet", "warehouse.duckdb"} & same


def test_who_reads_the_former_files_reads_them_to_their_end(warehouse: Warehouse, folder: Path, tmp_path: Path) -> None:
    count = "SELECT count(*) FROM sales.fact_order"
    with (
        duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as reader,
        (folder / "sales" / "fact_order.parquet").open("rb") as file,
    ):
        before = reader.execute(count).fetchone()
        warehouse.ingest(write(tmp_path / "later", LATER))
        warehouse.json("export", folder)

        assert reader.execute(count).fetchone() == before
        assert (pq.ParquetFile(file).read().num_rows,) == before
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as reader:
        assert reader.execute(count).fetchone() != before


@pytest.mark.parametrize("moment", [[], ["--at", "r1"]])
def test_of_a_log_that_went_on_from_an_earlier_backup_no_file_is_taken_from_before(
    moment: list[str], server: EmbeddedServer, begun: Database, tmp_path: Path
) -> None:
    """Both logs are of one store, and as long: only their events tell them apart."""
    folder = tmp_path / "reports"
    for number, placed in enumerate(("2017-03-01 10:00:00", "2017-03-01 10:00:01")):
        with copied(server, begun) as database:
            warehouse = Warehouse(database, tmp_path / f"home{number}")
            later = changed(a_good_extract(), orders=adding(an_order(6, placed=placed)))
            warehouse.ingest(write(tmp_path / f"later{number}", later))
            live = warehouse.json("digest")
            if moment:
                warehouse.json("rebuild")
            told = warehouse.json("export", folder, *moment)
    assert told["contexts"]["sales"]["tables"] == live["contexts"]["sales"]["tables"]
    assert warehouse.run("digest", "--in", folder).code == 0


def test_digests_of_an_export_that_is_replaced_meanwhile_are_those_of_one_export(
    warehouse: Warehouse, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.ingest(write(tmp_path / "later", LATER))
    of_files, once = recomputed.digest_of_files, [True]

    def replaced(*arguments: Any) -> Any:
        """The new export takes its place once the manifest of the former was read."""
        if once:
            once.pop()
            warehouse.json("export", folder)
        return of_files(*arguments)

    monkeypatch.setattr(recomputed, "digest_of_files", replaced)

    told = warehouse.json("digest", "--in", folder)

    assert not once
    assert told["contexts"] == warehouse.json("digest")["contexts"]


def test_a_folder_may_be_called_as_partitions_are(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "day=2026-11-30"
    folder.mkdir()

    told = warehouse.json("export", folder / "reports *")

    assert warehouse.json("digest", "--in", folder / "reports *")["contexts"] == told["contexts"]
    with duckdb.connect(str(folder / "reports *" / "warehouse.duckdb"), read_only=True) as reader:
        assert "day" not in [name for name, *_ in reader.execute("DESCRIBE sales.fact_order").fetchall()]


@pytest.mark.parametrize("name", ["what?", "back\\slash"])
def test_a_folder_that_duckdb_cannot_write_to_is_refused_before_it_is_made(
    name: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    refused(warehouse.run("export", tmp_path / name, "--json"), 2, "DuckDB", name)

    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["../elsewhere.parquet", "/etc/passwd", "", ".", "sales/\0.parquet"])
def test_a_manifest_that_names_no_file_of_the_folder_is_refused(name: str, warehouse: Warehouse, folder: Path) -> None:
    told = manifest(folder)
    told["contexts"]["sales"]["tables"]["fact_order"]["file"] = name
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")

    refused(warehouse.run("digest", "--in", folder, "--json"), 2, "outside of its folder")


def test_a_manifest_that_names_no_table_is_no_proof_of_anything(warehouse: Warehouse, folder: Path) -> None:
    told = {**manifest(folder), "contexts": {}}
    (folder / "manifest.json").resolve().write_text(json.dumps(told), encoding="utf-8")

    refused(warehouse.run("digest", "--in", folder, "--json"), 2, "names no table")


def test_a_file_that_is_gone_is_written_again(warehouse: Warehouse, folder: Path) -> None:
    (folder / "sales" / "fact_order.parquet").unlink()

    assert warehouse.json("export", folder)["status"] == "written"
    assert warehouse.run("digest", "--in", folder).code == 0


def test_an_export_of_something_else_is_replaced_only_where_that_is_said(warehouse: Warehouse, folder: Path) -> None:
    before = state_of(folder)

    refused(warehouse.run("export", folder, "sales", "--json"), 2, "--force", "contexts")
    refused(warehouse.run("export", folder, "--at", "3", "--json"), 2, "--force", "live")
    refused(warehouse.run("export", folder, "--withhold-personal", "--json"), 2, "--force", "in clear")
    assert state_of(folder) == before

    assert list(warehouse.json("export", folder, "sales", "--force")["contexts"]) == ["sales"]
    assert is_tidy(folder)


def test_an_export_of_another_store_is_not_refreshed(warehouse: Warehouse, folder: Path) -> None:
    told = {**manifest(folder), "store": "00000000-0000-0000-0000-000000000007"}
    (folder / "manifest.json").resolve().write_text(json.dumps(told))

    refused(warehouse.run("export", folder, "--json"), 2, "another store", "--force")


# --- what is not ours -----------------------------------------------------------------------------------------------


def a_file(path: Path) -> None:
    path.write_text("mine")


def a_folder_with_something(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine")


def a_folder_with_a_manifest(path: Path) -> None:
    path.mkdir()
    (path / "manifest.json").write_text('{"format": "something else 7"}')


@pytest.mark.parametrize("made", [a_file, a_folder_with_something, a_folder_with_a_manifest])
def test_what_is_no_export_of_ours_is_left_as_it_is(
    made: Callable[[Path], None], warehouse: Warehouse, tmp_path: Path
) -> None:
    made(tmp_path / "mine")
    before = {
        path: path.read_bytes() for path in [tmp_path / "mine", *(tmp_path / "mine").rglob("*")] if path.is_file()
    }

    for more in ([], ["--force"]):
        refused(warehouse.run("export", tmp_path / "mine", *more, "--json"), 2, str(tmp_path / "mine"))

    assert bytes_below(tmp_path) == before


def test_a_name_that_is_taken_is_told_and_nothing_is_exchanged(
    warehouse: Warehouse, folder: Path, tmp_path: Path
) -> None:
    before = state_of(folder)
    (folder / "sales").unlink()
    (folder / "sales").mkdir()
    warehouse.ingest(write(tmp_path / "later", LATER))

    refused(warehouse.run("export", folder, "--json"), 2, str(folder / "sales"), "in the way")

    (folder / "sales").rmdir()
    (folder / "sales").symlink_to(".current/sales")
    assert state_of(folder) == before


def test_a_url_is_told_to_be_none_of_this_machine(warehouse: Warehouse) -> None:
    refused(warehouse.run("export", "s3://bucket/reports", "--json"), 2, "s3://bucket/reports is a URL")


def test_a_folder_whose_parent_is_missing_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    refused(warehouse.run("export", tmp_path / "no" / "where", "--json"), 2, str(tmp_path / "no"))


@pytest.mark.parametrize(
    "told", ["{", "[]", '{"format": "replayhouse export 9"}', '{"format": "replayhouse export 1"}']
)
def test_a_manifest_that_cannot_be_read_is_told_and_nothing_is_written(
    told: str, warehouse: Warehouse, folder: Path
) -> None:
    (folder / "manifest.json").resolve().write_text(told)

    refused(warehouse.run("digest", "--in", folder, "--json"), 2, "manifest.json")
    refused(warehouse.run("export", folder, "--force", "--json"), 2, "manifest.json")

    assert (folder / "manifest.json").read_text() == told


def test_a_manifest_that_leads_out_of_its_folder_is_refused(warehouse: Warehouse, folder: Path) -> None:
    told = manifest(folder)
    told["contexts"]["sales"]["tables"]["fact_order"]["file"] = "../../secret.parquet"
    (folder / "manifest.json").resolve().write_text(json.dumps(told))

    refused(warehouse.run("digest", "--in", folder, "--json"), 2, "outside")


# --- digests --------------------------------------------------------------------------------------------------------


def test_a_table_that_was_changed_is_named(warehouse: Warehouse, folder: Path) -> None:
    file = folder / "sales" / "fact_payment.parquet"
    table = pq.read_table(file)
    pq.write_table(table.set_column(2, "method", pa.array(["voucher"] * table.num_rows)), file)

    done = warehouse.run("digest", "--in", folder, "--json")

    assert (done.code, done.document["differing"]) == (1, ["sales.fact_payment"])
    assert "sales.fact_payment" in warehouse.run("digest", "sales", "--in", folder).err
    assert warehouse.run("digest", "customer", "--in", folder).code == 0


def test_a_table_that_was_changed_in_duckdb_is_named(warehouse: Warehouse, folder: Path) -> None:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("UPDATE sales.fact_payment SET method = 'voucher'")
        connection.execute("DROP TABLE customer.fact_review")

    done = warehouse.run("digest", "--in", folder, "--json")

    assert done.code == 1
    assert done.document["differing"] == [
        f"{table} in warehouse.duckdb" for table in ("sales.fact_payment", "customer.fact_review")
    ]


@pytest.mark.parametrize("file", ["sales/fact_order.parquet", "warehouse.duckdb", "manifest.json"])
@pytest.mark.parametrize("harm", ["missing", "cut off", "not what it was"])
def test_a_file_that_cannot_be_read_is_named(file: str, harm: str, warehouse: Warehouse, folder: Path) -> None:
    path = (folder / file).resolve()
    data = path.read_bytes()
    path.unlink()
    if harm == "cut off":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "not what it was":
        path.write_bytes(b"a text of somebody's" * 100)

    done = warehouse.run("digest", "--in", folder, "--json")

    if (file, harm) == ("warehouse.duckdb", "cut off"):  # its tables are not there any more
        assert done.code == 1
        assert "sales.fact_order in warehouse.duckdb" in done.document["differing"]
    else:
        refused(done, 2, str(folder), *(["There is no file"] if (file[:5], harm) == ("sales", "missing") else []))


def test_no_database_is_needed(folder: Path, tmp_path: Path) -> None:
    program = Program(tmp_path / "nothing here", REPLAYHOUSE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")

    assert program.json("digest", "--in", folder)["position"] == manifest(folder)["position"]


# --- killed, crowded, cramped ---------------------------------------------------------------------------------------

STEPS = (
    "replayhouse.infra.application.export:held",
    "replayhouse.infra.exporting.folder:ExportFolder.begin",
    "replayhouse.infra.application.export:write_table:3",
    "replayhouse.infra.application.export:write_table:20",
    "replayhouse.infra.application.export:write_warehouse",
    "replayhouse.infra.exporting.folder:write_new",
    "replayhouse.infra.exporting.folder:ExportFolder._link",
    "replayhouse.infra.exporting.folder:ExportFolder._link:2",
    "replayhouse.infra.exporting.folder:keep_name:9",
    "replayhouse.infra.exporting.folder:ExportFolder.tidy:2",
    "replayhouse.infra.exporting.folder:ExportFolder.switch",
)


def in_small_steps(warehouse: Warehouse, tmp_path: Path, **settings: str) -> Program:
    url = warehouse.database.url
    return Program(tmp_path / "home", IN_SMALL_STEPS, REPLAYHOUSE_DATABASE_URL=url, **settings)


def test_killed_after_every_step_in_turn_readers_see_the_old_export_or_the_new(
    warehouse: Warehouse, folder: Path, tmp_path: Path
) -> None:
    old = state_of(folder)
    warehouse.ingest(write(tmp_path / "later", LATER))
    live = warehouse.json("digest")["contexts"]
    shutil.copytree(folder, tmp_path / "kept", symlinks=True)
    for step in STEPS:
        done = in_small_steps(warehouse, tmp_path, **{KILL_AFTER: step}).run("export", folder)

        assert done.code == -signal.SIGKILL, (step, done)
        seen = state_of(folder)
        is_new = seen["manifest.json"] != old["manifest.json"]
        assert manifest(folder)["contexts"].keys() == live.keys() if is_new else seen == old, step
        if is_new:
            assert warehouse.json("digest", "--in", folder)["contexts"] == live, step
            assert warehouse.json("export", folder)["status"] == "unchanged", step
            assert is_tidy(folder), step
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / "kept", folder, symlinks=True)

    assert warehouse.json("export", folder)["contexts"] == live
    assert is_tidy(folder)


def test_killed_after_every_step_of_the_first_export_in_turn_there_is_none_or_all_of_it(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    for step in STEPS:
        done = in_small_steps(warehouse, tmp_path, **{KILL_AFTER: step}).run("export", folder)

        assert done.code == -signal.SIGKILL, (step, done)
        if (folder / "manifest.json").exists():
            assert warehouse.run("digest", "--in", folder).code == 0, step
            shutil.rmtree(folder)

    assert warehouse.json("export", folder)["contexts"] == warehouse.json("digest")["contexts"]
    assert is_tidy(folder)


def test_two_at_once_are_one_too_many(warehouse: Warehouse, folder: Path) -> None:
    with (folder / ".lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(warehouse.run("export", folder, "--json"), 4, "Another command")
    assert warehouse.json("export", folder)["status"] == "unchanged"


@pytest.mark.parametrize("most", [2_000, 20_000])
def test_where_no_file_may_grow_the_old_export_stays(
    most: int, warehouse: Warehouse, folder: Path, tmp_path: Path
) -> None:
    old = state_of(folder)
    warehouse.ingest(write(tmp_path / "later", LATER))
    program = with_small_files(most, (sys.executable, "-m", IN_SMALL_STEPS))

    done = Program(tmp_path / "home", program, REPLAYHOUSE_DATABASE_URL=warehouse.database.url).run(
        "export", folder, "--json"
    )

    refused(done, 2, str(folder), "full")
    assert state_of(folder) == old
    assert is_tidy(folder)
    assert warehouse.json("export", folder)["contexts"] == warehouse.json("digest")["contexts"]


def test_where_there_are_no_hard_links_files_are_copied(
    warehouse: Warehouse, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    warehouse.ingest(write(tmp_path / "later", LATER))
    monkeypatch.setattr(os, "link", refuse)

    warehouse.json("export", folder)

    assert warehouse.run("digest", "--in", folder).code == 0
    assert (folder / "marketplace" / "product.parquet").stat().st_mode & 0o777 == 0o600


def test_rows_that_somebody_has_changed_and_no_key_holds_are_told(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.rows("WITH gone AS (DELETE FROM sales.fact_order RETURNING 1) SELECT count(*) FROM gone")

    refused(warehouse.run("export", tmp_path / "new", "--json"), 1, "sales.fact_", "rebuild")

    assert ExportFolder(tmp_path / "new").former is None
    assert not (tmp_path / "new" / ".current").is_symlink()


# --- what others have made ------------------------------------------------------------------------------------------


def test_views_of_ones_own_are_tables_of_the_export_and_one_that_fails_is_left_out(
    warehouse: Warehouse, folder: Path
) -> None:
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute(
            "CREATE VIEW mart.mean AS SELECT status, avg(total) AS mean FROM sales.fact_order GROUP BY 1"
        )
        connection.execute("CREATE MATERIALIZED VIEW mart.fixed AS SELECT 7 AS seven")
        connection.execute("CREATE VIEW mart.faulty AS SELECT 1 / (n - n) AS one FROM generate_series(1, 2) AS n")

    done = warehouse.run("export", folder, "--json")

    assert list(done.document["left_out"]) == ["mart.faulty"]
    assert "division by zero" in done.err
    told = manifest(folder)
    assert told["materialised"] == ["mart.fixed", "mart.mean"]
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT seven FROM mart.fixed").fetchall() == [(7,)]
        found = {row[0] for row in connection.execute("SELECT mean FROM mart.mean").fetchall()}
    assert found == {row[0] for row in warehouse.rows("SELECT mean FROM mart.mean")}
    assert warehouse.json("export", folder)["status"] == "unchanged"
