"""The nine files: their names, headers and cells, spelt as in the source."""

from datetime import datetime

FILE_NAMES = {
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

HEADERS = {
    "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
    "geolocation": ("geolocation_zip_code_prefix,geolocation_lat,geolocation_lng,geolocation_city,geolocation_state"),
    "order_items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
    "order_payments": "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    "order_reviews": (
        "review_id,order_id,review_score,review_comment_title,review_comment_message,"
        "review_creation_date,review_answer_timestamp"
    ),
    "orders": (
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
        "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date"
    ),
    "products": (
        "product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,"
        "product_weight_g,product_length_cm,product_height_cm,product_width_cm"
    ),
    "sellers": "seller_id,seller_zip_code_prefix,seller_city,seller_state",
    "categories": "product_category_name,product_category_name_english",
}

_CENTS = tuple(f"{cents // 10}" if cents % 10 == 0 else f"{cents:02d}" for cents in range(100))


def money_cell(cents: int) -> str:
    """An amount as the source writes it: `94.9`, `541.0`, `18.54`."""
    return f"{cents // 100}.{_CENTS[cents % 100]}"


def time_cell(moment: datetime | None) -> str:
    """A local time to the second; empty if there is none."""
    return "" if moment is None else str(moment)


def text_cell(text: str) -> str:
    """A text, in quotes only where RFC 4180 asks for them; its line ends stay as they are."""
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    if "," in text or "\n" in text or "\r" in text:
        return f'"{text}"'
    return text
