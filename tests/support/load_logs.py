"""Logs of loads that belong together, and small chunks for them: what the contracts of their ports begin with."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import duckdb

from replayhouse.domain.customer.events import CustomerRegistered
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.sales.events import OrderPlaced
from replayhouse.infra.staging.work import DuckDBWork
from replayhouse.ingest.batch import QualityLog
from replayhouse.ingest.decision import Decision
from replayhouse.ingest.ports import Chunk, Due, LoadLog, Place, Unit
from replayhouse.ingest.work import OrderWork, PersonWork

ALL = Unit(0, 255)
PERSON, ALIAS, ORDER, OTHER_ORDER, REVIEW = (UUID(int=number) for number in (0xA1, 0xB1, 0xE1, 0xE2, 0xF1))
FAMILY = PersonWork(PERSON, PERSON, orders=[OrderWork(ORDER)])
MONDAY = datetime(2018, 3, 5, 9, 30)
AS_OF = date(2018, 9, 3)
PLACED = OrderPlaced(MONDAY, PERSON, ALIAS, MONDAY, datetime(2018, 3, 20), ())
REGISTERED = CustomerRegistered(MONDAY, ALIAS, "SP", MONDAY, "01001", "são paulo")
Pairs = Sequence[tuple[UUID, UUID]]


class Log(LoadLog, QualityLog, Protocol):
    """Both ports: a load has one log."""


class References(DuckDBWork):
    """A staged extract of which only what later loads look up matters."""

    def __init__(self, tables: Mapping[str, Pairs]) -> None:
        super().__init__(duckdb.connect())
        self._tables = tables

    def lookups(self, after: Place, up_to: Place, batch_seq: int) -> list[tuple[str, memoryview]]:
        return []

    def references(self, after: Place, up_to: Place, batch_seq: int) -> list[tuple[str, str]]:
        return [
            (table, "\n".join(f"{batch_seq}\t{first}\t{second}" for first, second in rows))
            for table, rows in self._tables.items()
        ]


def decided(*events: DomainEvent, stream: UUID = ORDER, context: str = "sales") -> list[Decision]:
    return [Decision(context, stream, event, "orders:2") for event in events]


def chunk(*decisions: Decision, part: int = 0, up_to: Place = ALL.end, due: Sequence[Due] = ()) -> Chunk:
    return Chunk(ALL, part, ALL.start, up_to, list(decisions), list(due))
