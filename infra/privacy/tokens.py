"""Tokens: what stands for somebody who asks over HTTP. The database has their hashes alone."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import psycopg

from replayhouse.infra.runtime.identity import Role

_BEGIN = "rh_"
_RANDOM_BYTES = 32
_LENGTH = len(_BEGIN) + 43  # that many bytes in base 64, for URLs

_COLUMNS = "token_id, name, role, made_at, made_by, expires_at, revoked_at"
_MAKE = f"""
    INSERT INTO event_store.token (name, role, sha256, made_by, expires_at)
    VALUES (%s, %s, %s, %s, clock_timestamp() + %s)
    RETURNING {_COLUMNS}
"""
_ALL = f"SELECT {_COLUMNS} FROM event_store.token ORDER BY token_id"
_GOOD = """
    SELECT name, role FROM event_store.token
    WHERE sha256 = %s AND expires_at > clock_timestamp() AND revoked_at IS NULL
"""
_REVOKE = f"""
    UPDATE event_store.token SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE token_id = %s
    RETURNING {_COLUMNS}
"""


class Token(NamedTuple):
    """What is known of a token: all but itself."""

    token: int
    name: str
    role: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """Whether it is good, expired or revoked."""
        return "revoked" if self.revoked_at is not None else "expired" if self.expires_at <= now else "good"

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return self._asdict()


def draw() -> str:
    """A new token."""
    return _BEGIN + secrets.token_urlsafe(_RANDOM_BYTES)


def hash_of(text: str) -> bytes | None:
    """The hash by which a token is known; None of what cannot be one, which nobody need be asked about."""
    return sha256(text.encode()).digest() if text.startswith(_BEGIN) and len(text) == _LENGTH else None


def keep(conn: psycopg.Connection, text: str, name: str, role: Role, by: str, valid: timedelta) -> Token:
    """Notes a new token."""
    found = conn.execute(_MAKE.encode(), [name, role.value, hash_of(text), by, valid]).fetchone()
    assert found is not None  # a row that is inserted is returned
    return Token(*found)


def kept(conn: psycopg.Connection) -> list[Token]:
    """All that were ever made, by number."""
    return [Token(*row) for row in conn.execute(_ALL.encode())]


def bearer(conn: psycopg.Connection, sha256: bytes) -> tuple[str, Role] | None:
    """Whose the token with that hash is, and the role; None where there is none, or it is expired or revoked."""
    found = conn.execute(_GOOD, [sha256]).fetchone()
    return None if found is None else (found[0], Role(found[1]))


def revoke(conn: psycopg.Connection, number: int) -> Token | None:
    """Revokes the token of that number, from now on; None where there is none. Once revoked it stays so."""
    found = conn.execute(_REVOKE.encode(), [number]).fetchone()
    return None if found is None else Token(*found)
