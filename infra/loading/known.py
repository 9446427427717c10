"""What the log knows of earlier extracts, handed to the staging as CSV files: the lookups of all loads that count."""

from pathlib import Path

import psycopg

EXPORTS = {
    "fingerprints.csv": """
        COPY (
            SELECT DISTINCT ON (r.file, r.key) r.file, r.key, r.fingerprint
            FROM event_store.row_fingerprint AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
            ORDER BY r.file, r.key, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "orders.csv": """
        COPY (
            SELECT DISTINCT ON (r.order_id)
                r.order_id, r.customer_alias, r.status, r.placed_at, array_to_string(r.sellers, ';') AS sellers
            FROM event_store.order_reference AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
            ORDER BY r.order_id, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "aliases.csv": """
        COPY (
            SELECT DISTINCT ON (r.customer_alias) r.customer_alias, r.customer_id
            FROM event_store.alias_reference AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
            ORDER BY r.customer_alias, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "sellers.csv": """
        COPY (
            SELECT DISTINCT ON (r.seller_id) r.seller_id, r.zip_prefix
            FROM event_store.seller_reference AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
            ORDER BY r.seller_id, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
}
"""By file name, in the shapes that `infra.csv.staging.stage` takes."""


def export_known(connection: psycopg.Connection, before_batch_seq: int, directory: Path) -> Path:
    """Writes what the loads before a number say, by the newest of them not retracted; returns the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with connection.transaction():
        connection.execute("SELECT set_config('replayhouse.batch_seq', %s, true)", (str(before_batch_seq),))
        for name, query in EXPORTS.items():
            with (directory / name).open("wb") as file, connection.cursor().copy(query) as copy:
                for block in copy:
                    file.write(block)
    return directory
