"""`Application.save()` of the library: 500 aggregates a call, by one process, on its own PostgreSQL recorder.

Only the calls are timed: the aggregates and their events exist by then, so nothing is read or decided.
"""

from collections.abc import Callable
from functools import partial

from bench.library import SETTINGS, Order, Orders, Setting, environment, orders_of_the_log
from bench.timing import Best, best_of, timed
from bench.warehouse import Warehouse

EVENTS = 50_000
DATABASE = "bench_library_save"


def measure(warehouse: Warehouse, events: int = EVENTS) -> tuple[Best, int]:
    """The best case, and the number of events saved in a run."""
    orders = orders_of_the_log(warehouse.url(), events)
    count = sum(order.version for order in orders)
    runs: dict[str, Callable[[], float]] = {
        name: partial(_run, warehouse, orders, setting) for name, setting in SETTINGS.items()
    }
    try:
        return best_of(runs), count
    finally:
        warehouse.drop_database(DATABASE)


def _run(warehouse: Warehouse, orders: list[Order], setting: Setting) -> float:
    application = Orders(env=environment(warehouse.fresh_database(DATABASE), setting.variables))
    size = setting.aggregates_a_call
    chunks = [orders[start : start + size] for start in range(0, len(orders), size)]

    def save() -> None:
        for chunk in chunks:
            application.save(*chunk)

    seconds = timed(save)
    application.close()
    return seconds
