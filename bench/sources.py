"""Loads of other sources beside the built-in one: the same orders as nine files, in another dialect by a mapping of the
same shape, and as a shop exports them. Each is loaded into an empty warehouse, without its read models, once.

Memory is sampled in all of them, so that each pays for that alike.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.memory import Peak
from bench.report import Report, Row
from bench.timing import NotMeasured
from bench.warehouse import Warehouse
from tests.support import other_dialect, shopify_export
from tests.support.shipped_mappings import only_whole_orders

MOST_OF_BUILT_IN = 1.2
"""So many times the time of the built-in source a mapping of the same shape may take."""


class Load(NamedTuple):
    """A load into an empty warehouse: its seconds, its events, and its memory."""

    seconds: float
    events: int
    peak: Peak


def measure(scratch: Path, extract: Path, report: Report, tell: Callable[[str], None]) -> None:
    """Loads an extract of nine files in each way."""
    tell("writing the same orders as others would")
    dialect = other_dialect.rewritten(extract, scratch / "dialect", "utf-8")
    mapping = other_dialect.mapping(scratch / "mapping", encoding="utf-8")
    whole = only_whole_orders(extract, scratch / "whole-orders")
    export = shopify_export.exported(whole, scratch / "shopify").folder
    nine = _loaded(scratch / "nine", tell, extract)
    mapped = _loaded(scratch / "mapped", tell, dialect, "--source", mapping)
    if mapped.events != nine.events:
        raise NotMeasured(f"the mapping made {mapped.events:,} events, and the nine files {nine.events:,}")
    shop = _loaded(scratch / "shop", tell, export, "--source", "shopify")
    same_orders = _loaded(scratch / "whole", tell, whole)
    report.rows.append(_row("ingest by a mapping of the same shape", mapped, nine, MOST_OF_BUILT_IN))
    report.rows.append(_row("ingest of a Shopify export", shop, same_orders, None))


def _row(what: str, load: Load, beside: Load, most: float | None) -> Row:
    ratio = load.seconds / beside.seconds
    return Row(
        f"{what}, {load.events:,} events",
        f"{load.seconds:.2f} s, peak {load.peak}",
        f"the same orders as nine files, {beside.events:,} events: {beside.seconds:.2f} s, peak {beside.peak}",
        f"{ratio:.2f} times its time",
        "" if most is None else f"at most {most}",
        None if most is None else ratio <= most,
    )


def _loaded(home: Path, tell: Callable[[str], None], *arguments: str | Path) -> Load:
    tell(f"ingest {' '.join(str(one) for one in arguments)}")
    with Warehouse(home) as warehouse:
        done, peak = warehouse.watched("ingest", *arguments, "--no-project")
        if done.document["status"] != "completed":
            raise NotMeasured(f"the load is {done.document['status']}")
        return Load(done.seconds, sum(done.document["events"].values()), peak)
