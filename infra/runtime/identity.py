"""Who asks: a name, a role, and how both are known. There is one list of roles, and it stands here."""

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What somebody is here for; the first has all rights that the program has."""

    OWNER = "owner"
    READER = "reader"
    ANALYST = "analyst"
    MARKETING = "marketing"
    AUDITOR = "auditor"
    STEWARD = "steward"


SEES_PEOPLE = frozenset({Role.OWNER})
"""Whom personal fields are shown in clear."""

SEES_RECORDS = frozenset({Role.OWNER, Role.STEWARD})
"""Whom the texts of quarantined records are shown."""


SEALED = "sealed"
"""Stands for what is there, and is not shown to whoever asks."""


class Identity(NamedTuple):
    """Somebody who asks. `how`: by command, on loopback, by a proxy, a token or a session."""

    name: str
    role: Role
    how: str

    @property
    def sees_people(self) -> bool:
        """Whether personal fields are shown in clear."""
        return self.role in SEES_PEOPLE

    @property
    def sees_records(self) -> bool:
        """Whether the texts of quarantined records are shown."""
        return self.role in SEES_RECORDS


class Asked(NamedTuple):
    """On whose behalf something is read, what for, and in which request, as the access log keeps it."""

    by: Identity
    purpose: str
    request: str | None = None
