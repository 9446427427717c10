"""The staged work of a load, read from the staging database.

DuckDB brings the rows of a family together and writes them as one JSON document, and msgspec reads it straight into the
shapes of `replayhouse.ingest.work`: per row that costs a tenth of fetching columns and building objects.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import duckdb
import msgspec

from replayhouse.infra.staging.interrupts import interruptible
from replayhouse.ingest.ports import Place, Unit
from replayhouse.ingest.work import AreaWork, CategoryWork, Family, Kind, PersonWork, ProductWork, SellerWork

_SQL = Path(__file__).parent / "sql"
PLAN = (_SQL / "plan.sql").read_text(encoding="utf-8")
UNITS_OF_WORK = (_SQL / "units_of_work.sql").read_text(encoding="utf-8")
REFERENCES = (_SQL / "references.sql").read_text(encoding="utf-8")

DOCUMENTS_AT_ONCE = 1_000

_READ: dict[int, msgspec.json.Decoder[Family]] = {
    Kind.PERSON: msgspec.json.Decoder(PersonWork),
    Kind.PRODUCT: msgspec.json.Decoder(ProductWork),
    Kind.SELLER: msgspec.json.Decoder(SellerWork),
    Kind.CATEGORY: msgspec.json.Decoder(CategoryWork),
    Kind.AREA: msgspec.json.Decoder(AreaWork),
}


def plan(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """Works out what the staged rows touch; returns the events expected per bucket, more or less."""
    connection.execute(PLAN)
    return dict(connection.execute("SELECT bucket, events FROM work_size").fetchall())


class DuckDBWork:
    """The plan of a load in a staging database, opened for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def families(self, unit: Unit, after: Place) -> Iterator[tuple[Place, Family]]:
        """The families of a unit after a place, in the order of bucket, kind and key."""
        cursor = interruptible(self._connection.cursor())
        cursor.execute(UNITS_OF_WORK, {"first": after.bucket, "last": unit.last_bucket})
        while rows := cursor.fetchmany(DOCUMENTS_AT_ONCE):
            for bucket, kind, key, document in rows:
                place = Place(bucket, kind, key)
                if place > after:
                    yield place, _READ[kind].decode(document)

    def seller_zips(self) -> Mapping[UUID, str]:
        """The zip prefix of each seller, by this extract and the log."""
        return dict(self._connection.execute("SELECT seller_id, zip_prefix FROM seller_zip").fetchall())

    def references(self, after: Place, up_to: Place, batch_seq: int) -> list[tuple[str, str]]:
        """Tables of the write side, each with its lines of COPY text, for the families after a place up to another."""
        cursor = interruptible(self._connection.cursor())
        cursor.execute(
            REFERENCES,
            {
                "batch_seq": batch_seq,
                "first": after.bucket,
                "last": up_to.bucket,
                "after": _sortable(after),
                "up_to": _sortable(up_to),
            },
        )
        return cursor.fetchall()


def _sortable(place: Place) -> str:
    """As the macro `place_of` of the plan writes it."""
    return f"{place.bucket:03} {place.kind} {place.key}"
