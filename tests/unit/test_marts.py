"""How marts are declared."""

from typing import Any

from sqlalchemy import Select, select

from replayhouse.projections.marts.mart import Mart, Tables


def all_orders(tables: Tables) -> Select[Any]:
    return select(tables["sales.fact_order"])


def test_a_mart_is_a_view_without_a_key_unless_it_says_otherwise() -> None:
    mart = Mart("orders", "All orders", {}, all_orders)
    assert (mart.materialised, mart.key) == (False, ())
