"""The overview: its figures are those of the questions that they lead to, now and as of a load of the past."""

import html
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.in_process import Warehouse

_TILE = re.compile(r'<div class="tile"><dt>(.*?)</dt><dd>(.*?)</dd></div>', re.DOTALL)
_TWELVE = 12


def tiles(page: str) -> dict[str, str]:
    """Each tile's text by its name."""
    found = {name: re.sub(r"<[^>]+>", " ", inner) for name, inner in _TILE.findall(page)}
    return {name: " ".join(html.unescape(text).split()) for name, text in found.items()}


def answers(loaded: Warehouse, number: int) -> list[dict[str, Any]]:
    """The rows of an answer as the command line gives it, each by the names of its columns."""
    told = loaded.json("ask", str(number))
    return [dict(zip([column["name"] for column in told["columns"]], row, strict=True)) for row in told["rows"]]


def money(value: Decimal, decimals: int) -> str:
    """An amount as a tile has it."""
    return f"R$ {value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"


@pytest.fixture(scope="module")
def expected(loaded: Warehouse) -> dict[str, str]:
    """What each tile must begin with: computed from the answers of the command line over the last regular months."""
    months = [row["month"] for row in answers(loaded, 4)][-_TWELVE:]

    def over(number: int, column: str) -> list[Decimal]:
        rows = {row.get("period", row.get("month")): row[column] for row in answers(loaded, number)}
        return [Decimal(str(rows[month] or 0)) for month in months]

    revenue, late = sum(over(1, "revenue"), start=Decimal(0)), sum(over(22, "late"), start=Decimal(0))
    scores, reviews = over(31, "avg_score"), over(31, "reviews")
    share = 100 * late / sum(over(22, "deliveries"))
    score = sum((a * b for a, b in zip(scores, reviews, strict=True)), start=Decimal(0)) / sum(reviews)
    return {
        "Revenue": money(revenue, 0),
        "Orders": f"{sum(over(5, 'orders')):,}",
        "New customers": f"{sum(over(2, 'new_customers')):,}",
        "Average order": money(revenue / sum(over(6, "delivered_orders")), 2),
        "Late deliveries": f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)} %",
        "Review score": f"{score.quantize(Decimal('0.01'), ROUND_HALF_UP)} of 5",
    }


def test_each_figure_is_computed_from_the_answer_that_it_leads_to(client: TestClient, expected: dict[str, str]) -> None:
    shown = tiles(client.get("/").text)
    assert list(shown) == list(expected)
    assert [shown[name][: len(text)] for name, text in expected.items()] == list(expected.values())
