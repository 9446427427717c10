"""What tests of the mappings that come with the program share: records without a warehouse, ids, and what pages say."""

import csv
import hashlib
import hmac
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pyarrow.parquet as pq

from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.raw_files import open_raw
from replayhouse.infra.sources.running import run_mapping
from replayhouse.infra.sources.secret import secret_of
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.expected import FILES
from tests.support.mappings import SHIPPED
from tests.support.synthetic import Records, records_of

ROOT = Path(__file__).parents[2]
SECRET = b"s" * 32

_NOT_CARRIED = re.compile(r"^\| `(\w+\.\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
_OF_ORDERS = ("orders", "order_items", "order_payments", "order_reviews")


def records_made(source: str, extract: Path, into: Path) -> dict[str, list[dict[str, Any]]]:
    """The records that a shipped mapping makes of an extract, by kind, with the lines they stand on."""
    mapping = read_mapping(SHIPPED / source)
    made = run_mapping(mapping, open_raw(mapping, extract, into / "raw"), into / "made", "200MB", SECRET)
    return {record: pq.read_table(found.read.cells).to_pylist() for record, found in made.items()}


def id_of(source: str, kind: str, key: str) -> UUID:
    """The id that a mapping's `id(kind, key)` gives."""
    return UUID(hashlib.sha256("\0".join((source, kind, key)).encode()).hexdigest()[:32])


def person_of(source: str, key: str, connection: psycopg.Connection) -> UUID:
    """The id that a mapping's `person_id(key)` gives in a warehouse."""
    secret = secret_of(connection, may_make=False)
    return UUID(hmac.new(secret, f"{source}\0{key}".encode(), "sha256").hexdigest()[:32])


def carried(page: str) -> dict[str, list[str]]:
    """By table of the star schema, the columns that an export can carry: those that a page does not list as others.

    A page that lists a table or column that is none fails.
    """
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    lacking: dict[str, set[str]] = defaultdict(set)
    for table, named in _NOT_CARRIED.findall(text):
        lacking[table] |= set(re.findall(r"`(\w+)`", named))
    tables = {
        f"{context}.{table.name}": [column.name for column in table.columns if column.name != "position"]
        for context, projection in PROJECTIONS.items()
        if context != "quality"
        for table in projection.tables
    }
    wrong = {table: columns - {*tables.get(table, ())} for table, columns in lacking.items()}
    assert lacking, page
    assert not any(wrong.values()), wrong
    kept = {table: [column for column in columns if column not in lacking[table]] for table, columns in tables.items()}
    return {table: columns for table, columns in kept.items() if columns}


def only_whole_orders(extract: Path, folder: Path) -> Path:
    """An extract of the orders that have items and a customer, and of a person's of one moment the first.

    No shop exports others, and of two of one moment the ids tell which is the later. Returns the folder.
    """
    records = records_of(extract)
    with_items = {item["order_id"] for item in records["order_items"]}
    people = {one["customer_id"]: one["customer_unique_id"] for one in records["customers"]}
    whole: dict[tuple[str, str], dict[str, str]] = {}
    for order in records["orders"]:
        if order["order_id"] in with_items and order["customer_id"] in people:
            whole.setdefault((people[order["customer_id"]], order["order_purchase_timestamp"]), order)
    _keep(records, {one["order_id"] for one in whole.values()}, {one["customer_id"] for one in whole.values()})
    write_records(records, folder)
    return folder


def _keep(records: Records, orders: set[str], aliases: set[str]) -> None:
    for file in _OF_ORDERS:
        records[file] = [record for record in records[file] if record["order_id"] in orders]
    records["customers"] = [record for record in records["customers"] if record["customer_id"] in aliases]


def write_records(records: Records, folder: Path) -> None:
    """Writes records as the nine files."""
    folder.mkdir(parents=True)
    for file, rows in records.items():
        with (folder / FILES[file]).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
