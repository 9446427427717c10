"""What the mapping of a source says of it, as the staging takes it."""

from collections.abc import Mapping

from replayhouse.infra.sources.document import Expectations
from replayhouse.infra.staging.expected import OF_OLIST, Expected
from replayhouse.ingest.records import MAY_BE_UNKNOWN


def expected_of(said: Expectations, regions: Mapping[str, tuple[str, ...]] | None = None) -> Expected:
    """What an extract of the source is held against; what is not said is as of Olist.

    `regions` are states by region: where it says so, these are the states that are known.
    """
    region_of = {state: region for region, states in (regions or {}).items() for state in states}
    states = tuple(region_of) or OF_OLIST.states
    return Expected(
        unknown=frozenset((record, name) for record, name in MAY_BE_UNKNOWN if name in said.unknown),
        without=said.without,
        off=frozenset(said.off),
        methods=OF_OLIST.methods if said.methods is None else said.methods,
        states=states if said.states is None else said.states,
        has_postcodes=said.zips == "text",
        regions=region_of or None,
    )
