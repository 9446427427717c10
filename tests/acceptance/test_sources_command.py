"""`sources`: mappings listed, begun and tried, without a warehouse."""

from pathlib import Path

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.support.in_process import Warehouse, refused
from tests.support.mappings import SHIPPED
from tests.support.shop import LINES, write_export, write_mapping


@pytest.fixture
def nowhere(database: Database, tmp_path: Path) -> Warehouse:
    """A program whose home is not there."""
    return Warehouse(database, tmp_path / "home")


def test_the_mappings_that_come_with_the_program_are_listed(nowhere: Warehouse) -> None:
    listed = nowhere.json("sources")
    assert [one["name"] for one in listed] == sorted(path.name for path in SHIPPED.iterdir())
    assert all((Path(one["folder"]) / "source.toml").is_file() for one in listed)


def test_a_check_tells_what_comes_of_an_extract_and_loads_nothing(nowhere: Warehouse, tmp_path: Path) -> None:
    lines = [LINES[0].replace(";30,50;", ";thirty;"), *LINES[1:], "#1009;x@example.com"]
    export = write_export(tmp_path / "export", [*lines, LINES[2].replace("#1002", "#1010")])
    told = nowhere.json("sources", "check", write_mapping(tmp_path / "shop"), export)
    [file] = told["files"]
    assert (file["file"], file["rows"], file["malformed"], file["unused"]) == ("orders_export_1.csv", 7, 1, [])
    records = {one["record"]: one for one in told["records"]}
    assert (records["orders"]["records"], records["order_items"]["records"]) == (4, 6)
    kept_apart = {one["rule"]: one["line"] for one in records["order_items"]["kept_apart"]}
    assert kept_apart == {"values_readable": 2}
    assert records["customers"]["kept_apart"][0]["rule"] == "records_well_formed"
    assert "@" not in str(told)
    assert "são paulo" not in str(records["customers"])
    assert told["reasons"] == []
    assert not (tmp_path / "home").exists()
    assert nowhere.events() == {}


def test_a_check_of_what_would_be_rejected_is_a_no(nowhere: Warehouse, tmp_path: Path) -> None:
    source = write_mapping(tmp_path / "shop")
    (source / "products.sql").unlink()
    done = nowhere.run("sources", "check", source, write_export(tmp_path / "export", LINES))
    assert done.code == 1
    assert "The file products is missing" in done.out


def test_a_first_mapping_is_written_and_never_overwritten(nowhere: Warehouse, tmp_path: Path) -> None:
    export, folder = write_export(tmp_path / "export", LINES), tmp_path / "My Shop"
    written = Path(nowhere.json("sources", "new", folder, export)["file"])
    text = written.read_text(encoding="utf-8")
    assert 'name = "my-shop"' in text
    refused(nowhere.run("sources", "new", folder, export, "--json"), 2, "never overwritten")
    assert written.read_text(encoding="utf-8") == text
