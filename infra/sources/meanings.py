"""What the columns of the records mean, in words for somebody who has a file of their own and never saw the nine."""

import re

from replayhouse.ingest.records import STATUSES

UNFILLED = "?"
"""What stands in a mapping where somebody has still to write what it is made of."""

RECORD_MEANINGS: dict[str, str] = {
    "orders": "an order: when it was placed, and how far it is",
    "customers": "who has placed an order, and where that person lives",
    "order_items": "a piece in an order; three pieces of an article are three records",
    "order_payments": "a payment of an order",
    "order_reviews": "a customer's review of an order",
    "products": "an article that is sold",
    "sellers": "who sells an article, and from where",
    "geolocation": "a place that a zip stands for",
    "categories": "the English name of a category",
}
"""What one record of each kind is."""

COLUMN_MEANINGS: dict[str, dict[str, str]] = {
    "orders": {
        "order_id": "which order it is: id('order', \"the order's number\")",
        "customer_id": "whose order it is, the same as customer_id of customers",
        "order_status": f"how far it is: {', '.join(STATUSES)}; [expectations] statuses translates other words",
        "order_purchase_timestamp": "when it was placed",
        "order_approved_at": "when it was paid",
        "order_delivered_carrier_date": "when it was sent off",
        "order_delivered_customer_date": "when it arrived",
        "order_estimated_delivery_date": "until when it is promised to arrive",
    },
    "customers": {
        "customer_id": "the customer in this order, the same as customer_id of orders",
        "customer_unique_id": 'which person it is, in all orders: person_id("the e-mail or the customer\'s number")',
        "customer_zip_code_prefix": 'the zip, one to five digits; others with [expectations] zips = "text"',
        "customer_city": "the city",
        "customer_state": "the state, in Brazil two letters",
    },
    "order_items": {
        "order_id": "which order it is in: id('order', \"the order's number\")",
        "order_item_id": "the number of the piece in its order: 1, 2, ...",
        "product_id": "which article it is: id('product', \"the article's number\")",
        "seller_id": "who sells it: id('seller', \"the seller's number\")",
        "shipping_limit_date": "until when the seller has to send it off",
        "price": "the price of the piece",
        "freight_value": "what its transport costs the customer; { value = '0' } if nothing",
    },
    "order_payments": {
        "order_id": "which order is paid: id('order', \"the order's number\")",
        "payment_sequential": "the number of the payment in its order; { value = '1' } if each has one",
        "payment_type": "how it is paid: credit_card, boleto, voucher, debit_card, or any other word",
        "payment_installments": "in how many parts it is paid; { value = '1' } if at once",
        "payment_value": "the amount",
    },
    "order_reviews": {
        "review_id": "which review it is: id('review', \"the review's number, or the order's\")",
        "order_id": "which order it is of: id('order', \"the order's number\")",
        "review_score": "the score, 1 to 5",
        "review_comment_title": "the title",
        "review_comment_message": "the text",
        "review_creation_date": "when the customer was asked, or wrote it",
        "review_answer_timestamp": "when it was answered",
    },
    "products": {
        "product_id": "which article it is: id('product', \"the article's number\")",
        "product_category_name": "its category",
        "product_name_lenght": "how many characters its name has",
        "product_description_lenght": "how many characters its description has",
        "product_photos_qty": "how many photos it has",
        "product_weight_g": "its weight in grams",
        "product_length_cm": "its length in centimetres",
        "product_height_cm": "its height in centimetres",
        "product_width_cm": "its width in centimetres",
    },
    "sellers": {
        "seller_id": "which seller it is: id('seller', \"the seller's number\")",
        "seller_zip_code_prefix": 'the zip, one to five digits; others with [expectations] zips = "text"',
        "seller_city": "the city",
        "seller_state": "the state, in Brazil two letters",
    },
    "geolocation": {
        "geolocation_zip_code_prefix": "the zip, one to five digits",
        "geolocation_lat": "degrees of latitude",
        "geolocation_lng": "degrees of longitude",
        "geolocation_city": "the city",
        "geolocation_state": "the state, in Brazil two letters",
    },
    "categories": {
        "product_category_name": "the category, as products have it",
        "product_category_name_english": "its English name",
    },
}
"""What each column says."""


def in_select(meaning: str) -> str:
    """The same words where SQL is written: a value is a text there."""
    return re.sub(r"\{ value = ('[^']*') \}", r"\1", meaning)
