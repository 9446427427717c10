"""Loads on columns where extracts are small, and what was decided on columns."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from replayhouse.infra.application import large_loads
from replayhouse.infra.loads import on_columns, workers
from replayhouse.infra.loads.on_columns import deciding
from replayhouse.ingest import load


@contextmanager
def small_steps(few: int, events_a_chunk: int = 300, events_a_unit: int = 700) -> Iterator[None]:
    """Columns whatever the size, for `few` persons of a shape, with chunks and units of a few families."""
    with ExitStack() as stack:
        for where, name, value in (
            (large_loads, "LARGE_FROM_BYTES", 0),
            (on_columns, "FEW", few),
            (load, "EVENTS_A_CHUNK", events_a_chunk),
            (load.units_of, "__defaults__", (events_a_unit,)),
            (workers, "UNITS_AT_ONCE", 3),
            (workers, "NEW_PERSONS", 1),
            (workers, "SHARE_OF_NEW", 0),
        ):
            stack.enter_context(patch.object(where, name, value))
        yield


@contextmanager
def shapes_noted() -> Iterator[list[deciding.ShapeDecided]]:
    """What is decided on columns meanwhile."""
    made: list[deciding.ShapeDecided] = []

    def noted(*arguments: object) -> deciding.ShapeDecided:
        decided = decide(*arguments)  # type: ignore[arg-type]  # whatever it is given
        made.append(decided)
        return decided

    decide = deciding._decide
    with patch.object(deciding, "_decide", noted):
        yield made
