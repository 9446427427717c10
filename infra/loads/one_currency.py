"""A warehouse has one currency: amounts of two cannot be added up."""

import psycopg

from replayhouse.infra.read_models.currency import currency_loaded
from replayhouse.infra.runtime.errors import Rejected


def refuse_other_currency(connection: psycopg.Connection, currency: str) -> None:
    """Raises Rejected where loads that stand have another currency than that of an extract, a code of ISO 4217."""
    loaded = currency_loaded(connection)
    if loaded not in (None, currency):
        raise Rejected(
            f"The amounts of this extract are in {currency}, those of the warehouse in {loaded}. A warehouse has one "
            "currency: load it into a warehouse of its own, by another home (REPLAYHOUSE_HOME) or another database."
        )
