"""Places of Brazil: zip prefixes, states and their regions, and city names made comparable."""

import re
import unicodedata

from replayhouse.domain.kernel.each import of_each

UNKNOWN = "unknown"

REGIONS = {
    "North": "AC AM AP PA RO RR TO",
    "Northeast": "AL BA CE MA PB PE PI RN SE",
    "Central-West": "DF GO MS MT",
    "Southeast": "ES MG RJ SP",
    "South": "PR RS SC",
}
"""The five regions of the IBGE and their federative units (R11)."""

REGION_OF_STATE = {state: region for region, states in REGIONS.items() for state in states.split()}


@of_each
def region_of(state: str | None) -> str:
    """The region of a state's two letters; `unknown` for anything else."""
    return REGION_OF_STATE.get(state, UNKNOWN) if state is not None else UNKNOWN


def zip_prefix_of(digits: str) -> str:
    """The five digits of a zip prefix whose leading zeros may be lost (R3)."""
    return digits.zfill(5)


_WHITE_SPACE = re.compile(r"[^\S\x1c-\x1f]+")
"""White space by Unicode: Python's, without the four control characters that it adds."""


@of_each
def normalised_city(city: str) -> str:
    """A city's name without accents, in lower case, with single spaces (R12)."""
    if not city.isascii():
        letters = unicodedata.normalize("NFD", city)
        city = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return _WHITE_SPACE.sub(" ", city.lower()).strip(" ")


def is_in_brazil(latitude: float, longitude: float) -> bool:
    """Whether a place in degrees lies inside Brazil with its Atlantic islands, borders included (R27)."""
    return -33.76 <= latitude <= 5.28 and -74.00 <= longitude <= -28.84
