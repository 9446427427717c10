"""Chance that is a function: what is drawn depends on the seed and on what it is drawn for, never on what came before.

Only whole numbers, additions and multiplications are used (no logarithm, no sine): the same seed gives the same bytes
on every machine and Python.
"""

from bisect import bisect
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")

_PIECE = 0xFFFFFFFF


def number(seed: int, kind: str, *keys: int) -> int:
    """A number of 128 bits for a thing: its kind, and what tells it from others of its kind."""
    return int.from_bytes(blake2b(f"{seed} {kind} {keys}".encode(), digest_size=16).digest(), "big")


def identifier(seed: int, kind: str, *keys: int) -> str:
    """The 32 hexadecimal digits that a thing is known by."""
    return blake2b(f"{seed} {kind} {keys} id".encode(), digest_size=16).hexdigest()


def fraction(bits: int, piece: int) -> float:
    """One of the four pieces (0 to 3) of a number of 128 bits, as a fraction from 0 to below 1."""
    return (bits >> (32 * piece) & _PIECE) / 4294967296


def along(points: Sequence[float], chance: float) -> float:
    """The value at a fraction of the way along equally likely steps: a distribution given by its quantiles."""
    way = chance * (len(points) - 1)
    step = int(way)
    return points[step] + (points[step + 1] - points[step]) * (way - step)


class Weighted(Generic[T]):
    """Things of which some come more often than others."""

    def __init__(self, weights: Iterable[tuple[T, float]]) -> None:
        pairs = list(weights)
        self._things = [thing for thing, _ in pairs]
        self._until = list(accumulate(weight for _, weight in pairs))
        self._total = self._until[-1]

    def at(self, chance: float) -> T:
        """The thing that a fraction from 0 to below 1 falls on."""
        return self._things[bisect(self._until, chance * self._total, hi=len(self._things) - 1)]
