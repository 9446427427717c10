"""The digest of a table: equal rows, equal digest, in whatever order and by however many processes they were written.

It is the sum of SHA-256 over the rows, modulo 2^256, as 64 lower-case hexadecimal digits; of an empty table 64 zeros.
What is hashed is the row's line as PostgreSQL's COPY writes it as text, in UTF-8, without the end of the line:

* the columns in contract order, without `position`, separated by tabs;
* null is `\\N`; backslash, tab, line feed, carriage return, backspace, form feed and vertical tab are written as
  `\\\\ \\t \\n \\r \\b \\f \\v`;
* numerics stand at their declared scale; floats in PostgreSQL's shortest form (`-23`, `1e-05`);
* booleans are `t` and `f`; UUIDs have hyphens and small letters; dates are `2017-11-30`;
* times are `2017-11-30 09:00:00`, with a fraction only where there is one, without zeros at its end; recorded times
  are in UTC and end in `+00`.

So anybody can recompute it from `COPY (SELECT ...) TO STDOUT` with TimeZone UTC and DateStyle ISO.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

MODULUS = 1 << 256

NULL = rb"\N"
"""What stands for null in a line."""

ESCAPES = {
    "\\": r"\\",
    "\b": r"\b",
    "\t": r"\t",
    "\n": r"\n",
    "\v": r"\v",
    "\f": r"\f",
    "\r": r"\r",
}
"""What stands for each of these signs in a line; the first one first, for the others are made of it."""


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows, and the sum of their hashes; digests of parts of a table add up to that of the table."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: "Digest") -> "Digest":
        return Digest(self.rows + other.rows, (self.total + other.total) % MODULUS)

    def __sub__(self, other: "Digest") -> "Digest":
        return Digest(self.rows - other.rows, (self.total - other.total) % MODULUS)

    @property
    def hex(self) -> str:
        """64 lower-case hexadecimal digits."""
        return f"{self.total:064x}"


NOTHING = Digest()


def digest_of(lines: Iterable[bytes | memoryview]) -> Digest:
    """The digest of rows given as lines, without the ends of the lines and without `position`."""
    sha256, number = hashlib.sha256, int.from_bytes
    hashes = [number(sha256(line).digest(), "big") for line in lines]
    return Digest(len(hashes), sum(hashes) % MODULUS)
