"""`export --at`: the star schema as it was, or as it stands under another name, and nothing left behind by it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.ingest.synthetic import generate
from tests.support.cli import CONTEXTS
from tests.support.databases import copied
from tests.support.in_process import Warehouse, refused

MARTS = "SELECT relname::text FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind = 'm'"
WITHIN_A_COMMIT = "SELECT max(first_position) FROM event_store.commit WHERE first_position < last_position"
SCHEMAS = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1"
NOW = """SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ')"""


@pytest.fixture(scope="module")
def two_loads(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Any]]:
    """A warehouse with two loads; when and where the log was after the first, and its digests then."""
    folder = tmp_path_factory.mktemp("two")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        generate(folder / "first", 60, seed=5, until=None)
        generate(folder / "second", 80, seed=5, until=None)
        position = warehouse.ingest(folder / "first")["position"]
        [(at,)] = warehouse.rows(NOW)
        known = {"position": position, "at": at, "digests": warehouse.digests(CONTEXTS)}
        warehouse.json("rebuild")
        warehouse.ingest(folder / "second")
        warehouse.json("rebuild", "--to-position", str(position), "--into", "then")
        yield database, known


@pytest.fixture
def known(two_loads: tuple[Database, Any]) -> Any:
    return two_loads[1]


@pytest.fixture
def warehouse(two_loads: tuple[Database, Any], tmp_path: Path) -> Warehouse:
    return Warehouse(two_loads[0], tmp_path / "home")


def digests_of(told: Any) -> dict[str, dict[str, str]]:
    return {
        context: {name: table["digest"] for name, table in shown["tables"].items()}
        for context, shown in told["contexts"].items()
    }


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("by", ["position", "at"])
def test_the_log_up_to_a_position_or_a_time_is_exported_as_it_was(
    by: str, warehouse: Warehouse, known: Any, tmp_path: Path
) -> None:
    before = warehouse.rows(SCHEMAS)

    told = warehouse.json("export", tmp_path / "then", "--at", str(known[by]))

    assert digests_of(told) == known["digests"]
    assert told["position"] == known["position"]
    assert len(told["chain"]) == 64
    assert warehouse.run("digest", "--in", tmp_path / "then").code == 0
    assert warehouse.rows(SCHEMAS) == before
    assert warehouse.json("export", tmp_path / "then", "--at", str(known[by]))["status"] == "unchanged"


def test_marts_and_calendar_are_those_of_the_moment(warehouse: Warehouse, known: Any, tmp_path: Path) -> None:
    warehouse.json("export", tmp_path / "position", "--at", str(known["position"]))
    warehouse.json("export", tmp_path / "prefix", "--at", "then")

    of_position, of_prefix = (manifest(tmp_path / name) for name in ("position", "prefix"))
    for place in ("mart", "shared"):
        rows = {name: table["rows"] for name, table in of_position[place]["tables"].items()}
        assert rows == {name: table["rows"] for name, table in of_prefix[place]["tables"].items()}
    with duckdb.connect(str(tmp_path / "position" / "warehouse.duckdb"), read_only=True) as connection:
        [(orders, facts)] = connection.execute(
            "SELECT (SELECT sum(orders) FROM mart.executive_daily), (SELECT count(*) FROM sales.fact_order)"
        ).fetchall()
    assert orders == facts < warehouse.rows("SELECT count(*) FROM sales.fact_order")[0][0]


def test_what_stands_under_a_prefix_is_exported(warehouse: Warehouse, known: Any, tmp_path: Path) -> None:
    told = warehouse.json("export", tmp_path / "then", "--at", "then")

    assert (digests_of(told), told["moment"], told["position"]) == (known["digests"], "then", known["position"])
    assert warehouse.json("export", tmp_path / "then", "--at", "then")["status"] == "unchanged"


def test_a_revision_that_is_kept_is_exported_with_a_calendar_and_marts_of_its_own(
    warehouse: Warehouse, known: Any, tmp_path: Path
) -> None:
    before = warehouse.rows(SCHEMAS)

    told = warehouse.json("export", tmp_path / "first", "--at", "r1")

    assert digests_of(told) == known["digests"]
    assert {shown["revision"] for shown in told["contexts"].values()} == {1}
    assert manifest(tmp_path / "first")["mart"]["tables"].keys() == {name for (name,) in warehouse.rows(MARTS)}
    assert warehouse.run("digest", "--in", tmp_path / "first").code == 0
    assert warehouse.rows(SCHEMAS) == before
    assert warehouse.json("export", tmp_path / "first", "--at", "r1")["status"] == "unchanged"


def test_a_position_within_a_commit_has_no_chain(warehouse: Warehouse, tmp_path: Path) -> None:
    [(within,)] = warehouse.rows(WITHIN_A_COMMIT)

    told = warehouse.json("export", tmp_path / "within", "sales", "--at", str(within))

    assert (told["position"], told["chain"]) == (within, None)
    assert warehouse.json("digest", "--in", tmp_path / "within")["chain"] is None


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("r77", "nothing called"),
        ("999999999", "no position"),
        ("2026-03-01T12:00", "offset"),
        ("no", "nothing called"),
    ],
)
def test_what_is_no_moment_is_told_and_nothing_is_written(
    moment: str, words: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    refused(warehouse.run("export", tmp_path / "new", "--at", moment, "--json"), 2, words)
    assert not (tmp_path / "new").exists()


def test_what_a_sealed_log_was_replayed_to_is_recomputed_too(warehouse: Warehouse, known: Any, tmp_path: Path) -> None:
    warehouse.json("log", "seal", tmp_path / "sealed")
    up_to = ("--to-position", str(known["position"]))
    told = warehouse.json("replay", tmp_path / "sealed", "--out", tmp_path / "rows", *up_to)

    found = warehouse.json("digest", "--in", tmp_path / "rows")

    assert (found["position"], digests_of(found)) == (known["position"], digests_of(told))
    some = next((tmp_path / "rows" / "sales" / "fact_order").iterdir())
    some.write_bytes(some.read_bytes()[:-40])
    refused(warehouse.run("digest", "--in", tmp_path / "rows", "--json"), 2, "Parquet")
