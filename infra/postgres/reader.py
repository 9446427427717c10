"""The login role for BI tools on the embedded server: it reads, and its password stands in the home."""

import secrets
from pathlib import Path

import psycopg
from psycopg import sql

from replayhouse.infra.runtime.files import writing

READER = "replayhouse_bi"

_GROUP = "replayhouse_reader"
_KNOWN = "SELECT 1 FROM pg_roles WHERE rolname = %s"


def set_right(conn: psycopg.Connection, path: Path) -> str:
    """Makes role and password where they are missing, and both what they should be; returns the password.

    Whoever has connected as the reader may have changed its password and settings, for everybody. `conn` is the
    administrator's, in autocommit; `path` is the file of the password, empty where a full disk has left it so.
    """
    kept = path.read_text() if path.exists() else ""
    password = kept or secrets.token_urlsafe(24)
    reader = sql.Identifier(READER)
    # Hashed here, so that no log of statements can hold the password.
    verifier = conn.pgconn.encrypt_password(password.encode(), READER.encode(), b"scram-sha-256").decode()
    with conn.transaction():
        if not conn.execute(_KNOWN, [READER]).fetchone():
            conn.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(reader, sql.Identifier(_GROUP)))
        conn.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(reader))
        conn.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(reader))
        conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(reader, sql.Literal(verifier)))
    if not kept:
        with writing(path, replaces=True) as file:
            file.write(password.encode())
    return password
