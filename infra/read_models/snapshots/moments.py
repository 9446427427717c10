"""What a moment is called: `live`, a revision, a prefix, a position of the log, a recorded time; and where it stands.

A position or a time stands nowhere: it gives limits, as of which `time_travel.made` makes the warehouse.
"""

from datetime import datetime
from typing import NamedTuple

import psycopg

from replayhouse.infra.read_models.prefixes import prefixes, schema_in
from replayhouse.infra.read_models.rebuild.revisions import schema_of
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.windows import head_of
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_recorded_time
from replayhouse.projections.warehouse import PROJECTIONS

LIVE = "live"

# The live one stands under the name of its context, others under their number.
_REVISIONS = """
    SELECT p.context, p.revision, true FROM read_model.projection AS p
    UNION ALL
    SELECT r.context, r.revision, false FROM read_model.revision AS r JOIN read_model.projection AS p USING (context)
    WHERE r.live_at IS NOT NULL AND r.dropped_at IS NULL AND r.revision <> p.revision
        AND to_regnamespace(format('%s_r%s', r.context, r.revision)) IS NOT NULL
    ORDER BY 2, 1
"""


class Wanted(NamedTuple):
    """What the user wrote, and what it limits the log to, if it was a position or a time."""

    text: str
    limits: Limits | None


def read(given: str | int | datetime) -> Wanted:
    """A position is written in digits; what reads as a time is one, and needs an offset; all else is a name."""
    text = given.isoformat() if isinstance(given, datetime) else str(given)
    if text.isascii() and text.isdigit():
        return Wanted(text, Limits(position=int(text)))
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return Wanted(text, None)
    return Wanted(text, Limits(as_of=read_recorded_time(text)))


def schemas_of(conn: psycopg.Connection, text: str) -> dict[str, str]:
    """Where each context of a read model that stands is to be found."""
    found = {LIVE: {context: context for context in PROJECTIONS}}
    for context, revision, is_live in conn.execute(_REVISIONS).fetchall():
        schema = context if is_live else schema_of(context, revision)
        found.setdefault(f"r{revision}", {})[context] = schema
        found[f"{context}:r{revision}"] = {context: schema}
    for prefix in prefixes(conn):
        found[prefix.prefix] = {context: schema_in(prefix.prefix, context) for context in prefix.contexts}
    if text not in found:
        several = [name for name in found if ":" not in name]
        raise UsageError(
            f"There is nothing called '{text}'. There are: {', '.join(several)} (of one context: sales:r1); "
            f"positions up to {head_of(conn):,}; and recorded times, such as 2026-03-01T12:00-03:00."
        )
    return found[text]
