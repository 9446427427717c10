"""A moment that questions are answered as of: where its marts stand, and what they show."""

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import psycopg

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.read_models import marts_shown, refolding, versions
from replayhouse.infra.read_models.currency import currency_of
from replayhouse.infra.read_models.marts_shown import definition
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.projections.questions import Question


class Moment(NamedTuple):
    """The schemas of its marts and their calendar, and what they show.

    `definition` is the SHA-256 of how they are made, and of which source, if of one alone; `erasures` grows with each
    erasure of what they show. `is_record` tells that they show the log and nothing else: no stream is parked, no other
    program has folded them.
    """

    schemas: tuple[str, ...]
    position: int
    occurred_before: datetime | None
    definition: str
    erasures: int
    is_record: bool
    currency: str = BRL
    """The code of the currency of its amounts."""

    def definition_of(self, question: Question) -> str:
        """The SHA-256 of how a question is answered here: its file, the marts, and the folds."""
        return sha256(f"{question.sha256} {self.definition}".encode()).hexdigest()


LIVE = ("mart", "shared")
"""The schemas of the live marts and their calendar."""


def live_moment(conn: psycopg.Connection) -> Moment:
    """What the live marts show; nobody exchanges them before the transaction ends.

    They are no record where a stream is parked, contexts stand apart, another program has made them or their tables,
    or an erasure has overtaken them. Raises Conflicting where there are none, and Replaced as `marts_shown.shown` does.
    """
    found = marts_shown.shown(conn)
    if found is None:
        raise Conflicting("There are no marts yet that questions could be asked: replayhouse project makes them.")
    is_record = (
        found.is_of_one_position
        and not found.made_of.get("parked")
        and found.definition == definition()
        and found.erasures == refolding.erasures(conn)
        and not versions.others(conn)
    )
    return Moment(LIVE, found.position, None, found.definition, found.erasures, is_record, currency_of(conn))


def has_own_marts(conn: psycopg.Connection) -> bool:
    """Whether there are live marts, which this program has made."""
    found = marts_shown.noted(conn)
    return found is not None and found.definition == definition()


def moment_as_of(
    conn: psycopg.Connection,
    schemas: tuple[str, ...],
    position: int,
    occurred_before: datetime | None,
    source: str | None = None,
) -> Moment:
    """What marts show, or would, that this program makes of the log up to a position, or of a source in it."""
    made = definition() if source is None else sha256(f"{definition()} of {source}".encode()).hexdigest()
    erasures, currency = refolding.erasures(conn), currency_of(conn)
    return Moment(schemas, position, occurred_before, made, erasures, True, currency)
