"""Rows of `COPY ... TO STDOUT` in the binary format, taken as they have arrived: a third of the driver's own time.

The driver waits, so that Ctrl-C is heard; what is there already is taken from libpq itself, without a wait.
"""

from collections.abc import Generator

import psycopg
from psycopg import errors, sql
from psycopg.abc import Params
from psycopg.pq import ExecStatus

from replayhouse.infra.postgres.binary_copy import HEADER

_TRAILER_BYTES = 2


def copied_rows(
    conn: psycopg.Connection, statement: bytes | sql.Composed, parameters: Params | None = None
) -> Generator[bytes]:
    """The rows that a COPY sends, a message each, without the header before the first and the trailer after the last.

    `conn` can do nothing else until the last one was taken, or the generator is closed. Raises psycopg.Error.
    """
    take = conn.pgconn.get_copy_data
    skipped = len(HEADER)
    with conn.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        while True:
            size, message = take(1)
            if not size:
                message = memoryview(copy.read())
                size = len(message)
                if not size:
                    return
            if size < 0:
                _finish(conn)
                return
            row = message.tobytes()
            if skipped:
                row, size, skipped = row[skipped:], size - skipped, 0
            if size > _TRAILER_BYTES:
                yield row


def _finish(conn: psycopg.Connection) -> None:
    """Takes what follows the last message: whether all went well. The driver does the same where it was waiting."""
    result = conn.pgconn.get_result()
    while conn.pgconn.get_result() is not None:
        pass
    if result is not None and result.status != ExecStatus.COMMAND_OK:
        raise errors.error_from_result(result, conn.info.encoding)
