"""What the mapping of a source says of it, as the staging takes it."""

from replayhouse.infra.sources.document import Expectations
from replayhouse.infra.staging.expected import OF_OLIST, Expected
from replayhouse.ingest.records import MAY_BE_UNKNOWN


def expected_of(said: Expectations) -> Expected:
    """What an extract of the source is held against; what is not said is as of Olist."""
    return Expected(
        unknown=frozenset((record, name) for record, name in MAY_BE_UNKNOWN if name in said.unknown),
        without=said.without,
        off=frozenset(said.off),
        methods=OF_OLIST.methods if said.methods is None else said.methods,
        states=OF_OLIST.states if said.states is None else said.states,
        has_postcodes=said.zips == "text",
    )
