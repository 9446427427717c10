"""Tokens: making one, which is shown once, listing and revoking them, and finding out whose one is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from replayhouse.infra.application.site import Site
from replayhouse.infra.privacy import tokens
from replayhouse.infra.privacy.tokens import Token
from replayhouse.infra.runtime.errors import Unknown, UsageError
from replayhouse.infra.runtime.identity import Identity, Role

MOST_DAYS = 3_650
_LONGEST_NAME = 200


@dataclass(frozen=True)
class NewToken:
    """What `token create` answers: the token itself, which is told this once, and what is kept of it."""

    secret: str
    kept: Token

    def __repr__(self) -> str:
        """Without the token."""
        return f"NewToken({self.kept!r})"

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {**self.kept.document(), "secret": self.secret}


@dataclass(frozen=True)
class Tokens:
    """What `token list` answers: all tokens by number, and which of them is good now."""

    tokens: list[Token]
    now: datetime

    def document(self) -> list[dict[str, object]]:
        """As JSON shows it."""
        return [{**token.document(), "state": token.state(self.now)} for token in self.tokens]


def create_token(site: Site, role: str, name: str, days: int) -> NewToken:
    """Makes a token for a role, good for so many days. Raises UsageError for what is no role, name or time."""
    if role not in list(Role):
        raise UsageError(f"There is no role '{role}': it is one of {', '.join(Role)}.")
    if not (name.strip() and name.isprintable() and len(name) <= _LONGEST_NAME):
        raise UsageError(f"--name says whose the token is: one line of {_LONGEST_NAME} signs at most, and not empty.")
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"A token is good for 1 to {MOST_DAYS:,} days, and {days:,} are none of these.")
    secret = tokens.draw()
    with site.database.connect("replayhouse token", autocommit=True) as conn:
        made = tokens.keep(conn, secret, name.strip(), Role(role), site.settings.actor, timedelta(days=days))
    return NewToken(secret, made)


def list_tokens(site: Site) -> Tokens:
    """All that were ever made."""
    with site.database.connect("replayhouse token", autocommit=True) as conn:
        return Tokens(tokens.kept(conn), datetime.now(UTC))


def revoke_token(site: Site, number: int) -> Token:
    """Revokes a token: from the next request on it is refused. Raises Unknown where there is none of that number."""
    with site.database.connect("replayhouse token", autocommit=True) as conn:
        found = tokens.revoke(conn, number) if 0 < number < 2**31 else None
    if found is None:
        raise Unknown(f"There is no token {number}: replayhouse token list shows them.")
    return found


def bearer(site: Site, sha256: bytes, how: str) -> Identity | None:
    """Who asks with the token of that hash; None where that is none, or is no longer good."""
    with site.as_program.connect("replayhouse token", autocommit=True) as conn:
        found = tokens.bearer(conn, sha256)
    return None if found is None else Identity(*found, how)
