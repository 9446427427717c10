"""The nine files of an extract: their short names, the names they are published under, and their columns.

The columns are those that the records declare (ingest/records.py), misspelt as in the source (R1); a header that spells
them right is read as well. Code elsewhere speaks of short names.
"""

from typing import NamedTuple

from replayhouse.ingest.records import RECORDS


class SourceFile(NamedTuple):
    """One kind of file: its short name, and the name it is published under."""

    short_name: str
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order in which the record declares them."""
        return tuple(column.name for column in RECORDS[self.short_name].columns())

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns that every extract has."""
        return tuple(column.name for column in RECORDS[self.short_name].columns() if not column.is_optional)


SOURCE_FILES: dict[str, SourceFile] = {
    source.short_name: source
    for source in (
        SourceFile("customers", "olist_customers_dataset.csv"),
        SourceFile("geolocation", "olist_geolocation_dataset.csv"),
        SourceFile("order_items", "olist_order_items_dataset.csv"),
        SourceFile("order_payments", "olist_order_payments_dataset.csv"),
        SourceFile("order_reviews", "olist_order_reviews_dataset.csv"),
        SourceFile("orders", "olist_orders_dataset.csv"),
        SourceFile("products", "olist_products_dataset.csv"),
        SourceFile("sellers", "olist_sellers_dataset.csv"),
        SourceFile("categories", "product_category_name_translation.csv"),
    )
}

FILES = tuple(SOURCE_FILES)
"""The nine short names."""

PERSONAL_FILES = frozenset({"customers", "order_reviews"})
"""Files that hold personal fields: what is told of them in clear text quotes none of their cells."""

SHORT_NAMES = {source.name: short for short, source in SOURCE_FILES.items()}
"""Short name by published name."""

SPELLED_RIGHT = {
    "product_name_length": "product_name_lenght",
    "product_description_length": "product_description_lenght",
}
"""Columns that the source misspells, by what others call them."""


def column_of(name: str) -> str:
    """The column that a name in a header means, whatever its case and the blanks around it (R1)."""
    plain = name.strip().lower()
    return SPELLED_RIGHT.get(plain, plain)
