"""In which currency the amounts of a warehouse are: one, that of its first load that stands."""

import psycopg

from replayhouse.domain.kernel.meaning import BRL

_CODE = "SELECT code FROM read_model.currency"

_SIGNS = {BRL: "R$"}


def currency_loaded(conn: psycopg.Connection) -> str | None:
    """The code of the currency (ISO 4217) that the loads of the warehouse have; None before the first."""
    found = conn.execute(_CODE).fetchone()
    return None if found is None else str(found[0])


def currency_of(conn: psycopg.Connection) -> str:
    """The code of the currency in which amounts are told."""
    return currency_loaded(conn) or BRL


def sign_of(currency: str) -> str:
    """What stands before an amount: R$ of reais, of any other its code."""
    return _SIGNS.get(currency, currency)
