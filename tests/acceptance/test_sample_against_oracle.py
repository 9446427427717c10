"""What the program makes of extracts is, row by row, what the oracle makes of them.

The real sample is read where it is at hand (REPLAYHOUSE_SAMPLE, or beside the repository); else an extract that is
generated stands in for it.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psycopg
import pytest
from psycopg import sql

from replayhouse.ingest.synthetic import generate
from tests.oracle.expected import DEPENDS_ON_EARLIER_LOADS, TABLES, Row, columns, described, differences, expected, rows
from tests.oracle.snapshots import snapshot
from tests.support.cli import Program
from tests.support.prepared import furnish
from tests.support.replaying import digests_of
from tests.support.the_sample import SAMPLE

UNKNOWN_MEMBERS = (
    "fulfillment.dim_geography",
    "customer.dim_customer",
    "marketplace.product",
    "marketplace.dim_product",
    "marketplace.dim_seller",
    "marketplace.dim_category",
)

POSTGRES_TYPES = {
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DECIMAL(8,2)": "numeric(8,2)",
    "DECIMAL(10,2)": "numeric(10,2)",
    "DECIMAL(12,2)": "numeric(12,2)",
    "UUID": "uuid",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "VARCHAR": "text",
}

COLUMNS_OF = """
    SELECT attname, format_type(atttypid, atttypmod)
    FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""

# Changes of segment that do not continue the one before, or do not end at the person's segment.
BROKEN_HISTORIES = """
    WITH changes AS (
        SELECT customer_id, seq, from_segment, to_segment, as_of,
            lag(to_segment, 1, 'NEW') OVER person AS was,
            row_number() OVER person AS place,
            lead(seq) OVER person IS NULL AS is_newest
        FROM customer.segment_history
        WINDOW person AS (PARTITION BY customer_id ORDER BY seq)
    )
    SELECT changes.*, segment, segment_as_of
    FROM customer.dim_customer LEFT JOIN changes USING (customer_id)
    WHERE place <> seq OR from_segment <> was OR from_segment = to_segment
       OR is_newest AND (to_segment, as_of) IS DISTINCT FROM (segment, segment_as_of)
       OR seq IS NULL AND (segment NOT IN ('NEW', 'unknown') OR segment_as_of IS NOT NULL)
"""


class Warehouse:
    """The program with a home of its own, and its read models."""

    def __init__(self, home: Path) -> None:
        self._program = Program(home)

    def run(self, *arguments: str | Path) -> str:
        """What a command prints on standard output."""
        return self._program.succeed(*arguments).out

    def ingest(self, extract: Path) -> dict[str, Any]:
        """Loads an extract and returns what the command says of it."""
        told: dict[str, Any] = json.loads(self.run("ingest", extract, "--json"))
        assert told["status"] == "completed", told
        return told

    def connect(self) -> psycopg.Connection[Row]:
        """A connection of the administrator's; it starts the server where needed."""
        return psycopg.connect(self.run("db", "url").strip())

    def compare(self, oracle: duckdb.DuckDBPyConnection, batch: str, leaving_out: Collection[str] = ()) -> None:
        """Fails where any table differs from the oracle's; of the batch files, those of one batch are compared."""
        with self.connect() as connection:

            def fetch(table: str, names: Sequence[str]) -> list[Row]:
                query = sql.SQL("SELECT {} FROM {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(*table.split("."))
                )
                if table == "quality.batch_file":
                    query += sql.SQL(" WHERE batch_id = {}").format(batch)
                return connection.execute(query).fetchall()

            found = differences(oracle, fetch, leaving_out)
        assert not found, described(found)


@contextmanager
def a_warehouse(home: Path, prepared: Path) -> Iterator[Warehouse]:
    """An empty warehouse, whose server is stopped at the end."""
    furnish(home, prepared)
    made = Warehouse(home)
    yield made
    made.run("db", "stop")


@pytest.fixture
def warehouse(prepared: Path, tmp_path: Path) -> Iterator[Warehouse]:
    with a_warehouse(tmp_path / "home", prepared) as made:
        yield made


class Loaded(NamedTuple):
    """A warehouse with the sample, and what `ingest --json` said of it."""

    warehouse: Warehouse
    told: dict[str, Any]


@pytest.fixture(scope="module")
def loaded(sample: Path, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """For tests that only look at it."""
    with a_warehouse(tmp_path_factory.mktemp("loaded") / "home", prepared) as made:
        yield Loaded(made, made.ingest(sample))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real sample, or of a generated extract of its size."""
    return SAMPLE if SAMPLE.is_dir() else generated(4_100, tmp_path_factory.mktemp("sample"))


def generated(orders: int, folder: Path) -> Path:
    """The folder, with an extract of this many orders."""
    generate(folder, orders, 20170301, None, 1)
    return folder


def test_the_read_models_of_the_sample_are_those_of_the_oracle(loaded: Loaded, sample: Path) -> None:
    oracle = expected(sample)
    warehouse, told = loaded
    warehouse.compare(oracle, told["batch"])
    assert {file: counts["rows"] for file, counts in told["files"].items()} == dict(
        rows(oracle, "quality.batch_file", ("file", "rows"))
    )
    with warehouse.connect() as connection:
        for table in TABLES:
            assert connection.execute(COLUMNS_OF, [table]).fetchall() == contract(oracle, table), table


def test_the_sealed_log_of_the_sample_replays_to_the_live_tables(loaded: Loaded, tmp_path: Path) -> None:
    warehouse, sealed, out = loaded.warehouse, tmp_path / "sealed", tmp_path / "rows"
    warehouse.run("log", "seal", sealed)
    keys = warehouse.run("db", "url").strip()

    told = warehouse.run("replay", sealed, "--out", out, "--keys", keys, "--json")

    assert digests_of(json.loads(told)) == digests_of(json.loads(warehouse.run("digest", "--json")))


def test_rows_of_streams_have_a_position_and_unknown_members_have_none(loaded: Loaded) -> None:
    head = loaded.told["position"]
    with loaded.warehouse.connect() as connection:
        for table in (table for table in TABLES if table != "shared.dim_date"):
            where = sql.Identifier(*table.split("."))
            query = sql.SQL("SELECT count(*) FILTER (WHERE position = 0), min(position), max(position) FROM {}")
            found = connection.execute(query.format(where)).fetchone()
            assert found is not None
            unknown, lowest, highest = found
            assert unknown == (1 if table in UNKNOWN_MEMBERS else 0), table
            assert 0 <= lowest <= highest <= head, table


def test_the_read_models_of_a_generated_extract_are_those_of_the_oracle(warehouse: Warehouse, tmp_path: Path) -> None:
    extract = generated(1_500, tmp_path / "generated")
    warehouse.compare(expected(extract), warehouse.ingest(extract)["batch"])


def test_snapshots_loaded_one_after_another_end_as_one_load_of_the_whole(
    warehouse: Warehouse, sample: Path, tmp_path: Path
) -> None:
    whole = expected(sample)
    for day in days_worth_a_snapshot(whole):
        extract = snapshot(sample, whole, day, tmp_path / str(day))
        told = warehouse.ingest(extract)
        warehouse.compare(expected(extract), told["batch"], DEPENDS_ON_EARLIER_LOADS)
    told = warehouse.ingest(sample)
    warehouse.compare(whole, told["batch"], DEPENDS_ON_EARLIER_LOADS)
    with warehouse.connect() as connection:
        assert connection.execute(BROKEN_HISTORIES).fetchall() == []


def contract(oracle: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """The columns of a table with PostgreSQL's names of their types, in contract order."""
    named = [(name, POSTGRES_TYPES[kind]) for name, kind in columns(oracle, table).items()]
    if table == "quality.batch_file":
        named.insert(0, ("batch_id", "uuid"))
    return named if table == "shared.dim_date" else [*named, ("position", "bigint")]


def days_worth_a_snapshot(whole: duckdb.DuckDBPyConnection) -> list[date]:
    """Three days: a third of the orders are placed, most are, and one that is canceled later is seen delivered."""
    ((third, most),) = whole.execute(
        "SELECT quantile_disc(placed_at::DATE, 0.33), quantile_disc(placed_at::DATE, 0.9) FROM reading.orders"
    ).fetchall()
    ((revoked,),) = whole.execute(
        "SELECT max(delivered_at)::DATE FROM reading.orders WHERE status = 'canceled' AND delivered_at < promised_by"
    ).fetchall()
    ((two_thirds,),) = whole.execute("SELECT quantile_disc(placed_at::DATE, 0.66) FROM reading.orders").fetchall()
    return sorted({third, revoked or two_thirds, most})
