"""Tables from Python: every row as the database has it, by types of Arrow's."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest

import replayhouse
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse

TABLES = [
    *(f"{context}.{table.name}" for context, made in PROJECTIONS.items() for table in made.tables),
    *(f"{context}.{view.name}" for context, made in PROJECTIONS.items() for view in made.views),
    "shared.dim_date",
]
OF_ALL_KINDS = """
    CREATE VIEW mart.kinds (id, small, price, average, long, is_so, at, recorded, day, note, ids, tags, prices, gap) AS
    SELECT * FROM (VALUES
        ('00000000-0000-0000-0000-000000000001'::uuid, 1::smallint, 12.30::numeric(12, 2), -12.3456, 1e44::numeric,
         true, '2018-01-09T10:30:00.000001'::timestamp, '2018-01-09T10:30:00Z'::timestamptz, '2018-01-09'::date,
         E'two\\r\\nlines, "quoted"', ARRAY['00000000-0000-0000-0000-000000000001'::uuid], ARRAY[1, NULL],
         ARRAY[1.50], '2 days'::interval),
        (NULL, NULL, NULL, 100000.5, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL)
    ) AS rows
"""


class OneLoad:
    """A small load, as Python has it, and as commands and queries do."""

    def __init__(self, commands: Warehouse, home: Path) -> None:
        self.commands = commands
        self.python = replayhouse.open(home=home, database_url=commands.database.url)

    def execute(self, statement: str) -> None:
        """Runs a statement as the administrator."""
        with self.commands.database.connect("replayhouse test", autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def one_load(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneLoad]:
    home = tmp_path_factory.mktemp("home")
    with copied(server) as database:
        commands = Warehouse(database, home)
        commands.ingest(write(home / "extract", a_good_extract()))
        yield OneLoad(commands, home)


def as_arrow_has_it(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_every_table_is_there(one_load: OneLoad, name: str) -> None:
    table = one_load.python.table(name)
    found = Counter(tuple(row.values()) for row in table.arrow.to_pylist())
    expected = Counter(
        tuple(as_arrow_has_it(value) for value in row) for row in one_load.commands.rows(f"SELECT * FROM {name}")
    )
    assert found == expected
    assert (table.name, len(table)) == (name, expected.total())


def test_a_table_is_the_same_however_it_is_read(one_load: OneLoad, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = one_load.python.table("shared.dim_date").arrow
    monkeypatch.setattr("replayhouse.infra.read_models.arrow._PART_BYTES", 1_000)
    in_parts = one_load.python.table("shared.dim_date").arrow
    assert in_parts.column("date_key").num_chunks > whole.column("date_key").num_chunks
    assert in_parts.sort_by("date_key") == whole.sort_by("date_key")


def test_columns_have_the_types_of_what_they_hold(one_load: OneLoad) -> None:
    types = {field.name: field.type for field in one_load.python.table("sales.fact_order").arrow.schema}
    assert types["order_id"] == pa.string()
    assert types["placed_at"] == pa.timestamp("us")
    assert types["paid"] == pa.decimal128(12, 2)
    assert types["is_paid"] == pa.bool_()
    assert types["item_count"] == pa.int32()
    assert types["position"] == pa.int64()
    opened = one_load.python.table("quality.batch").arrow.schema.field("opened_at").type
    assert opened == pa.timestamp("us", tz="UTC")


def test_views_of_ones_own_may_have_columns_of_any_kind(one_load: OneLoad) -> None:
    one_load.execute(OF_ALL_KINDS)
    arrow = one_load.python.table("mart.kinds").arrow
    first, second = arrow.to_pylist()
    assert first == {
        "id": "00000000-0000-0000-0000-000000000001",
        "small": 1,
        "price": Decimal("12.30"),
        "average": Decimal("-12.3456"),
        "long": Decimal(10) ** 44,
        "is_so": True,
        "at": datetime(2018, 1, 9, 10, 30, 0, 1),
        "recorded": datetime(2018, 1, 9, 10, 30, tzinfo=UTC),
        "day": datetime(2018, 1, 9).date(),
        "note": 'two\r\nlines, "quoted"',
        "ids": ["00000000-0000-0000-0000-000000000001"],
        "tags": [1, None],
        "prices": ["1.50"],
        "gap": "2 days",
    }
    assert second == dict.fromkeys(first) | {"average": Decimal("100000.5"), "note": ""}
    assert arrow.schema.field("average").type == pa.decimal128(38, 4)
    assert arrow.schema.field("tags").type == pa.list_(pa.int32())


def test_a_view_of_no_rows_has_its_columns(one_load: OneLoad) -> None:
    one_load.execute("CREATE VIEW mart.nothing AS SELECT order_id, paid / 3 AS third FROM sales.fact_order WHERE false")
    arrow = one_load.python.table("mart.nothing").arrow
    assert (arrow.num_rows, arrow.schema.names) == (0, ["order_id", "third"])
    assert pa.types.is_decimal(arrow.schema.field("third").type)


def test_what_arrow_has_no_place_for_is_told(one_load: OneLoad) -> None:
    one_load.execute("CREATE VIEW mart.never AS SELECT 'infinity'::date AS day FROM generate_series(1, 10)")
    with pytest.raises(
        replayhouse.ReplayhouseError, match=r"The table mart\.never cannot be held as Arrow: .*infinity"
    ):
        one_load.python.table("mart.never")


def test_tables_under_a_prefix_are_there_too(one_load: OneLoad) -> None:
    one_load.python.rebuild_into("then", "sales")
    live, then = (one_load.python.table(name).arrow for name in ("sales.fact_order", "then_sales.fact_order"))
    assert then.sort_by("order_id") == live.sort_by("order_id")
    assert len(one_load.python.table("then_shared.dim_date")) > 0
    one_load.python.drop("then")
    with pytest.raises(replayhouse.UsageError, match=r"There is no table 'then_sales\.fact_order'"):
        one_load.python.table("then_sales.fact_order")


@pytest.mark.parametrize("name", ["fact_order", "event_store.subject_key", "sales.", "sales.fact_order; DROP", ""])
def test_what_is_no_table_of_the_star_schema_is_refused_with_those_there_are(one_load: OneLoad, name: str) -> None:
    with pytest.raises(replayhouse.UsageError) as refused:
        one_load.python.table(name)
    assert f"There is no table '{name}'. There are: sales.fact_order, sales.fact_order_item, " in str(refused.value)
    assert set(TABLES) <= set(str(refused.value).removesuffix(".").partition("There are: ")[2].split(", "))


def test_whatever_takes_arrow_takes_a_table(one_load: OneLoad) -> None:
    table = one_load.python.table("sales.fact_order")
    assert pa.table(table) == table.arrow
    with duckdb.connect() as connection:
        [(count,)] = connection.register("orders", table).execute("SELECT count(*) FROM orders").fetchall()
    assert count == len(table) == table.arrow.num_rows > 0
    assert repr(table) == f"<sales.fact_order: {count} rows, {table.arrow.num_columns} columns>"


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_package_that_is_not_installed_is_named(
    one_load: OneLoad, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    make: Callable[[], Any] = getattr(one_load.python.table("sales.fact_order"), package)
    with pytest.raises(replayhouse.ReplayhouseError, match=f"{package} is not installed .*: pip install {package}"):
        make()


def test_a_table_is_a_data_frame_of_pandas(one_load: OneLoad) -> None:
    one_load.execute(OF_ALL_KINDS.replace("mart.kinds", "mart.for_pandas"))
    frame = one_load.python.table("mart.for_pandas").pandas()
    assert list(frame["price"]) == [Decimal("12.30"), None]
    assert frame["at"][0].isoformat() == "2018-01-09T10:30:00.000001"
    assert frame["recorded"][0].isoformat() == "2018-01-09T10:30:00+00:00"
    assert list(frame["note"]) == ['two\r\nlines, "quoted"', ""]
    assert len(one_load.python.table("sales.fact_order").pandas()) == len(one_load.python.table("sales.fact_order"))


def test_a_table_is_a_data_frame_of_polars(one_load: OneLoad) -> None:
    table = one_load.python.table("sales.fact_order")
    frame = table.polars()
    assert frame.sort("order_id").to_dicts() == table.arrow.sort_by("order_id").to_pylist()
    assert str(frame.schema["paid"]) == "Decimal(precision=12, scale=2)"
