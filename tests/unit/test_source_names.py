"""Whether a query may name all columns by a star, as its text tells."""

import pytest

from replayhouse.infra.sources.names import may_take_all


@pytest.mark.parametrize(
    "sql",
    ["SELECT *", "SELECT DISTINCT *", "select ALL\n*", "SELECT o.*", "SELECT a, * FROM o", "COLUMNS(*)", "f(a) * 2"],
)
def test_a_star_may_stand_for_all_columns(sql: str) -> None:
    assert may_take_all(sql)


@pytest.mark.parametrize("sql", ["a * 2", 'a*"b c"', "2 *a", '"A" * 0.5', "COUNT( * )", "count(*) * 2", "a + b"])
def test_a_star_that_multiplies_or_counts_names_no_column(sql: str) -> None:
    assert not may_take_all(sql)
