"""A moment that questions are answered as of: where its marts stand, and what they show."""

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import psycopg

from replayhouse.infra.read_models import refolding
from replayhouse.projections.questions import Question
from replayhouse.projections.warehouse import PROJECTIONS


class Moment(NamedTuple):
    """The schemas of its marts and their calendar, and what they show.

    `definition` is the SHA-256 of how they are made, `erasures` grows with each erasure of what they show.
    `is_record` tells that they show the log and nothing else: no stream is parked, no other program has folded them.
    """

    schemas: tuple[str, ...]
    position: int
    occurred_before: datetime | None
    definition: str
    erasures: int
    is_record: bool

    def definition_of(self, question: Question) -> str:
        """The SHA-256 of how a question is answered here: its file, the marts, and the folds."""
        return sha256(f"{question.sha256} {self.definition}".encode()).hexdigest()


LIVE = ("mart", "shared")
"""The schemas of the live marts and their calendar."""


def live_moment(conn: psycopg.Connection) -> Moment:
    """What the live marts show; within the transaction that reads them."""
    position = conn.execute("SELECT min(position) FROM read_model.projection").fetchone()
    return Moment(LIVE, int(position[0]) if position else 0, None, definition(), refolding.erasures(conn), True)


def moment_as_of(
    conn: psycopg.Connection, schemas: tuple[str, ...], position: int, occurred_before: datetime | None
) -> Moment:
    """What marts show, or would, that this program makes of the log up to a position."""
    return Moment(schemas, position, occurred_before, definition(), refolding.erasures(conn), True)


def definition() -> str:
    """The SHA-256 of how this program makes marts."""
    return sha256("".join(p.fingerprint + str(p.version) for p in PROJECTIONS.values()).encode()).hexdigest()
