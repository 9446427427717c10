"""How marts are declared."""

from pathlib import Path

import pytest

from replayhouse.infra.read_models import marts_shown
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from replayhouse.projections.marts.mart import read_mart

FILE = """-- comment = "Orders by day"
-- key = ["day"]
-- [columns]
-- day = "the day"
-- orders = "how many"

-- query:
SELECT placed_at::date AS day, count(*) AS orders FROM fact_order GROUP BY 1
"""


def test_a_mart_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "orders_a_day.sql"
    path.write_text(FILE)
    query = "SELECT placed_at::date AS day, count(*) AS orders FROM fact_order GROUP BY 1"
    columns = {"day": "the day", "orders": "how many"}
    assert read_mart(path) == Mart("orders_a_day", "Orders by day", columns, query, ("day",))


def test_every_file_is_a_mart_and_what_is_said_of_columns_is_of_columns_that_it_has() -> None:
    folder = Path(marts.__file__).parent
    assert {mart.name for mart in marts.MARTS} == {path.stem for path in folder.glob("*.sql")}
    for mart in marts.MARTS:
        assert {*mart.key, *mart.personal} <= mart.column_comments.keys()


def test_marts_that_are_made_in_another_way_have_another_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {marts_shown.definition()}
    for mart in (
        Mart("a", "A", {"b": "B"}, "SELECT 1 AS b", ("b",)),
        Mart("a", "A", {"b": "B"}, "SELECT 2 AS b", ("b",)),
    ):
        monkeypatch.setattr(marts, "MARTS", (mart,))
        found.add(marts_shown.definition())
    assert len(found) == 3
