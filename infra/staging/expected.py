"""What an extract is held against: what Olist says, or what a mapping says of another source."""

from collections.abc import Mapping
from typing import NamedTuple

from replayhouse.domain.kernel.places import REGION_OF_STATE
from replayhouse.domain.quality.rules import PAYMENT_METHODS


class Expected(NamedTuple):
    """What a source says, and what it never says.

    `unknown` are the required columns that may be empty, by file and the CSV's name, of those of
    `ingest.records.MAY_BE_UNKNOWN`; `without` the required files that the source does not have; `off` the names of
    rules that it is not held against; `methods` and `states` the words of payments and places that are known.
    `has_postcodes`: zips need not be Brazil's. `regions` are those of states, of a source that has its own.
    """

    unknown: frozenset[tuple[str, str]] = frozenset()
    without: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()
    methods: tuple[str, ...] = PAYMENT_METHODS
    states: tuple[str, ...] = tuple(sorted(REGION_OF_STATE))
    has_postcodes: bool = False
    regions: Mapping[str, str] | None = None


OF_OLIST = Expected()
