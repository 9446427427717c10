"""How the overview and the changes write figures and months."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.answers.key_figures import Number
from replayhouse.infra.read_models.currency import sign_of

MINUS = "\N{MINUS SIGN}"


def rounded(value: Number, decimals: int) -> Decimal:
    """A number with so many decimals, half away from zero."""
    return Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def in_words(value: Number, unit: str, decimals: int, currency: str = BRL) -> str:
    """A figure with its unit: money, pct, or none."""
    number = f"{rounded(value, decimals):,}".replace("-", MINUS)
    return {"money": f"{sign_of(currency)} {number}", "pct": f"{number} %"}.get(unit, number)


def month_in_words(month: str) -> str:
    """2017-11 as November 2017."""
    return f"{date.fromisoformat(month + '-01'):%B %Y}"
