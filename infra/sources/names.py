"""Names of files, columns and records: which of them are equal, and which was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

NAMES_TOLD = 12


def plain_name(name: str) -> str:
    """The name of a column as it is compared: without blanks around it, in small letters."""
    return name.strip().casefold()


def meant(name: str, known: Iterable[str]) -> str:
    """The name that was probably meant, else all there are."""
    names = list(known)
    if near := get_close_matches(name, names, n=1):
        return f"did you mean {near[0]}?"
    told = ", ".join(names[:NAMES_TOLD]) + (f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else "")
    return f"there is {told}" if names else "there is none"
