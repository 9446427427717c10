"""What a load leaves in the log and beside it, to compare two ways that must leave the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from replayhouse.infra.event_store.keys import known_keys
from replayhouse.infra.event_store.serialization.mapper import mapper_of_our_events
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.expected import Row
from tests.support.databases import copied
from tests.support.in_process import Warehouse

LOG = """
    SELECT notification_id, originator_id, originator_version, topic, state, batch_id, source
    FROM event_store.log WHERE topic NOT LIKE 'quality.%%' ORDER BY 1
"""
BESIDE = {
    "commit": "first_position, last_position",
    "batch_progress": "unit, part, bucket, kind, key, is_done, events::text",
    "row_fingerprint": "file, key, fingerprint",
    "order_reference": "order_id, customer_alias, status, placed_at, sellers",
    "alias_reference": "customer_alias, customer_id",
    "seller_reference": "seller_id, zip_prefix",
    "review_reference": "order_id, review_id",
    "segment_due": "customer_id, due",
    "subject_key": "subject_id",
}


def recorded(warehouse: Warehouse) -> list[object]:
    """All events but those of the loads themselves, in clear, with what else is recorded of them."""
    mapper, found = mapper_of_our_events(), list[object]()
    with warehouse.database.connect("replayhouse test", autocommit=True) as connection:
        rows: list[Row] = connection.execute(LOG.encode(), ()).fetchall()
        decoded = [mapper.decode(topic, bytes(state)) for _, _, _, topic, state, _, _ in rows]
        subjects = [mapper.subject_of(event, row[1]) for event, row in zip(decoded, rows, strict=True)]
        keys = known_keys(connection, {subject for subject in subjects if subject is not None})
    for event, subject, (position, stream, version, topic, state, batch, source) in zip(
        decoded, subjects, rows, strict=True
    ):
        what = bytes(state) if subject is None else mapper.reveal(event, stream, keys[subject])
        found.append((position, stream, version, topic, what, batch, source))
    return found


def beside(warehouse: Warehouse) -> dict[str, list[Row]]:
    """What else a load writes, sorted."""
    return {
        table: warehouse.rows(f"SELECT {columns} FROM event_store.{table} ORDER BY {columns}")
        for table, columns in BESIDE.items()
    }


@contextmanager
def loaded(server: EmbeddedServer, extract: Path, home: Path, columns: str) -> Iterator[Warehouse]:
    """An extract, loaded into a warehouse of its own by one process."""
    with copied(server) as database:
        warehouse = Warehouse(database, home)
        settings = {"REPLAYHOUSE_COLUMNS": columns, "REPLAYHOUSE_WORKERS": "1"}
        done = warehouse.run("ingest", extract, "--no-project", **settings)
        assert done.code == 0, done
        yield warehouse
