"""A fold, its tables and its views stay what they are for as long as the projection has the same version.

By its version a program recognises what an earlier one has folded. So whoever changes what the read models show raises
it: then warehouses fill their tables anew, and else they would go on with a mixture.
"""

from random import Random
from uuid import UUID

import pytest

from replayhouse.infra.read_models.schema import line_writer
from replayhouse.projections.digest import NOTHING, digest_of
from replayhouse.projections.projection import Projection, Stream
from replayhouse.projections.versions import VERSIONS, Version
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn

STREAMS = 150
"""Of each kind."""

MADE = {
    "sales": {1: "98d53a9cb0c37013 0000000000000000 81cc9d1cce5229f4"},
    "fulfillment": {1: "2862b58447662f11 0000000000000000 34bc1bea6c111a51"},
    "customer": {1: "ee60bcf6ea309b37 0000000000000000 ca961bece473abe6"},
    "marketplace": {1: "c955610ad524db18 7c9239ecb15db7f2 8b44568faf9d8d6c"},
    "quality": {1: "a54b642fea675deb 0000000000000000 4669afad9c9b4753"},
}
"""By context and version, what stands for tables, views and fold. Entries are never changed: a version has one more."""


@pytest.mark.parametrize("context", PROJECTIONS)
def test_what_a_version_makes_stays_what_it_is(context: str) -> None:
    projection = PROJECTIONS[context]
    made = _told(projection)
    assert MADE[context].get(projection.version) == made, (
        f"The tables, the views or the fold of {context} are other ones than those of version {projection.version}. "
        f"Raise it in projections/versions.py, and add {projection.version + 1}: {made!r} here."
    )


@pytest.mark.parametrize("context", PROJECTIONS)
def test_a_version_names_the_tables_that_it_has(context: str) -> None:
    projection = PROJECTIONS[context]
    named = Version(projection.version, projection.fingerprint)
    assert VERSIONS[context] == named, f"Of {context} projections/versions.py must say {named}."


def test_no_version_is_named_of_a_context_that_is_none() -> None:
    assert VERSIONS.keys() == PROJECTIONS.keys()


def _told(projection: Projection) -> str:
    """Fingerprint of the tables, queries of the views, and the digest of what streams that never change fold to."""
    tables = {table.name: table for table in projection.tables}
    rows = NOTHING
    for kind in [events for context, events in KINDS_OF_STREAMS if context == projection.context]:
        random = Random(kind[0].__name__)
        for number in range(STREAMS):
            others = random.choices(kind, k=random.randrange(6))
            events = [drawn(event, random) for event in (*kind[: bool(number % 8)], *others)]
            stream = Stream(UUID(int=random.getrandbits(128)), number + 1, events)
            for name, of_table in projection.fold(stream).items():
                rows += digest_of(name.encode() + b"\t" + line for line in line_writer(tables[name]).lines(of_table))
    assert rows.rows > STREAMS / 2
    views = digest_of(f"{view.name}\t{view.select(tables)}".encode() for view in projection.views)
    return f"{projection.fingerprint[:16]} {views.hex[:16]} {rows.hex[:16]}"
