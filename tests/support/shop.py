"""A shop's export: one file, a line for each article of an order, what is of the whole order on its first line only.

Its mapping has a SELECT for each kind of record. People are known by their address for letters.
"""

from pathlib import Path

HEADER = "Name;Email;Placed at;Subtotal;Shipping;Lineitem name;Lineitem price;Shipping Zip;Shipping City;Shipping State"

LINES = [
    "#1001;ana@example.com;02/01/2018 10:00:00;130,50;12,00;Mug;30,50;1001-000;são paulo;SP",
    "#1001;ana@example.com;;;;Lamp;100,00;;;",
    "#1002;rui@example.com;05/01/2018 09:30:00;1.030,50;0,00;Mug;30,50;20040-020;rio de janeiro;RJ",
    "#1002;rui@example.com;;;;Sofa;1.000,00;;;",
    "#1003;ana@example.com;09/01/2018 20:15:00;30,50;8,00;Mug;30,50;1001-000;são paulo;SP",
]

TOTALS = {"#1001": "142.50", "#1002": "1030.50", "#1003": "38.50"}
"""What each order costs with its freight."""

SOURCE = """
[source]
name = "{name}"
zone = "America/Sao_Paulo"
times = ["%d/%m/%Y %H:%M:%S"]
decimal = ","
thousands = "."

[files.export]
path = "orders_export*.csv"
delimiter = ";"
encoding = "latin-1"
personal = ["Email", "Shipping Zip", "Shipping City"]

[files.export.columns]
"Name" = "text"
"Email" = "text"
"Placed at" = "time"
"Subtotal" = "money"
"Shipping" = "money"
"Lineitem name" = "text"
"Lineitem price" = "money"
"Shipping Zip" = "text"
"Shipping City" = "text"
"Shipping State" = "text"
"""

SELECTS = {
    "orders": """
        SELECT line, id('order', "Name") AS order_id, id('alias', "Name") AS customer_id, 'delivered' AS order_status,
            "Placed at" AS order_purchase_timestamp, "Placed at" AS order_approved_at,
            "Placed at"::TIMESTAMP + INTERVAL 2 DAYS AS order_delivered_carrier_date,
            "Placed at"::TIMESTAMP + INTERVAL 5 DAYS AS order_delivered_customer_date,
            "Placed at"::DATE + 10 AS order_estimated_delivery_date
        FROM export WHERE "Placed at" IS NOT NULL""",
    "customers": """
        SELECT line, id('alias', "Name") AS customer_id, person_id("Email") AS customer_unique_id,
            lpad(left(split_part("Shipping Zip", '-', 1), 5), 5, '0') AS customer_zip_code_prefix,
            "Shipping City" AS customer_city, "Shipping State" AS customer_state
        FROM export WHERE "Placed at" IS NOT NULL""",
    "order_items": """
        SELECT line, id('order', "Name") AS order_id,
            row_number() OVER (PARTITION BY "Name" ORDER BY line) AS order_item_id,
            id('product', "Lineitem name") AS product_id, id('seller', 'the shop') AS seller_id,
            max("Placed at") OVER (PARTITION BY "Name")::TIMESTAMP + INTERVAL 3 DAYS AS shipping_limit_date,
            "Lineitem price" AS price,
            CASE WHEN "Placed at" IS NULL THEN '0.00' ELSE "Shipping" END AS freight_value
        FROM export""",
    "order_payments": """
        SELECT line, id('order', "Name") AS order_id, 1 AS payment_sequential, 'credit_card' AS payment_type,
            1 AS payment_installments, "Subtotal"::DECIMAL(12, 2) + "Shipping"::DECIMAL(12, 2) AS payment_value
        FROM export WHERE "Placed at" IS NOT NULL""",
    "order_reviews": """
        SELECT line, NULL AS review_id, NULL AS order_id, NULL AS review_score, NULL AS review_creation_date
        FROM export WHERE false""",
    "products": """
        SELECT min(line) AS line, id('product', "Lineitem name") AS product_id
        FROM export GROUP BY "Lineitem name" """,
    "sellers": """
        SELECT min(line) AS line, id('seller', 'the shop') AS seller_id, '01001' AS seller_zip_code_prefix,
            'são paulo' AS seller_city, 'SP' AS seller_state
        FROM export""",
}


def write_export(folder: Path, lines: list[str]) -> Path:
    """Writes an export with these lines below the header; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\r\n" for line in (HEADER, *lines))
    (folder / "orders_export_1.csv").write_bytes(text.encode("latin-1"))
    return folder


def write_mapping(folder: Path, name: str = "shop", **selects: str) -> Path:
    """Writes the mapping, some of its SELECTs replaced; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.toml").write_text(SOURCE.format(name=name), encoding="utf-8")
    for record, select in {**SELECTS, **selects}.items():
        (folder / f"{record}.sql").write_text(select, encoding="utf-8")
    return folder
