"""The contract of columns: for each column of the star schema the fields of events, and so the columns of extracts,
that it follows from. Found by `column_experiment`; what that cannot tell is declared here, each with its reason.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from sqlalchemy import Column

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.contracts.column_experiment import Found, experiment
from replayhouse.infra.openlineage.columns import COPIED
from replayhouse.ingest.records import RECORDS
from replayhouse.projections.sources import candidates_of
from replayhouse.projections.warehouse import PROJECTIONS


class Declared(NamedTuple):
    """What a column follows from by our word, and why an experiment does not tell it."""

    fields: tuple[str, ...]
    events: tuple[str, ...]
    why: str


_ADDRESSED = ("CustomerRegistered", "AliasLinked", "AliasAmended")
_OF_ALIASES = tuple(
    f"customer.{event}.{name}" for event in _ADDRESSED for name in ("alias", "city", "placed_at", "state", "zip_prefix")
)
_AS_ONE = "rows are made of equal addresses that follow one another: a part of one moves this where others are alike"
DECLARED: Mapping[tuple[str, str], Declared] = {
    ("customer.address_history", "seq"): Declared(_OF_ALIASES, (), "it counts rows, and the others move with it"),
    ("customer.address_history", "valid_from"): Declared(_OF_ALIASES, (), _AS_ONE),
    ("customer.segment_history", "seq"): Declared(
        (), ("customer.SegmentChanged",), "it counts rows, and the others move with it"
    ),
}

_STATUS, _PLACED_AT = "orders.order_status", "orders.order_purchase_timestamp"
_AMOUNT = ("order_items.freight_value", "order_items.price")
_RECENT_AND_SPENT = (*_AMOUNT, _PLACED_AT, _STATUS)
CELLS: Mapping[str, tuple[str, ...]] = {
    "customer.PurchaseAmended.amount": _AMOUNT,
    "customer.PurchaseAmended.order_id": ("orders.order_id",),
    "customer.PurchaseAmended.placed_at": (_PLACED_AT,),
    "customer.PurchaseRecorded.amount": _AMOUNT,
    "customer.PurchaseRecorded.order_id": ("orders.order_id",),
    "customer.PurchaseRecorded.placed_at": (_PLACED_AT,),
    "customer.PurchaseRevoked.order_id": ("orders.order_id",),
    "customer.SegmentChanged.as_of": _RECENT_AND_SPENT,
    "customer.SegmentChanged.from_segment": _RECENT_AND_SPENT,
    "customer.SegmentChanged.to_segment": _RECENT_AND_SPENT,
    "fulfillment.AreaSurveyed.samples": ("geolocation.geolocation_lat", "geolocation.geolocation_lng"),
}
"""Columns of extracts behind fields that no column of the star schema has as they are, by our word."""

_WHICHEVER = "sales.OrderAmended.time"
"""A time of an order, whichever its `what` names: the other fields of a column tell which that is."""

BY_STATUS = frozenset(
    {
        *(f"sales.Order{step}" for step in ("Approved", "Invoiced", "ProcessingStarted", "Shipped", "Completed")),
        *(f"sales.Order{end}" for end in ("Canceled", "MadeUnavailable")),
        *(f"fulfillment.{event}" for event in ("ShipmentDispatched", "DeliveryCompleted", "ShipmentCanceled")),
        "fulfillment.DeliveryRevoked",
    }
)
"""The events that are decided by the status that an extract shows."""


class Lineage(NamedTuple):
    """What a column follows from: fields, those of them that it has the value of, events, cells; `why` if declared."""

    fields: tuple[str, ...]
    copied: tuple[str, ...]
    events: tuple[str, ...]
    cells: tuple[str, ...]
    why: str | None = None


@cache
def _found() -> Mapping[str, Mapping[str, Found]]:
    return experiment()


@cache
def lineages() -> Mapping[str, Mapping[str, Lineage]]:
    """By table and column, in the order of the star schema."""
    found = _found()
    cells = cells_of_fields(found)
    return {
        table: {name: _lineage(table, name, column, cells) for name, column in columns.items()}
        for table, columns in found.items()
    }


def _lineage(table: str, name: str, found: Found, cells: Mapping[str, Iterable[str]]) -> Lineage:
    declared = DECLARED.get((table, name))
    fields = declared.fields if declared else tuple(sorted(found.fields))
    events = declared.events if declared else tuple(sorted(found.happened))
    own = source_of(column_named(table, name))
    behind = (
        {cell for one in fields if one != _WHICHEVER for cell in cells.get(one, ())}
        | {_STATUS for one in events if one in BY_STATUS}
        if own is None
        else {own}
    )
    copied = () if declared else tuple(sorted(found.copied))
    return Lineage(fields, copied, events, tuple(sorted(behind)), declared.why if declared else None)


def cells_of_fields(found: Mapping[str, Mapping[str, Found]]) -> dict[str, tuple[str, ...]]:
    """The columns of extracts behind each field of an event: those of the columns that have its value, as the data
    dictionary tells them; and what is declared.
    """
    cells: dict[str, set[str]] = {}
    for context in CONTEXTS:
        for table in PROJECTIONS[context].tables:
            for column in table.columns:
                for one in found[f"{context}.{table.name}"][column.name].copied:
                    if cell := source_of(column):
                        cells.setdefault(one, set()).add(cell)
    return {one: tuple(sorted(of)) for one, of in sorted({**cells, **{k: set(v) for k, v in CELLS.items()}}.items())}


def column_named(table: str, name: str) -> Column[object]:
    """A column of a folded table, whose name is given with its schema."""
    context, _, called = table.partition(".")
    return next(one for one in PROJECTIONS[context].tables if one.name == called).columns[name]


def source_of(column: Column[object]) -> str | None:
    """File and column of the extract that a column is from, as the data dictionary tells it: `orders.order_id`."""
    for file, field in candidates_of(column):
        if found := RECORDS[file].model_fields.get(field):
            return f"{file}.{found.alias or field}"
    return None


def columns_file() -> str:
    """The contract, as it is checked in."""
    made = {
        "events": {one: list(cells) for one, cells in cells_of_fields(_found()).items()},
        "tables": {
            table: {name: _as_json(one) for name, one in columns.items()} for table, columns in lineages().items()
        },
    }
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _as_json(one: Lineage) -> dict[str, object]:
    fields = {field: COPIED if field in one.copied else "part" for field in one.fields}
    told = {"fields": fields, "events": list(one.events), "cells": list(one.cells), "declared": one.why}
    return {name: value for name, value in told.items() if value}
