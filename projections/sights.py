"""Who sees what of the star schema and the marts, beside its owner and readers, who see all of it.

Analysts find every relation in the schema `masked`, with personal columns masked. Marketing finds in `regional` what
tells of a place, masked too and of their own states alone, and what products and dates are called. Neither has any
right on the tables themselves: a table that comes, by a rebuild or under a prefix, is nothing that they could read.
"""

from collections.abc import Iterator
from typing import NamedTuple

from replayhouse.projections import marts
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

STATE = "state"
"""What tells of a place has a column of this name: by it marketing sees their own states alone."""

REFERENCE = ("product", "dim_product", "dim_category", "dim_date")
"""What tells of no person and no place, and names what the rest means."""

MART = "mart"
"""Where the marts are: a place beside the contexts and `shared`."""


class Relation(NamedTuple):
    """A table, view or mart, by its place: a context, `shared` or `mart`. No two have the same name."""

    place: str
    name: str
    columns: tuple[str, ...]
    personal: frozenset[str]


class Sight(NamedTuple):
    """What a role sees, in a schema of its own: of each relation all rows, or those of its own states, or nothing."""

    schema: str
    role: str
    comment: str
    is_regional: bool

    def shows(self, relation: Relation) -> bool:
        """Whether anything of the relation is seen."""
        return not self.is_regional or relation.name in REFERENCE or self.limits(relation)

    def limits(self, relation: Relation) -> bool:
        """Whether only the rows of one's own states are seen."""
        return self.is_regional and STATE in relation.columns


ANALYSTS = Sight(
    "masked",
    "replayhouse_analyst",
    "The star schema and the marts as analysts see them: personal columns masked",
    False,
)
MARKETING = Sight(
    "regional",
    "replayhouse_marketing",
    "The star schema and the marts as marketing sees them: personal columns masked, rows of one's own states alone",
    True,
)
SIGHTS = (ANALYSTS, MARKETING)


def relations() -> Iterator[Relation]:
    """All that there is to see, each after what it stands on."""
    for context, projection in PROJECTIONS.items():
        tables = {table.name: table for table in projection.tables}
        for table in projection.tables:
            yield Relation(context, table.name, tuple(table.columns.keys()), frozenset(personal_columns(table)))
        for view in projection.views:
            yield Relation(context, view.name, tuple(view.select(tables).selected_columns.keys()), frozenset())
    yield Relation("shared", DIM_DATE.name, tuple(DIM_DATE.columns.keys()), frozenset())
    for mart in marts.MARTS:
        yield Relation(MART, mart.name, tuple(mart.column_comments), frozenset(mart.personal))


_FIRST_DIGITS = "CASE WHEN {0} ~ '^[0-9]+$' THEN left({0}, 2) WHEN {0} IS NOT NULL THEN 'unknown' END"
_WHETHER = "CASE WHEN {0} IS NOT NULL THEN 'written' END"

_MASKS = {
    "zip_prefix": _FIRST_DIGITS,
    "zip": _FIRST_DIGITS,
    "destination_zip": _FIRST_DIGITS,
    "title": _WHETHER,
    "comment": _WHETHER,
}
"""What is left of a personal column, by its name; of any other nothing."""


def mask(column: str) -> str | None:
    """What is left of a personal column, as SQL with the column's name in the place of {0}; None: null of its type."""
    return _MASKS.get(column)
