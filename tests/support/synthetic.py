"""Generated extracts for tests, read record by record."""

import csv
from collections import defaultdict
from pathlib import Path

from tests.oracle.expected import FILES

Records = dict[str, list[dict[str, str]]]

ORDERS = 2_000
SEED = 7


def records_of(directory: Path) -> Records:
    read: Records = {}
    for file, name in FILES.items():
        with (directory / name).open(encoding="utf-8", newline="") as text:
            read[file] = list(csv.DictReader(text, strict=True))
    return read


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def by_order(records: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    grouped: dict[str, list[dict[str, str]]] = defaultdict(list)
    for record in records:
        grouped[record["order_id"]].append(record)
    return grouped


def cents(amount: str) -> int:
    whole, _, decimals = amount.partition(".")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))
