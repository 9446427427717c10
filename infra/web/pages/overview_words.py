"""How the overview and the changes write figures and months."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from replayhouse.infra.answers.key_figures import Number

MINUS = "\N{MINUS SIGN}"


def rounded(value: Number, decimals: int) -> Decimal:
    """A number with so many decimals, half away from zero."""
    return Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def in_words(value: Number, unit: str, decimals: int) -> str:
    """A figure with its unit: brl, pct, or none."""
    number = f"{rounded(value, decimals):,}".replace("-", MINUS)
    return {"brl": f"R$ {number}", "pct": f"{number} %"}.get(unit, number)


def month_in_words(month: str) -> str:
    """2017-11 as November 2017."""
    return f"{date.fromisoformat(month + '-01'):%B %Y}"
