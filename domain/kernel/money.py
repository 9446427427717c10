"""Money: an exact amount in BRL with two decimals, never a float."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")


def brl(amount: Decimal) -> Decimal:
    """The amount to the cent, half away from zero (R7)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts; 0.00 of none (R9)."""
    return sum(amounts, NOTHING)
