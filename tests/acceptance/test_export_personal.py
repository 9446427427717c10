"""Personal fields in an export: noted before they are read, named once somebody was erased, or withheld."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest

import replayhouse
from replayhouse.infra.application import export as export_module
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.identity import Asked, Identity, Role
from replayhouse.projections import sights
from tests.oracle.lines import a_customer
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, changed, write
from tests.support.in_process import Warehouse, refused

PERSON = str(UUID(int=901))
ACCESSES = "SELECT who, purpose, resource FROM event_store.access ORDER BY access_id"
COPIES = "SELECT place, contexts, is_in_clear, read_at_position FROM event_store.copy_elsewhere"
CITY = "paranapiacaba"


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a person who lives where nobody else does, to be copied."""
    folder = tmp_path_factory.mktemp("loaded")
    lines = changed(
        {file: some for file, some in a_good_extract().items() if file != "geolocation"},
        customers=lambda some: [a_customer(101, 901, "09150", CITY), a_customer(102, 901, "09150", CITY), *some[2:5]],
    )
    with copied(server) as database:
        Warehouse(database, folder / "home").ingest(write(folder / "first", lines))
        yield database


@pytest.fixture
def warehouse(server: EmbeddedServer, loaded: Database, tmp_path: Path) -> Iterator[Warehouse]:
    with copied(server, loaded) as database:
        yield Warehouse(database, tmp_path / "home")


def told_in(folder: Path) -> set[str]:
    """In which tables of an export the city is told."""
    found = set()
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        for schema, name in connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            for source in (f"{schema}.{name}", f"read_parquet('{folder}/{schema}/{name}.parquet')"):
                if schema != "main" and connection.execute(
                    f"SELECT count(*) FROM {source} AS t WHERE t::VARCHAR LIKE '%{CITY}%'"
                ).fetchone() != (0,):
                    found.add(f"{schema}.{name}")
    return found


def holds_in_bytes(folder: Path) -> bool:
    return any(CITY.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_an_export_in_clear_is_in_the_access_log_and_among_the_copies(warehouse: Warehouse, tmp_path: Path) -> None:
    done = warehouse.run("export", tmp_path / "reports", "--json", REPLAYHOUSE_ACTOR="ana", REPLAYHOUSE_PURPOSE="audit")

    assert told_in(tmp_path / "reports") == {"customer.dim_customer", "customer.address_history", "mart.orders"}
    position = done.document["position"]
    [(who, purpose, resource)] = warehouse.rows(ACCESSES)
    assert (who, purpose) == ("ana", "audit")
    assert str(tmp_path / "reports") in resource
    contexts = ["sales", "fulfillment", "customer", "marketplace", "quality"]
    assert warehouse.rows(COPIES) == [(str(tmp_path / "reports"), contexts, True, position)]


def test_withheld_is_null_and_listed_and_nothing_is_noted(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "reports"

    told = warehouse.json("export", folder, "--withhold-personal")

    assert told["withheld"] == {
        f"{one.place}.{one.name}": [column for column in one.columns if column in one.personal]
        for one in sights.relations()
        if one.personal
    }
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        for table, columns in told["withheld"].items():
            schema, name = table.split(".")
            for source in (table, f"read_parquet('{folder}/{schema}/{name}.parquet')"):
                counts = ", ".join(f"count({column})" for column in columns)
                assert set(connection.execute(f"SELECT {counts} FROM {source}").fetchall()[0]) == {0}, source
    assert told_in(folder) == set()
    assert not holds_in_bytes(folder)
    assert warehouse.rows(ACCESSES) == []
    assert [is_in_clear for _, _, is_in_clear, _ in warehouse.rows(COPIES)] == [False]
    assert warehouse.run("digest", "--in", folder).code == 0
    assert warehouse.json("export", folder, "--withhold-personal")["status"] == "unchanged"


def test_what_others_have_made_is_left_out_where_personal_fields_are_withheld(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute("CREATE VIEW mart.cities AS SELECT city FROM customer.dim_customer")

    told = warehouse.json("export", tmp_path / "reports", "--withhold-personal")

    assert list(told["left_out"]) == ["mart.cities"]
    assert told_in(tmp_path / "reports") == set()
    assert warehouse.json("export", tmp_path / "reports", "--withhold-personal")["status"] == "unchanged"


def test_an_export_that_may_show_an_erased_person_is_named_until_it_is_made_anew(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    folder, without = tmp_path / "reports", tmp_path / "without"
    warehouse.json("export", folder)
    warehouse.json("export", without, "--withhold-personal")
    assert holds_in_bytes(folder) or told_in(folder)
    assert warehouse.run("status", "--check").code == 0

    told = warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "asked for it")

    assert [copy["place"] for copy in told["stale_copies"]] == [str(folder)]
    done = warehouse.run("status", "--check")
    assert (done.code, str(folder) in done.out + done.err) == (1, True)

    assert warehouse.json("export", folder)["status"] == "written"

    assert told_in(folder) == set()
    assert not holds_in_bytes(folder)
    assert warehouse.run("status", "--check").code == 0


def test_an_export_of_other_contexts_is_named_no_more_once_it_was_made_anew(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    warehouse.json("export", tmp_path / "deliveries", "fulfillment")
    warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "asked for it")
    assert warehouse.run("status", "--check").code == 1

    warehouse.json("export", tmp_path / "deliveries", "fulfillment")

    assert warehouse.run("status", "--check").code == 0


def test_a_moment_before_the_erasure_does_not_show_the_person_either(warehouse: Warehouse, tmp_path: Path) -> None:
    position = warehouse.json("status")["position"]
    warehouse.json("export", tmp_path / "then", "--at", str(position - 1))
    warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "asked for it")
    assert warehouse.run("status", "--check").code == 1

    warehouse.json("export", tmp_path / "then", "--at", str(position - 1))

    assert told_in(tmp_path / "then") == set()
    assert warehouse.run("status", "--check").code == 0


def test_one_that_fails_is_named_by_what_it_began_with(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old files still stand: that others are read now does not make them newer."""
    warehouse.json("export", tmp_path / "reports")
    [(_, _, _, position)] = warehouse.rows(COPIES)
    warehouse.json("customer", "erase", "--yes", PERSON, "--reason", "asked for it")

    def fail(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(export_module, "write_warehouse", fail)
        refused(warehouse.run("export", tmp_path / "reports", "--json"), 2, "full")

    assert [at for _, _, _, at in warehouse.rows(COPIES)] == [position]
    assert warehouse.run("status", "--check").code == 1
    warehouse.json("export", tmp_path / "reports")
    assert warehouse.run("status", "--check").code == 0


@pytest.mark.parametrize("withheld", [False, True])
def test_only_owners_make_an_export(withheld: bool, warehouse: Warehouse, tmp_path: Path) -> None:
    url = warehouse.database.url
    asked = Asked(Identity("ana", Role.READER, "token"), "")
    with (
        replayhouse.open(home=tmp_path / "home", database_url=url) as python,
        python.on_behalf_of(asked),
        pytest.raises(replayhouse.ReplayhouseError, match="owner"),
    ):
        python.export(tmp_path / "reports", withhold_personal=withheld)
    assert not (tmp_path / "reports").exists()
    assert warehouse.rows(ACCESSES) == []
