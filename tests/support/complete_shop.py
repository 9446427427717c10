"""A shop whose exports hold everything: orders by number, each with one article of its own, and their mapping."""

from collections.abc import Iterable
from pathlib import Path

from tests.support.shop import write_export, write_mapping


def line_of(order: int) -> str:
    """The line of an order in the export: who placed it, and what was bought, is of this order alone."""
    return (
        f"#{order};{order}@example.com;02/01/2018 10:00:00;30,50;12,00;Article {order};30,50;"
        f"1001-{order % 1000:03d};são paulo;SP"
    )


def orders_export(folder: Path, orders: Iterable[int]) -> Path:
    """Writes an export with these orders, in this order; returns its folder."""
    return write_export(folder, [line_of(order) for order in orders])


def complete_mapping(folder: Path, name: str = "shop", setting: str = "") -> Path:
    """Writes the mapping of such exports, with one more line under [source]; returns its folder."""
    source = write_mapping(folder, name) / "source.toml"
    zone = 'zone = "America/Sao_Paulo"\n'
    source.write_text(source.read_text().replace(zone, f"{zone}complete = true\n{setting}\n"))
    return folder
