"""Names of files, columns and records: which of them are equal, and which was probably meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

NAMES_TOLD = 12

_COUNTS = re.compile(r"\bcount\s*\(\s*\*\s*\)")
_STARS = re.compile(r"""(?:\b(\w+)|["'])?\s*\*""")
_BEFORE_ALL = frozenset({"select", "distinct", "all"})


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


def may_take_all(sql: str) -> bool:
    """Whether a query has a star that is not one to multiply or to count rows, so that it may stand for all columns.

    Read from the text: where a comment misleads, the parsed query has a star that this does not see (selects.py).
    """
    stars = _STARS.finditer(_COUNTS.sub("counted", sql.casefold()))
    return any(star[0].lstrip().startswith("*") or star[1] in _BEFORE_ALL for star in stars)
