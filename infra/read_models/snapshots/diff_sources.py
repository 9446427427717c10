"""The two sides of a comparison: what stands, and the log as of a position or a recorded time.

The latter is made for the time of the comparison, beside everything else, and removed after it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import psycopg
from sqlalchemy import Table

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import checkpoints
from replayhouse.infra.read_models.snapshots.diff import Side
from replayhouse.infra.read_models.snapshots.limits import position_of
from replayhouse.infra.read_models.snapshots.moments import Wanted, schemas_of
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.warehouse import PROJECTIONS

Tables = Sequence[tuple[str, Table]]
"""Tables to compare, each with its context."""

Tell = Callable[[str], None]
"""Takes what is being done."""


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
        sides = []
        if limited:
            from replayhouse.infra.read_models.snapshots.time_travel import alone, made  # with all that folds

            stack.enter_context(alone(conn))
        for side, schemas in zip(wanted, standing, strict=True):
            if side.limits:
                tell(f"folding the log as of {side.text}")
                afresh = _are_at(conn, contexts, position_of(conn, side.limits))
                beside = stack.enter_context(made(database, conn, contexts, side.limits, workers, afresh=afresh))
                schemas = {context: model.schema for context, model in beside.unfinished.models.items()}
            assert schemas is not None
            sides.append(Side(side.text, schemas))
        yield sides[0], sides[1], tables


def _are_at(conn: psycopg.Connection, contexts: Sequence[str], position: int) -> bool:
    """Whether the live tables show just that position: who asks for it asks what the log makes, not what stands."""
    live = [checkpoints.projected(conn, context) for context in contexts]
    return all(known is not None and known.position == position for known in live)


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
