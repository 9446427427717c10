"""Rows of `COPY ... TO STDOUT`, taken as they have arrived: a third of the driver's own time.

The driver waits, so that Ctrl-C is heard; what is there already is taken from libpq itself, without a wait.
"""

from collections.abc import Generator
from typing import TypeAlias

import psycopg
from psycopg import errors, sql
from psycopg.abc import Params
from psycopg.pq import ExecStatus

from replayhouse.infra.postgres.binary_copy import HEADER, TRAILER

Message: TypeAlias = bytes | bytearray | memoryview

_HEADER_BYTES, _TRAILER_BYTES = len(HEADER), len(TRAILER)


def copied_rows(
    conn: psycopg.Connection, statement: bytes | sql.Composed, parameters: Params | None = None
) -> Generator[bytes]:
    """The rows that a COPY in binary format sends, without the header before the first and the trailer after the last.

    `conn` can do nothing else until the last one was taken, or the generator is closed. Raises psycopg.Error.
    """
    messages = copied_lines(conn, statement, parameters)
    try:
        for first in messages:
            if len(first) > _HEADER_BYTES + _TRAILER_BYTES:
                yield first[_HEADER_BYTES:]
            break
        for row in messages:
            if len(row) > _TRAILER_BYTES:
                yield row
    finally:
        messages.close()


def copied_at_once(conn: psycopg.Connection, statement: bytes | sql.Composed, number: int) -> Generator[list[Message]]:
    """The same rows, so many at once; the last ones may be fewer. `conn` and errors as for `copied_rows`."""
    take = conn.pgconn.get_copy_data
    rows: list[Message] = []
    is_first = True
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        while True:
            size, message = take(1)
            if size > 0:
                rows.append(message)
            elif size < 0:
                _finish(conn)
                break
            elif waited := copy.read():
                rows.append(waited)
            else:
                break
            if len(rows) > number:  # the last message is a row, or the trailer
                last = rows.pop()
                yield _without_header(rows) if is_first else rows
                rows, is_first = [last], False
    if is_first:
        rows = _without_header(rows)
    if rows and len(rows[-1]) <= _TRAILER_BYTES:
        rows.pop()
    if rows:
        yield rows


def _without_header(rows: list[Message]) -> list[Message]:
    """The first message is the header, with the first row behind it or by itself."""
    return [row for row in (rows[0][_HEADER_BYTES:], *rows[1:]) if row] if rows else rows


def copied_lines(
    conn: psycopg.Connection, statement: bytes | sql.Composed, parameters: Params | None = None
) -> Generator[bytes]:
    """What a COPY sends, a message each: of one in text format, the lines of its rows, with their ends.

    `conn` as for `copied_rows`. Raises psycopg.Error.
    """
    take = conn.pgconn.get_copy_data
    with conn.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        while True:
            size, message = take(1)
            if size > 0:
                yield message.tobytes()
            elif size < 0:
                _finish(conn)
                return
            else:
                waited = bytes(copy.read())
                if not waited:
                    return
                yield waited


def _finish(conn: psycopg.Connection) -> None:
    """Takes what follows the last message: whether all went well. The driver does the same where it was waiting."""
    result = conn.pgconn.get_result()
    while conn.pgconn.get_result() is not None:
        pass
    if result is not None and result.status != ExecStatus.COMMAND_OK:
        raise errors.error_from_result(result, conn.info.encoding)
