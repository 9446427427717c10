"""The nine files of an extract: their short names, the names they are published under, and their columns.

The columns stand in the order of the source and are misspelt as there (R1); a header that spells them right is read as
well. Code elsewhere speaks of short names.
"""

from typing import NamedTuple


class SourceFile(NamedTuple):
    """One kind of file: the name it is published under, and the columns that it must have."""

    name: str
    columns: tuple[str, ...]


SOURCE_FILES: dict[str, SourceFile] = {
    "customers": SourceFile(
        "olist_customers_dataset.csv",
        ("customer_id", "customer_unique_id", "customer_zip_code_prefix", "customer_city", "customer_state"),
    ),
    "geolocation": SourceFile(
        "olist_geolocation_dataset.csv",
        (
            "geolocation_zip_code_prefix",
            "geolocation_lat",
            "geolocation_lng",
            "geolocation_city",
            "geolocation_state",
        ),
    ),
    "order_items": SourceFile(
        "olist_order_items_dataset.csv",
        (
            "order_id",
            "order_item_id",
            "product_id",
            "seller_id",
            "shipping_limit_date",
            "price",
            "freight_value",
        ),
    ),
    "order_payments": SourceFile(
        "olist_order_payments_dataset.csv",
        ("order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"),
    ),
    "order_reviews": SourceFile(
        "olist_order_reviews_dataset.csv",
        (
            "review_id",
            "order_id",
            "review_score",
            "review_comment_title",
            "review_comment_message",
            "review_creation_date",
            "review_answer_timestamp",
        ),
    ),
    "orders": SourceFile(
        "olist_orders_dataset.csv",
        (
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        ),
    ),
    "products": SourceFile(
        "olist_products_dataset.csv",
        (
            "product_id",
            "product_category_name",
            "product_name_lenght",
            "product_description_lenght",
            "product_photos_qty",
            "product_weight_g",
            "product_length_cm",
            "product_height_cm",
            "product_width_cm",
        ),
    ),
    "sellers": SourceFile(
        "olist_sellers_dataset.csv",
        ("seller_id", "seller_zip_code_prefix", "seller_city", "seller_state"),
    ),
    "categories": SourceFile(
        "product_category_name_translation.csv",
        ("product_category_name", "product_category_name_english"),
    ),
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
