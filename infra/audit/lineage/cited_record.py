"""The record that stands at a line of a loaded file, and which things it is about."""

import csv
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.fulfillment.area import area_stream_id
from replayhouse.domain.kernel.places import zip_prefix_of
from replayhouse.domain.marketplace.category import category_stream_id
from replayhouse.domain.quality.row import row_stream_id
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.audit.lineage.sources import NOT_NOTED, said
from replayhouse.infra.runtime.errors import Unknown
from replayhouse.infra.staging.files import column_of
from replayhouse.infra.staging.lines import FOUND, lines_at_hand

_LOADED = "SELECT files ->> %(file)s, origin, name, source ->> 'name' FROM event_store.batch WHERE batch_id = %(batch)s"
_NEWEST_WITH = """
    SELECT batch_id FROM event_store.batch
    WHERE kind = 'load' AND status = 'completed' AND files ? %s ORDER BY batch_seq DESC LIMIT 1
"""
_KEYS = {
    "orders": (HistoryKind.ORDER, "order_id"),
    "order_items": (HistoryKind.ORDER, "order_id"),
    "order_payments": (HistoryKind.ORDER, "order_id"),
    "order_reviews": (HistoryKind.REVIEW, "review_id"),
    "customers": (HistoryKind.CUSTOMER, "customer_unique_id"),
    "products": (HistoryKind.PRODUCT, "product_id"),
    "sellers": (HistoryKind.SELLER, "seller_id"),
}
"""The thing that a record of a file is about, and the column with its id."""


class Record(NamedTuple):
    """What a record is about: `kind` and `key` of a thing, as the source writes it; or a stream of the log.

    `row` is the stream that the record would have, were it kept apart.
    """

    thing: tuple[HistoryKind, str] | None
    stream: tuple[str, UUID] | None
    row: UUID


def newest_load_with(conn: psycopg.Connection, file: str) -> UUID:
    """The newest load that is done, was not taken back, and brought that file. Raises Unknown."""
    row = conn.execute(_NEWEST_WITH, [file]).fetchone()
    if row is None:
        raise Unknown(f"No load that counts has brought a file {file}.")
    load: UUID = row[0]
    return load


def record_at(conn: psycopg.Connection, load: UUID, file: str, line: int) -> Record:
    """The record of a load's file that starts at a physical line, the header being 1.

    Raises Unknown where none does, or the file is not at hand as it was loaded.
    """
    row = conn.execute(_LOADED, {"file": file, "batch": load}).fetchone()
    sha256, origin, name, source = row or (None, None, str(load), None)
    if sha256 is None:
        raise Unknown(f"The load {name} has brought no file {file}.")
    if source is not None:
        raise Unknown(
            f"The mapping {source} made the records of the load {name}: what a line of its files is about is found by "
            "an id, an order's for example."
        )
    if origin is None:
        raise Unknown(f"{file}:{line} of the load {name} cannot be looked up: {said(NOT_NOTED)}.")
    found = lines_at_hand(Path(origin), file, sha256, {line})
    if found.status != FOUND:
        why = said(found.status, found.place, found.why)
        raise Unknown(f"{file}:{line} of the load {name} cannot be looked up: {why}.")
    if line == 1 or line not in found.records:
        raise Unknown(f"No record of {file} starts at line {line} in the load {name}; the header is line 1.")
    return _about(file, found.header, found.records[line])


def _about(file: str, header: tuple[str, ...], text: str) -> Record:
    values = next(csv.reader(text.splitlines(keepends=True)), [])
    cells = dict(zip(map(column_of, header), values, strict=False))
    thing, stream = None, None
    if file in _KEYS:
        kind, column = _KEYS[file]
        thing = (kind, cells.get(column, ""))
    elif file == "geolocation":
        stream = ("fulfillment", area_stream_id(zip_prefix_of(cells.get("geolocation_zip_code_prefix", ""))))
    else:
        stream = ("marketplace", category_stream_id(cells.get("product_category_name", "")))
    return Record(thing, stream, row_stream_id(file, text))
