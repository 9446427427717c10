"""The real file from whose lines the records of a kind were made, where that is none of the nine files."""

from typing import NamedTuple


class RealFile(NamedTuple):
    """A file of an extract of another shape, by its name there.

    `encodings` are those in one of which its lines are text, none where they are not; `quote` stands around cells that
    hold a line end. `is_withheld`: a line may be about a person, and nobody can say which, so that none is shown.
    """

    name: str
    sha256: str
    encodings: tuple[str, ...]
    quote: str
    is_withheld: bool
