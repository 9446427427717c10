"""Mappings of made-up sources, as text, and as folders."""

import json
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "infra/sources/shipped"

SHOP = """\
#:schema https://example.org/source.schema.json
[source]
name = "shop"
zone = "America/Sao_Paulo"
times = ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]
decimal = ","
thousands = "."
nothing = [
    "NULL",
    "n/a",  # as one clerk writes it
]

[files.orders]
path = "orders*.csv"
delimiter = ";"
encoding = "latin-1"
columns = { "Order No" = "text", "Customer" = "text", "Placed" = "time", "Due" = "time", "Total" = "money" }
optional = ["Total"]
personal = ["Customer"]

[files.categories]
path = "categories.jsonl"
[files.categories.columns]
name = "text"
"english name" = "text"

[records.orders]
from = "orders"
where = '''
"Order No" IS NOT NULL
'''
[records.orders.columns]
order_id = "Order No"
customer_id = "Customer"
order_status = { value = "delivered" }
order_purchase_timestamp = "Placed"
order_approved_at = { sql = '"Placed"' }
order_estimated_delivery_date = "Due"
"""


def mapping_folder(folder: Path, text: str = SHOP, **selects: str) -> Path:
    """Writes a mapping: its text, and a SELECT for each record that is named."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.toml").write_text(text, encoding="utf-8")
    for record, select in selects.items():
        (folder / f"{record}.sql").write_text(select, encoding="utf-8")
    return folder


def one_file(path: str, columns: dict[str, str], keys: str = "", source: str = "") -> str:
    """The text of a mapping with one file, `raw`, of these columns by type; more keys of the file and of the source."""
    named = "\n".join(f"{json.dumps(name)} = {json.dumps(kind)}" for name, kind in columns.items())
    return f"""\
[source]
name = "shop"
zone = "America/Sao_Paulo"
{source}
[files.raw]
path = {json.dumps(path)}
{keys}
[files.raw.columns]
{named}
"""
