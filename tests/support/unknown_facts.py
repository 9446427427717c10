"""Extracts of a source that may not know all that Olist does: the promise, the day to ship by, the seller."""

from collections.abc import Collection
from random import Random

import pytest

from replayhouse.infra.staging import staging
from replayhouse.infra.staging.reading import read_statements
from replayhouse.ingest.records import MAY_BE_UNKNOWN
from tests.support.extracts import Lines

_UNKNOWN = (("orders", 7), ("order_items", 3), ("order_items", 4))
"""Files with the places of the cells: the promise, the seller, the day to ship by."""


def forgetful(lines: Lines, seed: int) -> Lines:
    """The extract with a third of these cells empty, each by itself."""
    chance = Random(seed)
    forgotten = {file: [text.split(",") for text in some] for file, some in lines.items() if file in dict(_UNKNOWN)}
    for file, place in _UNKNOWN:
        for cells in forgotten[file]:
            if chance.random() < 1 / 3:
                cells[place] = ""
    return lines | {file: [",".join(cells) for cells in some] for file, some in forgotten.items()}


def let_be_unknown(patch: pytest.MonkeyPatch) -> None:
    """From now on, whatever is staged comes from a source that may leave each of these empty."""

    def reading(absent: Collection[tuple[str, str]], _: Collection[tuple[str, str]] = (), **more: bool) -> str:
        return read_statements(absent, MAY_BE_UNKNOWN, **more)

    patch.setattr(staging, "read_statements", reading)
