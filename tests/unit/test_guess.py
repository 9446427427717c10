"""A first mapping of an extract that nobody has described: a beginning that is right where the files tell enough."""

import io
import json
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.application.sources import check_source
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.sources.guess import guess_mapping
from replayhouse.infra.sources.guess_personal import is_personal
from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.raw_files import open_raw
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.reader import read_file
from replayhouse.ingest.records import RECORDS
from tests.support.extracts import a_good_extract, write, zipped
from tests.support.mappings import mapping_folder
from tests.support.spreadsheets import Form, as_spreadsheet


def guessed(folder: Path, **files: str | bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return guess_mapping(folder, "shop")["source.toml"]


def told(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@pytest.mark.parametrize("form", [Form(), Form("\t", "cp1252", "\r\n", True, ".txt"), Form(",", "utf-8-sig")])
def test_the_nine_files_in_another_dialect_are_read_by_the_mapping_that_is_guessed(form: Form, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    spreadsheet = as_spreadsheet(extract, tmp_path / "spreadsheet", form)

    mapping = read_mapping(mapping_folder(tmp_path / "mapping", guess_mapping(spreadsheet, "shop")["source.toml"]))
    tables = open_raw(mapping, spreadsheet, tmp_path / "into")

    assert set(mapping.records) == set(RECORDS)
    for file, source in SOURCE_FILES.items():
        record, table = mapping.records[file], tables[mapping.records[file].from_]
        assert record.columns == {column: column for column in source.columns}
        assert table.file == f"{Path(source.name).stem}{form.ending}"
        direct = pq.read_table(read_file(file, extract / source.name, tmp_path).cells).to_pylist()
        found = pq.read_table(table.parquet).to_pylist()
        assert [row["line"] for row in found] == [row["line"] for row in direct]
        for column in ("order_purchase_timestamp", "geolocation_lat", "product_weight_g", "review_comment_message"):
            assert [row.get(column) for row in found] == [row.get(column) for row in direct]


def test_a_zip_is_guessed_as_a_folder_is_and_twice_the_same(tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    first = guess_mapping(extract, "shop")
    assert guess_mapping(zipped(extract, tmp_path / "extract.zip"), "shop") == guess_mapping(extract, "shop") == first


@pytest.mark.parametrize(
    ("cells", "formats", "doubt"),
    [
        (["13/04/2018", "01/02/2018"], ["%d/%m/%Y"], None),
        (["04/13/2018", "01/02/2018"], ["%m/%d/%Y"], None),
        (["04/12/2018", "01/02/2018"], ["%d/%m/%Y"], "it is not certain that days stand before months"),
        (
            ["13/04/2018", "04/13/2018", "14/04/2018"],
            ["%d/%m/%Y"],
            "Some days stand before their months and some behind",
        ),
        (["13.4.18 9:05", "1.2.18 10:00"], ["%d.%m.%y %H:%M"], None),
        (["1/31/2018 9:05:07 PM"], ["%m/%d/%Y %I:%M:%S %p"], None),
        (["31-01-2018 09:05:07.250 +0000", "31-01-2018"], ["%d-%m-%Y %H:%M:%S.%f %z", "%d-%m-%Y"], None),
    ],
)
def test_days_and_months_are_told_apart_by_the_data(
    cells: list[str], formats: list[str], doubt: str | None, tmp_path: Path
) -> None:
    text = guessed(tmp_path, sales__csv="when;what\n" + "".join(f"{cell};x\n" for cell in cells))
    assert told(text)["source"]["times"] == formats
    is_of_two_orders = doubt is not None and doubt.startswith("Some")
    assert told(text)["files"]["sales"]["columns"]["when"] == ("text" if is_of_two_orders else "time")
    assert ("certain that days" in text, "Some days" in text) == (
        doubt is not None and not is_of_two_orders,
        is_of_two_orders,
    )


def test_times_as_iso_writes_them_need_no_format(tmp_path: Path) -> None:
    source = told(guessed(tmp_path, a__csv="when,what\n2018-01-31T10:00:00Z,x\n2018-01-31,y\n"))
    assert "times" not in source["source"]
    assert source["files"]["a"]["columns"]["when"] == "time"


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "kind", "is_certain"),
    [
        (["1,50", "2"], ",", None, "money", True),
        (["1.234,50", "2"], ",", ".", "money", True),
        (["1,234.50", "2"], ".", ",", "money", True),
        (["1.234.567"], ",", ".", "money", True),
        (["1.50"], ".", None, "money", True),
        (["-23,54731"], ",", None, "degrees", True),
        (["1.234"], ".", None, "degrees", False),
        (["1,234"], ",", None, "degrees", False),
        (["1.234", "0,50"], ",", ".", "money", True),
        (["1,5", "1.5", "2,5"], ",", None, "money", False),
    ],
)
def test_decimals_are_told_by_the_data(
    cells: list[str], decimal: str, thousands: str | None, kind: str, is_certain: bool, tmp_path: Path
) -> None:
    text = guessed(tmp_path, a__csv="total;what\n" + "".join(f"{cell};x\n" for cell in cells))
    source = told(text)["source"]
    assert (source["decimal"], source.get("thousands")) == (decimal, thousands)
    assert told(text)["files"]["a"]["columns"]["total"] == kind
    assert ("not certain which mark" in text) is not is_certain


def test_digits_that_name_things_are_text(tmp_path: Path) -> None:
    rows = "zip,serial,ean,pieces,total\n01310,7,12345678901,3,10\n20000,8,12345678902,0,20\n"
    columns = told(guessed(tmp_path, a__csv=rows))["files"]["a"]["columns"]
    assert columns == {"zip": "text", "serial": "whole", "ean": "text", "pieces": "whole", "total": "money"}


def test_words_for_nothing_are_found_among_numbers_only(tmp_path: Path) -> None:
    text = guessed(tmp_path, a__csv="pieces,who,total\n3,-,NULL\nNULL,NA,2.50\n")
    assert told(text)["source"]["nothing"] == ["NULL"]
    assert told(text)["files"]["a"]["columns"] == {"pieces": "whole", "who": "text", "total": "money"}


def columns_of(text: str, record: str) -> dict[str, Any]:
    """The columns of a record; SQL without its table around it."""
    columns: dict[str, Any] = told(text)["records"][record]["columns"]
    return {name: cell["sql"] if isinstance(cell, dict) and "sql" in cell else cell for name, cell in columns.items()}


def test_english_names_are_known_and_what_is_lacking_is_asked_for(tmp_path: Path) -> None:
    orders = "Order No,Customer,Status,Placed At,Due Date,E-Mail\n1,2,delivered,2018-01-02,2018-02-02,john@x.example\n"
    items = "order no,position,SKU,unit price\n1,1,3,9.90\n"
    text = guessed(tmp_path, orders_2018_05__csv=orders, items__csv=items)

    assert columns_of(text, "orders") == {
        "order_id": "id('order', \"Order No\")",
        "customer_id": "id('alias', \"Order No\")",
        "order_status": "Status",
        "order_purchase_timestamp": "Placed At",
        "order_estimated_delivery_date": "Due Date",
    }
    assert columns_of(text, "customers")["customer_unique_id"] == 'person_id("E-Mail")'
    assert columns_of(text, "customers")["customer_city"] == columns_of(text, "order_items")["freight_value"] == "?"
    assert told(text)["files"]["orders"] | {"columns": 0} == {
        "path": "orders_*.csv",
        "personal": ["E-Mail"],
        "columns": 0,
    }
    assert told(text)["expectations"]["unknown"] == ["seller_id", "shipping_limit_date"]
    assert told(text)["expectations"]["without"] == ["order_reviews", "sellers"]
    assert "# No file looks like order_payments (a payment of an order)." in text
    assert "john" not in text


def test_a_shop_in_portuguese_needs_two_words_of_a_person_and_then_is_read(tmp_path: Path) -> None:
    """Lines of JSON within which objects stand, and a CSV with another encoding, delimiter and signs of currency."""
    rows = [
        {
            "pedido": f"2018/{number}",
            "criadoEm": "2018-03-01T10:00:00-03:00",
            "situacao": word,
            "cliente": {"email": f"{number}@exemplo.com.br", "contato": "(11) 90000-1234", "doc": "529.982.247-25"},
            "endereco": {"cep": "01310-100", "cidade": "são paulo", "uf": "SP"},
            "forma de pagamento": "pix",
            "total": 120.5,
        }
        for number, word in enumerate(["Pago", "Em separação", "Na fila"])
    ]
    orders = "".join(json.dumps(row) + "\n" for row in rows)
    items = "Nº Pedido;Código do produto;Preço unitário\n2018/0;P1;R$ 1.234,50\n2018/0;P1;R$ 5,00\n2018/1;P2;R$ 7,10\n"
    text = guessed(tmp_path / "shop", vendas__jsonl=orders, itens__csv=items.encode("cp1252"))

    source = told(text)["source"]
    assert (source["currency"], source["decimal"], source["thousands"]) == ("BRL", ",", ".")
    vendas, itens = told(text)["files"]["vendas"], told(text)["files"]["itens"]
    where = ["endereco.cep", "endereco.cidade", "endereco.uf"]
    assert vendas["personal"] == ["cliente.email", "cliente.contato", "cliente.doc", *where]
    assert (itens["encoding"], itens["delimiter"], "personal" in itens) == ("cp1252", ";", False)
    assert columns_of(text, "customers")["customer_zip_code_prefix"] == "split_part(\"endereco.cep\", '-', 1)"
    assert told(text)["expectations"]["statuses"] == {
        "Pago": "approved",
        "Em separação": "processing",
        "Na fila": "?",
    }
    with pytest.raises(UsageError, match=r"has 2 places to fill in, where a \"\?\" stands") as refused:
        read_mapping(mapping_folder(tmp_path / "unfilled", text))
    assert [line.partition(": ")[2].partition(": ")[0] for line in refused.value.then] == [
        "records.order_items.columns.freight_value",
        'expectations.statuses."Na fila"',
    ]
    assert text.splitlines()[int(refused.value.then[0].split()[2].rstrip(":")) - 1].startswith("freight_value")

    whole = text.replace('freight_value = "?"', 'freight_value = { value = "0" }').replace('= "?"', '= "created"')
    checked = check_source(mapping_folder(tmp_path / "whole", whole), tmp_path / "shop")
    assert (checked.reasons, [one.kept_apart for one in checked.records]) == ((), [[]] * len(checked.records))
    prices = next(made for made in checked.records if made.record == "order_items").shown.rows
    assert [cells["price"] for _, cells in prices] == ["1234.50", "5.00", "7.10"]


def test_pieces_and_lists_and_the_freight_of_an_order_are_made_by_a_select_that_runs(tmp_path: Path) -> None:
    """The lines of an order in a list of objects; another shop has them in a file, with quantities."""
    orders = [
        {
            "pedido": "A-1",
            "data": "2018-03-01",
            "status": "shipped",
            "email": "a@x.example",
            "frete": 9.9,
            "total": 30.9,
        },
        {"pedido": "A-2", "data": "2018-03-02", "status": "shipped", "email": "b@x.example", "frete": 5, "total": 12},
    ]
    lines = [
        [{"sku": "P1", "qty": 2, "price": "R$ 7,00"}, {"sku": "P2", "price": "R$ 7,00"}],
        [{"sku": "P1", "price": "7,00"}],
    ]
    listed = "".join(json.dumps({**order, "itens": of}) + "\n" for order, of in zip(orders, lines, strict=True))
    flat = "Pedido;SKU;Qtd;Preço unitário\nA-1;P1;2;R$ 7,00\nA-1;P2;1;R$ 7,00\nA-2;P1;1;R$ 7,00\n"
    extracts = {
        "listed": {"vendas.jsonl": listed},
        "flat": {"itens.csv": flat, "vendas.jsonl": "".join(json.dumps(order) + "\n" for order in orders)},
    }
    for name, files in extracts.items():
        extract = tmp_path / name
        extract.mkdir()
        for file, text in files.items():
            (extract / file).write_text(text, encoding="utf-8")
        texts = guess_mapping(extract, "shop")
        assert ("order_items.sql" in texts, "products.sql" in texts) == (True, name == "listed")
        selects = {file.removesuffix(".sql"): text for file, text in texts.items() if file != "source.toml"}
        toml = texts["source.toml"].replace('= "?"', '= { value = "1" }')
        checked = check_source(mapping_folder(tmp_path / f"{name}-mapping", toml, **selects), extract)

        assert checked.reasons == ()
        made = next(made for made in checked.records if made.record == "order_items")
        assert (made.records, made.kept_apart) == (4, [])
        assert [(cells["order_item_id"], cells["price"], cells["freight_value"]) for _, cells in made.shown.rows] == [
            ("1", "7.00", "9.9"),
            ("2", "7.00", "0"),
            ("3", "7.00", "0"),
        ]


def test_a_line_whose_quantity_is_none_is_kept_apart_with_its_line(tmp_path: Path) -> None:
    extract = tmp_path / "shop"
    extract.mkdir()
    lines = ["A-1;P1;2;R$ 7,00", *("A-1;P2;1;R$ 8,00" for _ in range(20)), "A-1;P3;;R$ 9,00"]
    wrong = ["A-2;P1;x;R$ 7,00", "A-2;P1;0;R$ 7,00", "A-2;P1;-1;R$ 7,00"]
    orders = "".join(json.dumps({"pedido": f"A-{n}", "data": "2018-03-01", "status": "shipped"}) + "\n" for n in (1, 2))
    head = "Pedido;SKU;Qtd;Preço unitário"
    (extract / "vendas.jsonl").write_text(orders, encoding="utf-8")
    (extract / "itens.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    texts = guess_mapping(extract, "shop")
    (extract / "itens.csv").write_text("\n".join([head, *lines, *wrong, ""]), encoding="utf-8")
    toml = texts["source.toml"].replace('= "?"', '= { value = "1" }')
    folder = mapping_folder(tmp_path / "mapping", toml, order_items=texts["order_items.sql"].replace("'?'", "'0'"))

    checked = check_source(folder, extract)

    made = next(made for made in checked.records if made.record == "order_items")
    assert made.records == 26
    [of_quantities] = [one for one in made.kept_apart if one.reason.startswith('price is "quantity x", not an amount')]
    assert (of_quantities.records, of_quantities.line) == (3, 24)


def test_files_of_customers_orders_and_products_meet_by_their_ids(tmp_path: Path) -> None:
    text = guessed(
        tmp_path,
        customers__csv="id,name,email,postcode,town,county\n7,Ana B,a@x.example,SW1A 1AA,London,Greater London\n",
        orders__csv="id,customer_id,created_at,status\n1,7,2018-03-01T10:00:00Z,completed\n",
        products__csv="id,name,category,weight_kg\n9,Mug,Toys,0.5\n",
    )
    assert columns_of(text, "customers")["customer_id"] == "id('alias', \"id\")"
    assert columns_of(text, "orders")["customer_id"] == "id('alias', \"customer_id\")"
    assert columns_of(text, "products") == {"product_id": "id('product', \"id\")", "product_category_name": "category"}
    assert told(text)["files"]["customers"]["personal"] == ["name", "email", "postcode", "town"]
    assert "personal" not in told(text)["files"]["products"]


def test_freight_that_stands_on_each_row_of_an_order_counts_once(tmp_path: Path) -> None:
    header = "Nº Orden\tFecha orden\tEstado\tCliente\tArtículo\tPrecio unitario\tGastos de envío\n"
    rows = [
        "1\t2018/03/01\tEnviado\tAna Banana\tA\t12,95 €\t4,95",
        "1\t2018/03/01\tEnviado\tAna Banana\tB\t3,00 €\t4,95",
    ]
    (tmp_path / "ventas.tsv").write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    texts = guess_mapping(tmp_path, "shop")
    assert "WHEN 1 THEN l.\"Gastos de envío\" ELSE '0' END AS freight_value" in texts["order_items.sql"]
    assert told(texts["source.toml"])["source"]["times"] == ["%Y/%m/%d"]
    assert told(texts["source.toml"])["files"]["ventas"]["personal"] == ["Cliente"]
    assert "not certain" not in texts["source.toml"]


def test_a_shop_elsewhere_has_its_currency_zips_and_states(tmp_path: Path) -> None:
    header = "Encomenda|Data|Estado|E-mail|Código Postal|Localidade|Distrito|Total|Moeda\n"
    row = "E-1|28-03-2018 10:05|Entregue|p@x.example|1000-010|Lisboa|Lisboa|10,50 €|EUR\n"
    text = guessed(tmp_path, encomendas__txt=header + row)

    assert told(text)["source"]["currency"] == "EUR"
    assert told(text)["files"]["encomendas"]["currency"] == "Moeda"
    assert columns_of(text, "orders")["order_status"] == "Estado"
    assert columns_of(text, "customers")["customer_state"] == "Distrito"
    assert "regexp_replace" in columns_of(text, "order_payments")["payment_value"]
    assert told(text)["expectations"]["zips"] == "text"
    assert "states_known" in told(text)["expectations"]["off"]


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("contact", ["ana@x.example", "-"], True),
        ("doc", ["52998224725"], True),
        ("doc", ["52998224726"], False),
        ("tel", ["+55 11 90000-1234"], True),
        ("tax", ["12.345.678/0001-95"], True),
        ("Nome do cliente", [], True),
        ("Nome do produto", ["Mug"], False),
        ("when", ["2018-03-01 10:00:00"], False),
        ("ean", ["7891000315507"], False),
    ],
)
def test_what_is_about_people_is_told_by_names_and_by_cells(name: str, cells: list[str], expected: bool) -> None:
    assert is_personal(name, cells) is expected


def test_formats_with_types_are_guessed_too(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["Order No", None, "Total"], ["a", 1, 2.5], ["b", 1, 1234.5]):
        workbook.active.append(row)
    workbook.create_sheet("Other")
    sheet, parquet = io.BytesIO(), io.BytesIO()
    workbook.save(sheet)
    pq.write_table(pa.table({"at": pa.array([0], pa.timestamp("s")), "in": [{"x": 1.234}], "line": [1]}), parquet)
    lines = "".join(
        json.dumps({"who": {"email": "x", "age": 7}, "items": [1], "paid": amount}) + "\n" for amount in (1, 2.5)
    )

    text = guessed(tmp_path, a__xlsx=sheet.getvalue(), b__parquet=parquet.getvalue(), c__jsonl=lines)

    files = told(text)["files"]
    assert files["a"] == {"path": "a.xlsx", "sheet": "Sheet", "columns": {"Order No": "text", "Total": "money"}}
    assert files["b"] == {"path": "b.parquet", "columns": {"at": "time", "in": "text", "in.x": "degrees"}}
    assert files["c"]["columns"] == {"who.email": "text", "who.age": "whole", "items": "text", "paid": "money"}
    assert '# Left out, for their names cannot be read or stand there twice: "line".' in text


def test_where_there_is_nothing_to_read_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no file that can be read, but a\.pdf"):
        guessed(tmp_path / "pdf", a__pdf="")
    with pytest.raises(InputError, match=r"The file a\.csv is unreadable: it has no header with names"):
        guessed(tmp_path / "empty", a__csv="")
    with pytest.raises(InputError, match="does not exist"):
        guess_mapping(tmp_path / "nowhere", "shop")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text("ab1;,.\t\"'/-:\n\r é\x00\x7f\\", max_size=60))
def test_whatever_a_file_holds_the_mapping_is_toml_or_the_file_is_refused(tmp_path: Path, content: str) -> None:
    try:
        text = guessed(tmp_path, a__csv=content)
    except InputError:
        return
    [file] = told(text)["files"].values()  # called a, or otherwise if a column is
    assert file["columns"]
