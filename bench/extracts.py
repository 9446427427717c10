"""Full-size extracts: made by the program's generator, and the real sample repeated with changed ids, where it is."""

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / os.environ.get("REPLAYHOUSE_SAMPLE", "../shared/olist-sample")

FILES = {
    "customers": "olist_customers_dataset.csv",
    "geolocation": "olist_geolocation_dataset.csv",
    "order_items": "olist_order_items_dataset.csv",
    "order_payments": "olist_order_payments_dataset.csv",
    "order_reviews": "olist_order_reviews_dataset.csv",
    "orders": "olist_orders_dataset.csv",
    "products": "olist_products_dataset.csv",
    "sellers": "olist_sellers_dataset.csv",
    "categories": "product_category_name_translation.csv",
}

Cells = list[str]
Changed = Callable[[Cells, int], Cells]

_ZIP_PREFIXES = 100_000


def rows_of(extract: Path) -> int:
    """Records of all files, without headers."""
    return sum(1 for name in FILES.values() for _ in _records(extract / name)) - len(FILES)


def sample_repeated(target: Path, times: int) -> Path | None:
    """The sample so many times over, or None where there is none.

    Every copy has ids and zip prefixes of its own, and the places of the map with them; categories are the same.
    """
    if not SAMPLE.is_dir():
        return None
    target.mkdir(parents=True, exist_ok=True)
    places = _places(times)
    changes: dict[str, Changed] = {
        "customers": lambda row, copy: [_id(row[0], copy), _id(row[1], copy), places(row[2], copy), *row[3:]],
        "geolocation": lambda row, copy: [places(row[0], copy), *row[1:]],
        "order_items": lambda row, copy: [_id(row[0], copy), row[1], _id(row[2], copy), _id(row[3], copy), *row[4:]],
        "order_payments": lambda row, copy: [_id(row[0], copy), *row[1:]],
        "order_reviews": lambda row, copy: [_id(row[0], copy), _id(row[1], copy), *row[2:]],
        "orders": lambda row, copy: [_id(row[0], copy), _id(row[1], copy), *row[2:]],
        "products": lambda row, copy: [_id(row[0], copy), *row[1:]],
        "sellers": lambda row, copy: [_id(row[0], copy), places(row[1], copy), *row[2:]],
    }
    for file, name in FILES.items():
        change = changes.get(file)
        header, *rows = _records(SAMPLE / name)
        with (target / name).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(header)
            if change is None:
                writer.writerows(rows)
            else:
                writer.writerows(change(row, copy) for copy in range(times) for row in rows)
    return target


def _records(path: Path) -> Iterator[Cells]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        yield from csv.reader(handle)


def _id(identifier: str, copy: int) -> str:
    """Another id for each copy: its first three digits, read as a number, are shifted."""
    return f"{(int(identifier[:3], 16) + copy * 37) % 4096:03x}{identifier[3:]}"


def _places(times: int) -> Callable[[str, int], str]:
    """Zip prefixes, spread over all there can be so that no two copies share one."""
    columns = {"customers": 2, "sellers": 1, "geolocation": 0}
    known = sorted(
        {row[column].zfill(5) for file, column in columns.items() for row in list(_records(SAMPLE / FILES[file]))[1:]}
    )
    if len(known) * times > _ZIP_PREFIXES:
        raise ValueError(f"The sample has {len(known)} zip prefixes; {times} times so many do not exist.")
    rank = {prefix: place for place, prefix in enumerate(known)}
    return lambda prefix, copy: f"{rank[prefix.zfill(5)] * times + copy:05d}"
