"""The whole warehouse: the projection of every context, and what follows from all of their tables."""

from importlib import import_module

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.projections.projection import Projection, calendar_columns, personal_columns


def _declared(context: str) -> Projection:
    """The projection in the module of the context's name."""
    projection: Projection = import_module(f"{__package__}.{context}").PROJECTION
    return projection


PROJECTIONS: dict[str, Projection] = {context: _declared(context) for context in CONTEXTS}
"""By context, in the order in which reports name them."""

PERSONAL_CONTEXTS = tuple(
    context for context, projection in PROJECTIONS.items() if any(map(personal_columns, projection.tables))
)
"""The contexts whose read models show personal fields, in the same order."""

BUSINESS_TIMES: dict[str, dict[str, tuple[str, ...]]] = {
    context: times
    for context, projection in PROJECTIONS.items()
    if (times := {table.name: names for table in projection.tables if (names := calendar_columns(table))})
}
"""The times by which the calendar's end is found, by context and table (R15)."""
