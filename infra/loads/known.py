"""What the log knows of earlier extracts, handed to the staging as CSV files: the lookups of all that counts.

That is loads, and decisions of people on quarantined rows. Of one source: a record is compared with what its own said
before, and the day as of which people are looked at is that of its own newest order.
"""

from pathlib import Path

import psycopg

EXPORTS = {
    "fingerprints.csv": """
        COPY (
            SELECT DISTINCT ON (r.file, r.key) r.file, r.key, r.fingerprint
            FROM event_store.row_fingerprint AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
                AND coalesce(b.source ->> 'name', '') = current_setting('replayhouse.source')
            ORDER BY r.file, r.key, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "superseded.csv": """
        COPY (
            WITH counting AS (
                SELECT r.file, r.key, r.fingerprint, b.batch_seq, b.kind
                FROM event_store.row_fingerprint AS r
                JOIN event_store.batch AS b USING (batch_seq)
                WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
                    AND coalesce(b.source ->> 'name', '') = current_setting('replayhouse.source')
            ),
            decided AS (
                SELECT file, key, max(batch_seq) AS batch_seq FROM counting WHERE kind = 'decision' GROUP BY file, key
            ),
            loaded AS (
                SELECT c.file, c.key, max(c.batch_seq) AS batch_seq
                FROM counting AS c
                JOIN decided AS d USING (file, key)
                WHERE c.kind = 'load'
                GROUP BY c.file, c.key
            )
            SELECT c.file, c.key, c.fingerprint
            FROM counting AS c
            JOIN decided AS d USING (file, key)
            JOIN loaded AS l USING (file, key)
            WHERE l.batch_seq < d.batch_seq AND c.batch_seq >= l.batch_seq AND c.batch_seq < d.batch_seq
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "orders.csv": """
        COPY (
            SELECT DISTINCT ON (r.order_id)
                r.order_id, r.customer_alias, r.status, r.placed_at, array_to_string(r.sellers, ';') AS sellers
            FROM event_store.order_reference AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
                AND coalesce(b.source ->> 'name', '') = current_setting('replayhouse.source')
            ORDER BY r.order_id, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "aliases.csv": """
        COPY (
            SELECT DISTINCT ON (r.customer_alias) r.customer_alias, r.customer_id
            FROM event_store.alias_reference AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
                AND coalesce(b.source ->> 'name', '') = current_setting('replayhouse.source')
            ORDER BY r.customer_alias, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
    "sellers.csv": """
        COPY (
            SELECT DISTINCT ON (r.seller_id) r.seller_id, r.zip_prefix
            FROM event_store.seller_reference AS r
            JOIN event_store.batch AS b USING (batch_seq)
            WHERE b.status <> 'retracted' AND b.batch_seq < current_setting('replayhouse.batch_seq')::int
                AND coalesce(b.source ->> 'name', '') = current_setting('replayhouse.source')
            ORDER BY r.seller_id, r.batch_seq DESC
        ) TO STDOUT (FORMAT csv, HEADER)
    """,
}
"""By file name, in the shapes that `replayhouse.infra.staging.staging.stage` takes."""

OF_DECISIONS = "superseded.csv"
"""Said by decisions of people alone: where there are none, nothing is looked through for it."""

ARE_DECISIONS = "SELECT EXISTS (SELECT FROM event_store.batch WHERE kind = 'decision')"


def export_known(
    connection: psycopg.Connection, before_batch_seq: int, directory: Path, source: str | None = None
) -> Path:
    """Writes what the loads before a number say, by the newest of them not retracted; returns the directory.

    `source` is that of the records to compare; None: they are of the nine files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with connection.transaction():
        connection.execute("SELECT set_config('replayhouse.batch_seq', %s, true)", (str(before_batch_seq),))
        connection.execute("SELECT set_config('replayhouse.source', %s, true)", (source or "",))
        [(are_decisions,)] = connection.execute(ARE_DECISIONS).fetchall()
        for name, query in EXPORTS.items():
            if name == OF_DECISIONS and not are_decisions:
                continue
            with (directory / name).open("wb") as file, connection.cursor().copy(query) as copy:
                for block in copy:
                    file.write(block)
    return directory
