"""The staged work of a load, read from the staging database.

DuckDB brings the rows of a family together and writes them as one JSON document, and msgspec reads it straight into the
shapes of `replayhouse.ingest.work`: per row that costs a tenth of fetching columns and building objects.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import duckdb
import msgspec
import pyarrow.compute as pc

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.customer.review import ReviewFacts
from replayhouse.domain.fulfillment.area import Sample
from replayhouse.domain.marketplace.product import ProductFacts
from replayhouse.domain.marketplace.seller import SellerFacts
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import OrderHeader, Payment
from replayhouse.infra.postgres.binary_copy import bytes_of, field
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.ingest.ports import Place, Unit
from replayhouse.ingest.work import AreaWork, CategoryWork, Family, Kind, PersonWork, ProductWork, SellerWork

_SQL = Path(__file__).parent / "sql"
BUCKETS, PLAN, PLAN_CATALOGUE, SIZES = (
    (_SQL / f"{name}.sql").read_text(encoding="utf-8") for name in ("buckets", "plan", "plan_catalogue", "sizes")
)
PERSONS = (_SQL / "persons.sql").read_text(encoding="utf-8")
_BUCKETS = "WHERE bucket BETWEEN $first AND $last"
CATALOGUE = (_SQL / "catalogue.sql").read_text(encoding="utf-8")
REFERENCES = (_SQL / "references.sql").read_text(encoding="utf-8")
LOOKUPS = (_SQL / "lookups.sql").read_text(encoding="utf-8")

DOCUMENTS_AT_ONCE = 1_000
THREE_FIELDS, FOUR_FIELDS = b"\x00\x03", b"\x00\x04"
"""What rows of binary COPY begin with."""

FACTS: dict[str, Any] = {
    "customers": Address,
    "orders": OrderHeader,
    "order_items": Line,
    "order_payments": Payment,
    "order_reviews": ReviewFacts,
    "products": ProductFacts,
    "sellers": SellerFacts,
    "geolocation": Sample,
}
"""What the domain takes of a record, by file: its fields are columns of the plan."""

_READ: dict[int, msgspec.json.Decoder[Family]] = {
    Kind.PERSON: msgspec.json.Decoder(PersonWork),
    Kind.PRODUCT: msgspec.json.Decoder(ProductWork),
    Kind.SELLER: msgspec.json.Decoder(SellerWork),
    Kind.CATEGORY: msgspec.json.Decoder(CategoryWork),
    Kind.AREA: msgspec.json.Decoder(AreaWork),
}


def plan(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """Works out what the staged rows touch; returns the events expected per bucket, more or less.

    Many statements are too small for DuckDB to share among threads: so two go on side by side. They share its memory,
    too: where that does not hold both, they go on one after the other, and each has all of it.
    """
    connection.execute(BUCKETS)
    try:
        _side_by_side(connection)
    except duckdb.OutOfMemoryException:
        connection.execute(PLAN)
        connection.execute(PLAN_CATALOGUE)
    connection.execute(SIZES)
    return DuckDBWork(connection).sizes()


def _side_by_side(connection: duckdb.DuckDBPyConnection) -> None:
    with closing(interruptible(connection.cursor())) as beside, ThreadPoolExecutor(1) as pool:
        catalogue = pool.submit(beside.execute, PLAN_CATALOGUE)
        connection.execute(PLAN)
        catalogue.result()


class DuckDBWork:
    """The plan of a load in a staging database, opened for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def families(self, unit: Unit, after: Place) -> Iterator[tuple[Place, Family]]:
        """The families of a unit after a place, in the order of bucket, kind and key."""
        return self._families(f"({PERSONS}) UNION ALL ({CATALOGUE})", unit, after)

    def catalogue(self, unit: Unit, after: Place) -> Iterator[tuple[Place, Family]]:
        """The same without persons."""
        return self._families(CATALOGUE, unit, after)

    def persons(self, unit: Unit, keys: Sequence[str]) -> Iterator[tuple[Place, Family]]:
        """Some of the persons of a unit."""
        some = PERSONS.replace(_BUCKETS, f"{_BUCKETS} AND family IN (SELECT unnest($keys::UUID[]))")
        return self._families(some, unit, unit.start, keys=list(keys))

    def sizes(self) -> dict[int, int]:
        """The events expected per bucket, more or less; of long texts more, for they take memory as events do."""
        return dict(self._connection.execute("SELECT bucket, events FROM work_size").fetchall())

    @property
    def lacks_columns(self) -> bool:
        """Whether the extract lacks some of the optional columns."""
        return bool(self._unsaid())

    def _families(self, documents: str, unit: Unit, after: Place, **more: object) -> Iterator[tuple[Place, Family]]:
        cursor = interruptible(self._connection.cursor())
        query = f"FROM ({with_facts(documents, self._unsaid())}) ORDER BY bucket, kind, family"
        cursor.execute(query, {"first": after.bucket, "last": unit.last_bucket, **more})
        while rows := cursor.fetchmany(DOCUMENTS_AT_ONCE):
            for bucket, kind, key, document in rows:
                place = Place(bucket, kind, key)
                if place > after:
                    yield place, _READ[kind].decode(document)

    def _unsaid(self) -> Mapping[str, Sequence[str]]:
        """By file, the fields of the optional columns that the extract lacks."""
        return dict(
            self._connection.execute("SELECT file, list(field ORDER BY field) FROM unsaid GROUP BY file").fetchall()
        )

    def seller_zips(self) -> Mapping[UUID, str]:
        """The zip prefix of each seller, by this extract and the log."""
        return dict(self._connection.execute("SELECT seller_id, zip_prefix FROM seller_zip").fetchall())

    def references(self, after: Place, up_to: Place, batch_seq: int) -> list[tuple[str, str]]:
        """Tables of the write side, each with its lines of COPY text, for the families after a place up to another."""
        cursor = interruptible(self._connection.cursor())
        cursor.execute(REFERENCES, {"batch_seq": batch_seq, **_between(after, up_to)})
        return cursor.fetchall()

    def lookups(self, after: Place, up_to: Place, batch_seq: int) -> list[tuple[str, memoryview]]:
        """The same of what is ids alone, with the rows that binary COPY takes; no table without any."""
        load = field(batch_seq.to_bytes(4, "big"))
        begins = {"of_record": FOUR_FIELDS + load, "of_pair": THREE_FIELDS + load}
        cursor = interruptible(self._connection.cursor())
        found: Any = cursor.sql(LOOKUPS, params={**begins, **_between(after, up_to)}).to_arrow_table()
        tables = found["destination"]
        return [
            (table, bytes_of(found["row"].filter(pc.equal(tables, table)).combine_chunks()))
            for table in pc.unique(tables).to_pylist()
        ]


def _between(after: Place, up_to: Place) -> dict[str, object]:
    return {
        "first": after.bucket,
        "first_kind": after.kind,
        "first_family": after.key,
        "last": up_to.bucket,
        "last_kind": up_to.kind,
        "last_family": up_to.key,
    }


def with_facts(documents: str, unsaid: Mapping[str, Sequence[str]]) -> str:
    """A query of documents, with the facts of records put in.

    `unsaid` are, by file, the fields of the optional columns that the extract lacks."""

    def put_in(place: re.Match[str]) -> str:
        file = place[1]
        facts, hints = _as_json(FACTS[file]), get_type_hints(FACTS[file])
        names = ", ".join(f"'{name}'" for name in unsaid.get(file, ()) if name in hints)
        return f"{facts}, 'unsaid': [{names}]" if names else facts

    return re.sub(r"<(\w+)>", put_in, documents)


def _as_json(facts: Any) -> str:
    """Facts as msgspec reads them: an object by the names of the fields, of a named tuple an array in their order."""
    hints = get_type_hints(facts)
    if issubclass(facts, tuple):
        return f"json_array({', '.join(_exactly(name, hints[name]) for name in facts._fields)})"
    names = [field.name for field in fields(facts)]
    return "{" + ", ".join(f"'{name}': {_exactly(name, hints[name])}" for name in names) + "}"


def _exactly(name: str, hint: object) -> str:
    """Amounts are texts, so that they stay exact."""
    return f"{name}::VARCHAR" if hint in (Decimal, Decimal | None) else name
