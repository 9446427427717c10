"""Tokens for those who ask over HTTP.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.tokens import NewToken, Tokens
    from replayhouse.infra.postgres.connection import Database
    from replayhouse.infra.privacy.tokens import Token
    from replayhouse.infra.runtime.identity import Identity


class Access(Base):
    """The methods that have to do with who may ask."""

    def create_token(self, role: str, name: str, days: int = 90) -> "NewToken":
        """Makes a token with which `serve --auth token` lets somebody in, for so many days; its `secret` is told once.

        `role` is owner, reader, analyst, marketing, auditor or steward; `name` is whom the access log names. Raises
        UsageError for what is none.
        """
        from replayhouse.infra.application.tokens import create_token

        return self._do(create_token, role, name, days)

    def tokens(self) -> "Tokens":
        """All tokens that were ever made, without themselves, and which of them are good."""
        from replayhouse.infra.application.tokens import list_tokens

        return self._do(list_tokens)

    def revoke_token(self, number: int) -> "Token":
        """Revokes a token by its number, at once and for good. Raises UsageError where there is none."""
        from replayhouse.infra.application.tokens import revoke_token

        return self._do(revoke_token, number)

    def login_for_askers(self, url: str | None = None) -> "Database":
        """How a server reaches the database on behalf of those who ask it: by a URL, or else as the settings say.

        Whoever connects so may act as the roles of askers; the embedded database is given a login for that. Raises
        WrongServer with what an administrator has to do where roles are missing, or may not be acted as.
        """
        from replayhouse.infra.application.askers import login_for_askers

        return self._do(login_for_askers, url)

    def bearer(self, sha256: bytes, how: str = "token") -> "Identity | None":
        """Who asks with the token of that SHA-256; None where that is none, or is no longer good."""
        from replayhouse.infra.application.tokens import bearer

        return self._do(bearer, sha256, how)
