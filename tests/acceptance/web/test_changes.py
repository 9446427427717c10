"""The changes: what a load corrected, the figures that moved by it, and the answers that are others now."""

import html
import re

from tests.support.corrected import LOAD, Corrected


def text_of(page: str) -> str:
    """What a person reads of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_corrected_price_is_told_with_both_lines_and_why_the_month_moved(corrected: Corrected) -> None:
    page = corrected.client.get("/changes").text
    shown = text_of(page)
    assert f"What the load {LOAD} changed" in shown
    assert (
        f"Order {corrected.order[:8]} : price of line 1 R$ {corrected.was:.2f} became R$ {corrected.now:.2f}" in shown
    )
    assert re.search(rf"2018-03 order_items:\d+ {LOAD} order_items:{corrected.line}\b", shown)
    assert "+100.00 a price corrected" in shown
    assert f'href="/orders/{corrected.order}"' in page


def test_the_api_tells_the_same(corrected: Corrected) -> None:
    told = corrected.client.get("/api/changes").json()
    assert (told["from"], told["to"], [load["load"] for load in told["loads"]]) == (
        corrected.before,
        corrected.after,
        [LOAD],
    )
    [correction] = told["corrections"]
    assert (told["corrected"], correction["id"], correction["event"]) == (1, corrected.order, "OrderLineAmended")
    assert correction["changes"] == [
        {
            "what": "price of line 1",
            "before": float(corrected.was),
            "after": float(corrected.now),
            "is_personal": False,
        }
    ]
    assert [(one["figure"], one["change"]) for one in told["moved"]] == [("Revenue", 100.0)]
    assert told["events"]["sales.OrderLineAmended.v1"] == 1
    assert told["lacking"] == []


def test_the_rows_that_changed_are_those_in_which_the_answers_differ(corrected: Corrected) -> None:
    changed = {one["question"]: one for one in corrected.client.get("/api/changes").json()["answers"]}
    for number in (1, 2, 7, 22):
        new, old = (
            corrected.warehouse.json("ask", str(number), "--at", str(at))["rows"]
            for at in (corrected.after, corrected.before)
        )
        differ = [row for row, was in zip(new, old, strict=True) if row != was]
        assert changed.get(number, {"changed": 0})["changed"] == len(differ), number
