"""What folds cost on columns and one by one: `python -m bench --only columns` prints the table of `docs/columns.md`.

All of it is done in memory, on orders of one shape, and told in microseconds of processor time, the best of some
rounds: on another machine the figures differ, and their ratios hardly.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from replayhouse.domain.kernel.places import region_of
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import NEW_ORDER, OrderHeader, Payment, observe
from replayhouse.infra.columns.batch import Batch
from replayhouse.infra.columns.numbers import Ints
from replayhouse.infra.columns.runs import fold_on_columns
from replayhouse.infra.columns.stored import of_rows
from replayhouse.infra.columns.values import Array, Texts, Uuids
from replayhouse.infra.event_store.serialization.mapper import mapper_of_our_events
from replayhouse.infra.read_models.folding import STAYS, Folding
from replayhouse.infra.read_models.stream_reader import StoredRow, StreamReader
from replayhouse.infra.runtime import gc_pause
from replayhouse.projections.projection import Fold, Rows, Stream
from replayhouse.projections.warehouse import PROJECTIONS

STREAMS, FEW, SPLITS = 3_000, 12, 7
ROUNDS = 20
STATES = ("SP", "RJ", "BA", "AM", "RS", "DF", "PA", "PE", "SC", "GO")

_FOLD = PROJECTIONS["sales"].fold
_PLACED = datetime(2017, 3, 1, 10)


class Cost(NamedTuple):
    """What something costs, in microseconds, and of what: a stream, a run, or whatever else is counted."""

    what: str
    micros: float
    each: str


def table() -> str:
    """The table, in Markdown."""
    lines = ["| what | microseconds | of |", "|---|---|---|"]
    lines += [f"| {cost.what} | {_rounded(cost.micros)} | {cost.each} |" for cost in costs()]
    return "\n".join(lines)


def costs() -> list[Cost]:
    """All of them."""
    with gc_pause.paused():
        return [*_of_streams(), *_of_runs(), *_of_values()]


def _of_streams() -> list[Cost]:
    rows = _orders(STREAMS)
    return [
        Cost("on columns: read, folded, written as lines", _micros(lambda: _folded(rows, _FOLD)) / STREAMS, "a stream"),
        Cost("one by one: the same", _micros(lambda: _one_by_one(rows)) / STREAMS, "a stream"),
        Cost("beyond columns: tried, then one by one", _micros(lambda: _folded(rows, _beyond)) / STREAMS, "a stream"),
    ]


def _of_runs() -> list[Cost]:
    many, few, parting = _batch(STREAMS), _batch(FEW), _parting(len(_orders(1)) * STREAMS)
    splits = _micros(lambda: _run(many, parting)) - _micros(lambda: _run(many, _nothing))
    return [
        Cost(f"the fold of orders on columns, of {STREAMS:,} streams", _micros(lambda: _run(many, _FOLD)), "a run"),
        Cost(f"the same, of {FEW} streams", _micros(lambda: _run(few, _FOLD)), "a run"),
        Cost("an `if` on which they part (Split)", splits / SPLITS, "a Split"),
    ]


def _of_values() -> list[Cost]:
    states: Any = _texts(STATES)
    different: Any = _texts([f"S{number}" for number in range(STREAMS)])
    numbers = Ints(np.arange(1, STREAMS + 1))
    same, ids = _texts(STATES[:1]), Uuids(_ids(STREAMS))
    return [
        Cost("an `if` on which all agree", _micros(lambda: bool(numbers > 0)), "an `if`"),
        Cost(f"`@of_each` of a text of {len(STATES)}", _micros(lambda: region_of(states)) / STREAMS, "a stream"),
        Cost("the same, all texts different", _micros(lambda: region_of(different)) / STREAMS, "a stream"),
        Cost("a text as a key of a `dict`, all the same", _micros(lambda: {same: 1}[same]), "a key"),
        Cost("an id as a key of a `dict`", _micros(lambda: {ids: 1}[Uuids(ids.values.copy())]), "a key"),
    ]


def _micros(do: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        do()
        found.append(time.process_time_ns() - begun)
    return min(found) / 1_000


def _rounded(micros: float) -> str:
    return f"{micros:,.0f}" if micros >= 10 else f"{micros:.2g}"


# --- what is folded ---------------------------------------------------------------------------------------------


def _orders(number: int) -> list[StoredRow]:
    """Orders of one shape as they are stored, delivered, with one line and one payment, in the order of their ids."""
    mapper = mapper_of_our_events()
    rows: list[StoredRow] = []
    for order in range(1, number + 1):
        placed = _PLACED + timedelta(minutes=order)
        header = OrderHeader(
            customer_alias=UUID(int=10**6 + order),
            status="delivered",
            placed_at=placed,
            promised_by=placed + timedelta(days=20),
            approved_at=placed + timedelta(hours=1),
            shipped_at=placed + timedelta(days=1),
            completed_at=placed + timedelta(days=5),
        )
        price, freight = Decimal(1_000 + order % 900).scaleb(-2), Decimal("7.50")
        line = Line(1, UUID(int=70), UUID(int=50), price, freight, placed + timedelta(days=2))
        payment = Payment(1, "boleto", 1, price + freight)
        for event in observe(NEW_ORDER, UUID(int=order), header, [line], [payment]):
            rows.append((UUID(int=order).bytes, len(rows) + 1, *mapper.encode("sales", UUID(int=order), event, {})))
    return rows


def _batch(number: int) -> Batch:
    rows = _orders(number)
    return Batch(of_rows(rows), mapper_of_our_events(), None)


def _texts(some: Sequence[str]) -> Texts:
    return Texts(np.array([some[place % len(some)] for place in range(STREAMS)], object))


def _ids(number: int) -> Array:
    return np.array([str(UUID(int=place)).encode() for place in range(number)], "S36")


def _folded(rows: Sequence[StoredRow], fold: Fold) -> None:
    folding = _folding(fold)
    for _ in folding.fold_all(rows, StreamReader(None), len(rows)):
        pass


def _one_by_one(rows: Sequence[StoredRow]) -> None:
    folding = _folding(_FOLD)
    for streams in StreamReader(None).read(rows):
        folding.fold(streams)
    for _ in folding.take(1):
        pass


def _folding(fold: Fold) -> Folding:
    folding = Folding("sales", None, lambda position: UUID(int=position), STAYS)
    folding._fold = fold
    return folding


def _run(batch: Batch, fold: Fold) -> None:
    fold_on_columns(batch, fold, lambda rows: None, least=1)


def _nothing(stream: Stream) -> Rows:
    return {}


def _parting(last: int) -> Fold:
    """A fold that parts SPLITS times the streams up to a position, one part from the others."""

    def fold(stream: Stream) -> Rows:
        for part in range(1, SPLITS + 1):
            if stream.position <= part * last // (SPLITS + 1):
                return {}
        return {"fact_order": []}

    return fold


def _beyond(stream: Stream) -> Rows:
    return _FOLD(stream) if str(stream.stream_id) else {}
