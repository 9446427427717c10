"""What a request wants to look at: the moment that its address names, and the source, and how addresses go on so."""

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Depends, Query

At = Annotated[
    str,
    Query(
        max_length=200,
        description="As of a moment: a position of the log, a recorded time with its offset, a prefix or a revision "
        "(r2); by default, and by `live`, the newest.",
    ),
]
By = Annotated[
    str,
    Query(max_length=40, description="Only what had happened by then: a business time or day, local to Brazil."),
]

Source = Annotated[
    str,
    Query(max_length=40, description="Only what the loads of this source brought, by its name; by default, of all."),
]


@dataclass(frozen=True)
class Wanted:
    """The moment: `at` as known on, `by` as happened by; None where the newest is wanted, or all that happened.

    `source`: of the loads of one source alone; None: of all.
    """

    at: str | None = None
    by: str | None = None
    source: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """What an address says of it, by the names of parameters."""
        pairs = {"at": self.at, "by": self.by, "source": self.source}
        return {name: value for name, value in pairs.items() if value is not None}

    @property
    def is_past(self) -> bool:
        """Whether it is another one than the newest."""
        return bool(self.at or self.by)

    def link(self, path: str, **values: object) -> str:
        """An address on this site, of the same; `values` that are None are left out, those of a list follow."""
        pairs = {**self.named, **values}
        lists = {name: value if isinstance(value, list | tuple) else [value] for name, value in pairs.items()}
        query = urlencode([(name, str(one)) for name, several in lists.items() for one in several if one is not None])
        place = quote(path, safe="/#")
        page, mark, part = place.partition("#")
        return f"{page}{'?' + query if query else ''}{mark}{part}"


def read_wanted(at: At = "", by: By = "") -> Wanted:
    """The moment in the query of a request."""
    return Wanted(None if at in ("", "live", "now") else at, by or None)


AtMoment = Annotated[Wanted, Depends(read_wanted)]
"""A parameter of a view: the moment that the request wants."""


def read_chosen(at: At = "", by: By = "", source: Source = "") -> Wanted:
    """The moment and the source in the query of a request."""
    return replace(read_wanted(at, by), source=source or None)


Chosen = Annotated[Wanted, Depends(read_chosen)]
"""A parameter of a view: the moment that the request wants, and the source."""
