"""Bad records of a load that name somebody erased: what is recorded of them has no text.

Erasing imports the read models, which takes a quarter of a second: only where somebody was erased.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

import duckdb
import psycopg

from replayhouse.domain.quality.row import row_stream_id
from replayhouse.infra.privacy.mentions import RowText, erased_people, names_of, rows_naming
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.staging.staging import Staged

SHOWN = """
    SELECT c.customer_alias, o.order_id
    FROM customers AS c
    LEFT JOIN orders AS o ON o.customer_alias = c.customer_alias
    WHERE c.customer_id IN (SELECT unnest($people::UUID[]))
"""
"""What the good rows of the extract tell of people."""


def forget_erased(connection: psycopg.Connection, staged: Staged) -> None:
    """Destroys the keys of a staged extract's bad records that name somebody erased, before anything is sealed."""
    if not any(counts.quarantined for counts in staged.counts.values()):
        return
    people = erased_people(connection)
    if not people:
        return

    def texts() -> Iterator[RowText]:
        for record in staged.quarantined():
            yield RowText(row_stream_id(record.file, record.text), record.file, record.text)

    from replayhouse.infra.privacy.erasure import make_rows_unreadable

    ids = names_of(connection, people, texts).ids | _shown(staged, people)
    make_rows_unreadable(connection, rows_naming(ids, texts))


def forget_shown_since(connection: psycopg.Connection) -> None:
    """Does the same for those that were kept apart before, and name somebody erased, as this load has shown."""
    if erased_people(connection):
        from replayhouse.infra.privacy.erasure import forget_rows_of_erased

        forget_rows_of_erased(connection)


def _shown(staged: Staged, people: Sequence[UUID]) -> set[str]:
    with interruptible(duckdb.connect(str(staged.database), read_only=True)) as work:
        found = work.execute(SHOWN, {"people": [str(person) for person in people]}).fetchall()
    return {shown.hex for pair in found for shown in pair if shown is not None}
