"""What the log gained between two positions, counted once and kept: a large load has more than a million events.

Nothing that stands in the log changes, so what was counted stays right. Orders are told by the months in which they
were placed as the live read model knows them; those counts hold for what it showed then.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from replayhouse.infra.audit import between
from replayhouse.infra.read_models import checkpoints
from replayhouse.infra.read_models.kept_answers import MAY_NOT

CORRECTING = {
    "sales": ("OrderLineAmended", "OrderAmended", "PaymentAmended"),
    "marketplace": ("ProductRecategorized", "ProductDescribed", "ProductRemeasured", "SellerMoved"),
    "customer": ("AliasAmended", "ReviewRevised"),
}
"""The events that correct, by context: those first that move figures most."""

MOST = 50
"""So many corrections are shown; of each context the positions of so many are kept."""

_DEFINITION = sha256(json.dumps([CORRECTING, MOST]).encode()).hexdigest()
_BOUNDS = "after_position = %(old)s AND position = %(new)s"
_FIND = f"SELECT events, corrections FROM read_model.growth WHERE {_BOUNDS} AND definition = %(definition)s"
_KEEP = """
    INSERT INTO read_model.growth (after_position, position, definition, events, corrections)
    VALUES (%(old)s, %(new)s, %(definition)s, %(events)s, %(corrections)s)
    ON CONFLICT DO NOTHING
"""
_FIND_ORDERS = f"""
    SELECT orders FROM read_model.growth_of_orders WHERE {_BOUNDS} AND revision = %(revision)s AND shown = %(shown)s
"""
_KEEP_ORDERS = """
    INSERT INTO read_model.growth_of_orders (after_position, position, revision, shown, orders)
    VALUES (%(old)s, %(new)s, %(revision)s, %(shown)s, %(orders)s)
    ON CONFLICT (after_position, position) DO UPDATE
    SET revision = excluded.revision, shown = excluded.shown, orders = excluded.orders
"""


class Growth(NamedTuple):
    """How many events of each topic there are, and by context the positions of the first corrections."""

    events: Mapping[str, int]
    corrections: Mapping[str, list[int]]

    @property
    def corrected(self) -> int:
        """How many corrections there are."""
        return sum(sum(_correcting(self.events, context).values()) for context in CORRECTING)


def growth_between(conn: psycopg.Connection, old: int, new: int) -> Growth:
    """What stands after one position, up to another; `conn` in autocommit. It is kept where that can be."""
    wanted = {"old": old, "new": new, "definition": _DEFINITION}
    if row := conn.execute(_FIND.encode(), wanted).fetchone():
        return Growth(*row)
    found = _counted(conn, old, new)
    _keep(conn, _KEEP, {**wanted, "events": Jsonb(found.events), "corrections": Jsonb(found.corrections)})
    return found


def orders_by_month(conn: psycopg.Connection, old: int, new: int) -> dict[tuple[str, str], int]:
    """How many orders have an event of a name between two positions, by the month of placing and the name."""
    live = checkpoints.projected(conn, "sales")
    if live is None:
        return {}
    wanted = {"old": old, "new": new, "revision": live.revision, "shown": live.position}
    if row := conn.execute(_FIND_ORDERS.encode(), wanted).fetchone():
        months: dict[str, dict[str, int]] = row[0]
        return {(month, name): orders for month, of_month in months.items() for name, orders in of_month.items()}
    found = between.orders_by_month(conn, old, new)
    nested: dict[str, dict[str, int]] = {month: {} for month, _ in found}
    for (month, name), orders in found.items():
        nested[month][name] = orders
    _keep(conn, _KEEP_ORDERS, {**wanted, "orders": Jsonb(nested)})
    return found


def _counted(conn: psycopg.Connection, old: int, new: int) -> Growth:
    events = between.events_by_topic(conn, old, new)
    topics = {context: list(_correcting(events, context)) for context in CORRECTING}
    return Growth(
        events,
        {
            context: between.first_positions(conn, context, of_context, old, new, MOST)
            for context, of_context in topics.items()
            if of_context
        },
    )


def _correcting(events: Mapping[str, int], context: str) -> dict[str, int]:
    """Those of the events that correct something in a context."""
    names = {f"{context}.{name}" for name in CORRECTING[context]}
    return {topic: number for topic, number in events.items() if topic.rpartition(".")[0] in names}


def _keep(conn: psycopg.Connection, query: str, values: Mapping[str, object]) -> None:
    """Readers keep nothing, and a server that takes no writes."""
    try:
        with conn.transaction():
            conn.execute(query.encode(), values)
    except MAY_NOT:
        pass
