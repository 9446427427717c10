"""What an extract does not say because it lacks a column stays as it is known."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from replayhouse.ingest.translate.unsaid import as_known


class Row(NamedTuple):
    name: str
    note: str | None


@dataclass(frozen=True)
class Fact:
    name: str
    note: str | None


@pytest.mark.parametrize("kind", [Row, Fact])
def test_a_field_that_is_not_said_is_as_it_is_known(kind: type[Row] | type[Fact]) -> None:
    shown, known = kind("later", None), kind("earlier", "fragile")
    assert as_known(shown, ["note"], known) == kind("later", "fragile")


def test_what_is_said_corrects_also_to_nothing() -> None:
    assert as_known(Row("later", None), [], Row("earlier", "fragile")) == Row("later", None)


def test_where_nothing_is_known_the_row_is_as_it_is_shown() -> None:
    assert as_known(Row("first", None), ["note"], None) == Row("first", None)
