"""A fold, its tables and its views stay what they are for as long as the projection has the same version.

By its version a program recognises what an earlier one has folded. So whoever changes what the read models show raises
it: then warehouses fill their tables anew, and else they would go on with a mixture.
"""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

import pytest

from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.projections.digest import NOTHING, digest_of
from replayhouse.projections.projection import Projection, Stream
from replayhouse.projections.versions import VERSIONS, Version
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn

STREAMS = 150
"""Of each kind."""

MADE = {
    "sales": {
        1: "98d53a9cb0c37013 0000000000000000 18439dbd8b921a29",
        2: "8ece8b9b5b885527 0000000000000000 583f315f175dfc35",
    },
    "fulfillment": {
        1: "2862b58447662f11 0000000000000000 5e4dd7a3447f14b8",
        2: "e4071f9ad79f43f9 0000000000000000 ed4654a8b3b9378e",
    },
    "customer": {
        1: "ee60bcf6ea309b37 0000000000000000 164f6e5280884259",
        2: "ee60bcf6ea309b37 0000000000000000 e9e33953fd047f51",
    },
    "marketplace": {
        1: "c955610ad524db18 7c9239ecb15db7f2 8f99c491d3b481b0",
        2: "c955610ad524db18 7c9239ecb15db7f2 9e078457881a320f",
    },
    "quality": {1: "a54b642fea675deb 0000000000000000 8affc0c7bc5303ca"},
}
"""By context and version, what stands for tables, views and fold. Entries are never changed: a version has one more."""


@pytest.mark.parametrize("context", PROJECTIONS)
def test_what_a_version_makes_stays_what_it_is(context: str) -> None:
    projection = PROJECTIONS[context]
    made, version = _told(projection), projection.version
    known = MADE.get(context, {})
    assert version in known, f"Here is none of version {version} of {context}: add {version}: {made!r}."
    assert known[version] == made, (
        f"The tables, the views or the fold of {context} are other ones than those of version {version}. "
        f"Raise it in projections/versions.py, and add {version + 1}: {made!r} here."
    )


@pytest.mark.parametrize("context", PROJECTIONS)
def test_a_version_names_the_tables_that_it_has(context: str) -> None:
    projection = PROJECTIONS[context]
    named = Version(projection.version, projection.fingerprint)
    assert VERSIONS[context] == named, (
        f"Of {context} projections/versions.py must name the tables {named.tables!r}, under the next number "
        f"where it named other ones."
    )


def test_no_version_is_named_of_a_context_that_is_none() -> None:
    assert VERSIONS.keys() == PROJECTIONS.keys()


@dataclass(frozen=True)
class ParcelWeighed:
    """An event as it was first."""

    grams: int
    depot: str


@dataclass(frozen=True)
class ParcelWeighedWhere:
    """The same with a field more, before those that it had."""

    at: datetime
    grams: int
    depot: str


def test_an_event_that_gets_a_field_is_drawn_as_before_in_its_others() -> None:
    before, now = Random("one seed"), Random("one seed")
    for _ in range(20):
        old, new = drawn(ParcelWeighed, before), drawn(ParcelWeighedWhere, now)
        assert (new.grams, new.depot) == (old.grams, old.depot)


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
