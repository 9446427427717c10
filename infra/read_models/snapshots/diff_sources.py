"""What can be compared: live read models, revisions, prefixes, and the log as of a position or a recorded time.

The last two are folded for the time of the comparison, beside everything else, and removed after it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import psycopg
from sqlalchemy import Table

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.prefixes import prefixes, schema_in
from replayhouse.infra.read_models.rebuild.revisions import schema_of
from replayhouse.infra.read_models.snapshots.diff import Side
from replayhouse.infra.read_models.snapshots.time_travel import Limits, alone, made, position_of
from replayhouse.infra.read_models.windows import head_of
from replayhouse.infra.runtime.errors import UsageError
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

Tables = Sequence[tuple[str, Table]]
"""Tables to compare, each with its context."""

Tell = Callable[[str], None]
"""Takes what is being done."""


class Wanted(NamedTuple):
    """What the user wrote, and what it limits the log to, if it was a position or a time."""

    text: str
    limits: Limits | None


@contextmanager
def two_sides(
    database: Database,
    conn: psycopg.Connection,
    wanted: tuple[Wanted, Wanted],
    names: Sequence[str],
    workers: int | None,
    tell: Tell,
) -> Iterator[tuple[Side, Side, Tables]]:
    """Both sides, ready to be compared in the block, and the tables that are: of the contexts that both have.

    `names` are tables to restrict it to, with their context or without; none: all. Raises UsageError for what does
    not exist, and what a rebuild raises.
    """
    standing = [None if side.limits else schemas_of(conn, side.text) for side in wanted]
    tables = _tables(standing, names, wanted)
    contexts = tuple(dict.fromkeys(context for context, _ in tables))
    limited = [side.limits for side in wanted if side.limits]
    for limits in limited:
        position_of(conn, limits)  # before anything is folded
    with ExitStack() as stack:
        if limited:
            stack.enter_context(alone(conn))
        sides = []
        for side, schemas in zip(wanted, standing, strict=True):
            if side.limits:
                tell(f"folding the log as of {side.text}")
                beside = stack.enter_context(made(database, conn, contexts, side.limits, workers))
                schemas = {context: model.schema for context, model in beside.unfinished.models.items()}
            assert schemas is not None
            sides.append(Side(side.text, schemas))
        yield sides[0], sides[1], tables


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


def _tables(
    standing: Sequence[Mapping[str, str] | None], names: Sequence[str], wanted: tuple[Wanted, Wanted]
) -> list[tuple[str, Table]]:
    contexts = [c for c in PROJECTIONS if all(schemas is None or c in schemas for schemas in standing)]
    if not contexts:
        raise UsageError(
            f"{wanted[0].text} and {wanted[1].text} have no context in common: there is nothing to compare."
        )
    known = [(context, table) for context in contexts for table in PROJECTIONS[context].tables]
    for name in names:
        if not any(name in _names_of(*table) for table in known):
            there = ", ".join(f"{context}.{table.name}" for context, table in known)
            raise UsageError(f"Both sides have no table '{name}'. There are: {there}.")
    return [table for table in known if not names or not _names_of(*table).isdisjoint(names)]


def _names_of(context: str, table: Table) -> set[str]:
    return {table.name, f"{context}.{table.name}"}
