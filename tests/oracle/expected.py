"""The read models that an extract must give, computed by SQL from its nine files alone, and their comparison.

Assumed: the files are readable (R1 accepts the batch) and the extract is the only one loaded, or, as R42 allows,
the last of several. Quarantined here are bad and missing values, records with a wrong number of fields, repetitions
of a key and orphans (R4); what R4 decides by comparing with an earlier load cannot occur. Tables are in contract
order without `position`, and `quality.batch_file` without `batch_id`.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

Row = tuple[Any, ...]
Fetch = Callable[[str, Sequence[str]], Iterable[Row]]

# The name of each file in the extract, and the columns that are read from it (R1).
FILES = {
    "customers": "olist_customers_dataset.csv",
    "geolocation": "olist_geolocation_dataset.csv",
    "order_items": "olist_order_items_dataset.csv",
    "order_payments": "olist_order_payments_dataset.csv",
    "order_reviews": "olist_order_reviews_dataset.csv",
    "orders": "olist_orders_dataset.csv",
    "products": "olist_products_dataset.csv",
    "sellers": "olist_sellers_dataset.csv",
    "categories": "product_category_name_translation.csv",
}

TABLES = (
    "sales.fact_order",
    "sales.fact_order_item",
    "sales.fact_payment",
    "fulfillment.fact_delivery",
    "fulfillment.dim_geography",
    "customer.dim_customer",
    "customer.customer_alias",
    "customer.address_history",
    "customer.segment_history",
    "customer.fact_review",
    "marketplace.product",
    "marketplace.dim_product",
    "marketplace.dim_seller",
    "marketplace.dim_category",
    "quality.batch_file",
    "shared.dim_date",
)

# What loading several extracts in a row may give otherwise than loading the last one alone (R42).
DEPENDS_ON_EARLIER_LOADS = frozenset({"customer.segment_history", "customer.dim_customer.segment_as_of"})

FOLDER = Path(__file__).parent

# The white space of Unicode (property White_Space), told apart from what Python's `\s` adds to it.
_WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


class Difference(NamedTuple):
    """Rows that the oracle has and the other side lacks, and the reverse; a row twice is two rows."""

    missing: list[Row]
    unexpected: list[Row]


def expected(
    directory: Path, opened_on: date | None = None, *, may_be_unknown: bool = False
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB database with every table of TABLES, for the extract in this folder.

    `opened_on` is the day (UTC) on which its load was opened, by default today. Where they `may_be_unknown`, promises,
    days to ship by and sellers may be empty, as other sources than Olist leave them. A file that is not there counts as
    empty. Raises csv.Error or ValueError where a file cannot be read.
    """
    oracle = duckdb.connect(config={"memory_limit": "1GB", "threads": 2})
    oracle.execute("CREATE SCHEMA raw; CREATE SCHEMA quality; SET preserve_insertion_order = false")
    oracle.execute("SET VARIABLE opened_on = ?", [opened_on or datetime.now(UTC).date()])
    oracle.execute("SET VARIABLE may_be_unknown = ?", [may_be_unknown])
    oracle.execute("CREATE TABLE quality.batch_file (file TEXT, bytes BIGINT, sha256 TEXT, rows BIGINT)")
    for file, name in FILES.items():
        _load(oracle, file, directory / name)
    _run(oracle, "readings.sql")
    _normalise_cities(oracle)
    make_tables(oracle)
    return oracle


def make_tables(oracle: duckdb.DuckDBPyConnection) -> None:
    """The tables of the star schema, from what was read of the files."""
    for script in ("sales", "fulfillment", "customer", "marketplace", "unknown_members", "joined"):
        _run(oracle, f"{script}.sql")
    _name_holidays(oracle)
    _run(oracle, "dim_date.sql")


def columns(oracle: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The columns of a table in contract order, each with DuckDB's name of its type."""
    relation = oracle.table(table)
    return {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}


def rows(oracle: duckdb.DuckDBPyConnection, table: str, names: Sequence[str] | None = None) -> list[Row]:
    """The rows of a table, in no particular order; of the named columns if any are named."""
    relation = oracle.table(table)
    return relation.select(*names or relation.columns).fetchall()


def differences(
    oracle: duckdb.DuckDBPyConnection, fetch: Fetch, leaving_out: Collection[str] = ()
) -> dict[str, Difference]:
    """Which tables differ from what `fetch(table, columns)` returns, exactly: nothing where all agree.

    Values must agree in type, too, and amounts in their scale. `leaving_out` names tables ("customer.segment_history")
    and columns ("customer.dim_customer.segment_as_of") that are not compared.
    """
    found: dict[str, Difference] = {}
    for table in TABLES:
        if table in leaving_out:
            continue
        names = [name for name in columns(oracle, table) if f"{table}.{name}" not in leaving_out]
        difference = _difference(rows(oracle, table, names), fetch(table, names))
        if difference.missing or difference.unexpected:
            found[table] = difference
    return found


def described(found: dict[str, Difference], examples: int = 3) -> str:
    """The differences for a person to read: their number by table, and a few rows of each side in order."""
    told = []
    for table, difference in found.items():
        told.append(f"{table}: {len(difference.missing)} missing, {len(difference.unexpected)} unexpected")
        for side, some in difference._asdict().items():
            told.extend(f"  {side}: {row}" for row in sorted(some, key=repr)[:examples])
    return "\n".join(told)


def normalised(city: str) -> str:
    """The city by R12: decomposed without its marks, lower case, single spaces, trimmed."""
    letters = (sign for sign in unicodedata.normalize("NFD", city) if unicodedata.category(sign) != "Mn")
    return _WHITE_SPACE.sub(" ", "".join(letters).lower()).strip(" ")


def holidays(year: int) -> dict[date, str]:
    """The national holidays of a year by R17; Good Friday stands two days before Easter."""
    days = {
        date(year, 1, 1): "Universal Fraternization Day",
        easter(year) - timedelta(days=2): "Good Friday",
        date(year, 4, 21): "Tiradentes' Day",
        date(year, 5, 1): "Worker's Day",
        date(year, 9, 7): "Independence Day",
        date(year, 10, 12): "Our Lady of Aparecida",
        date(year, 11, 2): "All Souls' Day",
        date(year, 11, 15): "Republic Proclamation Day",
        date(year, 12, 25): "Christmas Day",
    }
    if year >= 2024:
        days[date(year, 11, 20)] = "National Day of Zumbi and Black Awareness"
    return days


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    exception = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * exception + 114, 31)
    return date(year, month, day + 1)


def _difference(wanted: Iterable[Row], got: Iterable[Row]) -> Difference:
    # Equal values of unlike types (True and 1, 1.5 and 1.50) must not pass for the same: their repr tells them apart.
    wanted_rows, got_rows = list(wanted), list(got)
    row_of = {repr(row): row for row in (*wanted_rows, *got_rows)}
    wanted_counts, got_counts = Counter(map(repr, wanted_rows)), Counter(map(repr, got_rows))
    return Difference(
        missing=[row_of[key] for key in (wanted_counts - got_counts).elements()],
        unexpected=[row_of[key] for key in (got_counts - wanted_counts).elements()],
    )


def _load(oracle: duckdb.DuckDBPyConnection, file: str, path: Path) -> None:
    content = path.read_bytes() if path.exists() else b""
    records = _records(content)
    header = next(records, None) or sorted(_COLUMNS[file])
    if missing := _COLUMNS[file] - set(header):
        raise ValueError(f"{path.name} lacks the columns {sorted(missing)}")
    read = list(records)
    whole = [record for record in read if len(record) == len(header)]
    cells = zip(*whole, strict=True) if whole else ((),) * len(header)
    table = {
        name: pa.array([cell or None for cell in column], pa.string())
        for name, column in zip(header, cells, strict=True)
    }
    table["record"] = pa.array(range(len(whole)), pa.int64())
    oracle.from_arrow(pa.table(table)).create(f"raw.{file}")
    if path.exists():
        digest = hashlib.sha256(content).hexdigest()
        oracle.execute("INSERT INTO quality.batch_file VALUES (?, ?, ?, ?)", [file, len(content), digest, len(read)])


def _records(content: bytes) -> Iterator[list[str]]:
    if b"\0" in content:
        raise ValueError("a NUL stands in the file")
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))
    return csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)


def _run(oracle: duckdb.DuckDBPyConnection, script: str) -> None:
    oracle.execute((FOLDER / script).read_text(encoding="utf-8"))


def _normalise_cities(oracle: duckdb.DuckDBPyConnection) -> None:
    cities = [
        city
        for (city,) in oracle.execute(
            "SELECT city FROM reading.customers UNION SELECT city FROM reading.sellers"
        ).fetchall()
    ]
    table = pa.table(
        {
            "city": pa.array(cities, pa.string()),
            "normalised": pa.array([normalised(city) for city in cities], pa.string()),
        }
    )
    oracle.from_arrow(table).create("reading.normalised_city")


def _name_holidays(oracle: duckdb.DuckDBPyConnection) -> None:
    ((last_year,),) = oracle.execute("SELECT last_year FROM reading.calendar_end").fetchall()
    named = {day: name for year in range(2016, last_year + 1) for day, name in holidays(year).items()}
    table = pa.table(
        {"date": pa.array(named.keys(), pa.date32()), "holiday_name": pa.array(named.values(), pa.string())}
    )
    oracle.from_arrow(table).create("reading.holiday")


_COLUMNS: dict[str, frozenset[str]] = {
    file: frozenset(names.split())
    for file, names in {
        "customers": "customer_id customer_unique_id customer_zip_code_prefix customer_city customer_state",
        "geolocation": "geolocation_zip_code_prefix geolocation_lat geolocation_lng geolocation_city geolocation_state",
        "order_items": "order_id order_item_id product_id seller_id shipping_limit_date price freight_value",
        "order_payments": "order_id payment_sequential payment_type payment_installments payment_value",
        "order_reviews": "review_id order_id review_score review_comment_title review_comment_message"
        " review_creation_date review_answer_timestamp",
        "orders": "order_id customer_id order_status order_purchase_timestamp order_approved_at"
        " order_delivered_carrier_date order_delivered_customer_date order_estimated_delivery_date",
        "products": "product_id product_category_name product_name_lenght product_description_lenght"
        " product_photos_qty product_weight_g product_length_cm product_height_cm product_width_cm",
        "sellers": "seller_id seller_zip_code_prefix seller_city seller_state",
        "categories": "product_category_name product_category_name_english",
    }.items()
}
