"""SQL of a mapping: what it may say, what comes of it, and that what it may not do is ended with one sentence."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from replayhouse.infra.runtime.errors import InputError, ReplayhouseError, UsageError
from replayhouse.infra.sources.mapping import read_mapping
from replayhouse.infra.sources.raw_files import RawTable
from replayhouse.infra.sources.running import Made, run_mapping
from replayhouse.infra.staging.reader import MALFORMED_SCHEMA

SECRET = b"s" * 32
ROWS = 40
FOREVER = 3_600.0

SOURCE = """
[source]
name = "shop"
zone = "America/Sao_Paulo"
times = ["%d/%m/%Y %H:%M:%S"]
decimal = ","
thousands = "."
[files.orders]
path = "orders*.csv"
columns = { "Order No" = "text", "Email" = "text", "Total" = "text", "At" = "text" }
personal = ["Email"]
[files.notes]
path = "notes.csv"
columns = { "Note" = "text" }
"""

SELLERS = """
SELECT line, id('seller', "Order No") AS seller_id, '01001' AS seller_zip_code_prefix,
       {} AS seller_city, 'SP' AS seller_state
FROM orders
"""
FROM_OTHERS = 'FROM (SELECT *, lower("Email") AS e, {\'k\': "Email"} AS s FROM orders) AS o'
"""The same rows, with something personal by other names."""


def raw(folder: Path, name: str, cells: dict[str, list[str]]) -> RawTable:
    """A raw table, its rows one a line from line 2 on."""
    number = len(next(iter(cells.values())))
    places = {"line": pa.array(range(2, number + 2), pa.int64()), "lines": pa.array([1] * number, pa.int32())}
    pq.write_table(pa.table({**places, **cells}), folder / f"{name}.parquet")
    pq.write_table(MALFORMED_SCHEMA.empty_table(), folder / "malformed.parquet")
    malformed = folder / "malformed.parquet"
    return RawTable(
        name, f"{name}.csv", 1, "ab" * 32, number, folder / f"{name}.parquet", malformed, 0, 5, None, (), ()
    )


def made(tmp_path: Path, toml: str = "", seconds: float = FOREVER, **selects: str) -> dict[str, Made]:
    """What a mapping with these SELECTs, and this beside its files, makes of two small files."""
    folder = tmp_path / "mapping"
    folder.mkdir()
    (folder / "source.toml").write_text(SOURCE + toml, encoding="utf-8")
    for record, select in selects.items():
        (folder / f"{record}.sql").write_text(select, encoding="utf-8")
    orders = {
        "Order No": [f"#{number}" for number in range(ROWS)],
        "Email": [f"person{number}@example.com" for number in range(ROWS)],
        "Total": ["1.234,50", "7"] * (ROWS // 2),
        "At": ["31/12/2017 10:00:00", "2018-01-01T12:00:00Z"] * (ROWS // 2),
    }
    tables = {
        "orders": raw(tmp_path, "orders", orders),
        "notes": raw(tmp_path, "notes", {"Note": ["a", "b"]}),
    }
    return run_mapping(read_mapping(folder), tables, tmp_path / "cells", "200MB", SECRET, seconds=seconds)


def rows(found: Made) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = pq.read_table(found.read.cells).to_pylist()
    return read


def cities(tmp_path: Path, expression: str) -> list[str]:
    return [row["seller_city"] for row in rows(made(tmp_path, sellers=SELLERS.format(expression))["sellers"])]


def refusal(tmp_path: Path, select: str, **given: Any) -> str:
    """The one sentence that a SELECT is refused with."""
    with pytest.raises(ReplayhouseError) as refused:
        made(tmp_path, sellers=select, **given)
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'mapping' / 'sellers.sql'} ")
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_records_stand_on_the_lines_that_they_are_made_from(tmp_path: Path) -> None:
    found = made(tmp_path, sellers=SELLERS.format('"Order No"'))["sellers"]
    assert [(row["line"], row["lines"], row["seller_city"]) for row in rows(found)] == [
        (number + 2, 1, f"#{number}") for number in range(ROWS)
    ]
    assert (found.read.records, found.raw.name, found.tables) == (ROWS, "orders", ("orders",))


def test_a_line_may_hold_several_records_in_an_order_of_their_own(tmp_path: Path) -> None:
    select = SELLERS.format("'no. ' || place").replace("FROM orders", "FROM orders, range(3) AS places(place)")
    found = rows(made(tmp_path, sellers=select)["sellers"])
    assert [(row["line"], row["seller_city"]) for row in found[:4]] == [
        (2, "no. 0"),
        (2, "no. 1"),
        (2, "no. 2"),
        (3, "no. 0"),
    ]


def test_columns_values_and_expressions_make_a_record_without_a_select(tmp_path: Path) -> None:
    toml = """
    [records.sellers]
    from = "orders"
    where = "\\"Order No\\" <> '#1' -- the second"
    [records.sellers.columns]
    seller_id = { sql = "id('seller', \\"Order No\\")" }
    seller_zip_code_prefix = { value = "1" }
    seller_city = "Order No"
    seller_state = { sql = "upper('sp') -- a state" }
    """
    found = rows(made(tmp_path, toml)["sellers"])
    assert len(found) == ROWS - 1
    assert (found[1]["line"], found[1]["seller_city"], found[1]["seller_state"]) == (4, "#2", "SP")


def test_ids_of_two_kinds_and_of_two_sources_never_meet(tmp_path: Path) -> None:
    found = rows(made(tmp_path, sellers=SELLERS.format("id('customer', \"Order No\")"))["sellers"])
    assert found[0]["seller_id"] == hashlib.sha256(b"shop\0seller\0#0").hexdigest()[:32]
    assert found[0]["seller_city"] == hashlib.sha256(b"shop\0customer\0#0").hexdigest()[:32]


def test_an_id_of_a_person_is_made_with_the_secret_of_the_store(tmp_path: Path) -> None:
    expected = hmac.digest(SECRET, b"shop\0person0@example.com", hashlib.sha256).hex()[:32]
    assert cities(tmp_path, 'person_id("Email")')[0] == expected


def test_money_and_times_are_read_as_the_source_writes_them(tmp_path: Path) -> None:
    assert cities(tmp_path, 'money("Total")')[:2] == ["1234.50", "7"]
    (tmp_path / "times").mkdir()
    assert cities(tmp_path / "times", 'local_time("At")')[:2] == ["2017-12-31 10:00:00", "2018-01-01 10:00:00"]


@pytest.mark.parametrize("expression", ["money('R$ 5')", "local_time('soon')"])
def test_what_cannot_be_read_stays_as_it_is_and_null_stays_null(tmp_path: Path, expression: str) -> None:
    told = expression.partition("'")[2].rpartition("'")[0]
    null = expression.replace(f"'{told}'", "NULL")
    assert cities(tmp_path, f"coalesce({null}, {expression})")[0] == told


@pytest.mark.parametrize(
    ("cell", "told"), [("12.5", "12.5000"), (" -0.0001 ", "-0.0001"), ("1e3", None), ("0x10", None), ("1,5", None)]
)
def test_an_amount_to_calculate_with_has_digits_and_a_point_only(tmp_path: Path, cell: str, told: str | None) -> None:
    assert cities(tmp_path, f"coalesce(amount('{cell}')::VARCHAR, 'none')")[0] == (told or "none")


def test_values_of_types_become_text_and_an_empty_text_nothing(tmp_path: Path) -> None:
    select = SELLERS.format("DATE '2018-01-02'").replace("'SP' AS", "CASE line WHEN 2 THEN '' ELSE 'SP' END AS")
    found = rows(made(tmp_path, sellers=select)["sellers"])
    assert (found[0]["seller_city"], found[0]["seller_state"], found[1]["seller_state"]) == ("2018-01-02", None, "SP")


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ("COPY orders TO '/tmp/stolen.csv'", "is no SELECT"),
        ("ATTACH '/tmp/other.db'", "is no SELECT"),
        ("INSTALL httpfs", "is no SELECT"),
        ("SET lock_configuration = false", "is no SELECT"),
        ("DROP TABLE orders", "is no SELECT"),
        ("SHOW TABLES", "is no SELECT"),
        ("SELECT 1; SELECT 2", "is 2 statements"),
        ("SELECT FROM WHERE", "cannot be read: syntax error"),
        (SELLERS.format("(SELECT content FROM read_text('/etc/passwd'))"), "reads read_text()"),
        (SELLERS.format("(SELECT column0 FROM '/etc/passwd')"), "reads '/etc/passwd'"),
        (SELLERS.format("(SELECT min(value) FROM duckdb_settings())"), "reads duckdb_settings()"),
        (SELLERS.format("(SELECT min(inside::VARCHAR) FROM secret.pads)"), "reads 'secret.pads'"),
        (SELLERS.format("(SELECT min(sql) FROM sqlite_master)"), "reads 'sqlite_master'"),
        (SELLERS.format("(SELECT min(x) FROM query('SELECT 1 AS x'))"), "reads query()"),
        (SELLERS.format("random()"), "uses random"),
        (SELLERS.format("now()"), "uses now"),
        (SELLERS.format("current_date"), "uses current_date"),
        (SELLERS.format("getvariable('x')"), "uses getvariable"),
        (SELLERS.format("list_transform([1], lambda x: random())::VARCHAR"), "uses random"),
        (SELLERS.format("'x'") + " USING SAMPLE 3", "takes a sample"),
        (SELLERS.format("'x'") + " TABLESAMPLE 10%", "takes a sample"),
        (SELLERS.format("id('person', lower(\"Email\"))"), "personal column 'Email'"),
        (SELLERS.format('md5("Email")'), "makes md5() of the personal column 'Email' that could be guessed"),
        (SELLERS.format("id('person', o.e)").replace("FROM orders", FROM_OTHERS), "makes an id of 'e'"),
        (SELLERS.format("sha256(o.s.k)").replace("FROM orders", FROM_OTHERS), "makes sha256() of 's'"),
        (
            f'WITH o(a) AS (SELECT "Email" FROM orders) {SELLERS.format("id(1, (SELECT min(a) FROM o))")}',
            "an id of 'a'",
        ),
        (
            "WITH o AS (SELECT 'x' AS u UNION SELECT \"Email\" FROM orders)"
            + SELLERS.format("id(1, (SELECT min(u) FROM o))"),
            "an id of 'u'",
        ),
        (SELLERS.format("'x'").replace("FROM orders", 'FROM orders UNPIVOT (v FOR n IN ("Email"))'), "columns as rows"),
        (SELLERS.format("#4"), "a column by its place"),
        (SELLERS.format("e").replace("FROM orders", "FROM orders AS o(line, lines, n, e, t, a)"), "by other names"),
        (SELLERS.format("to_json(orders)::VARCHAR"), "a whole row of 'orders'"),
        (SELLERS.format("o::VARCHAR").replace("FROM orders", "FROM orders AS o"), "a whole row of 'o'"),
        (SELLERS.format("COLUMNS('Em.*')"), "COLUMNS(...)"),
        (
            SELLERS.format("e").replace("FROM orders", "FROM (FROM orders) AS o(line, lines, n, e, t, a)"),
            "without a star",
        ),
        (
            SELLERS.format("e").replace(
                "FROM orders", "FROM (SELECT -- each\n* FROM orders) AS o(line, lines, n, e, t, a)"
            ),
            "without a star",
        ),
        (SELLERS.format('"Nope"'), 'Referenced column "Nope" not found'),
        (SELLERS.format("[1, 2]"), "which is no cell"),
        (SELLERS.format("'a' || chr(0)"), "a NUL character"),
        (SELLERS.format("repeat('a', 200000)"), "more than 131,072 bytes"),
        (SELLERS.format("row_number() OVER ()"), "another order"),
        (SELLERS.format("'x'") + " LIMIT 5", "another order"),
        (SELLERS.format("'x'").replace("SELECT line", "SELECT NULL AS line"), "without a line"),
        (SELLERS.format("'x'").replace("SELECT line, ", "SELECT "), "gives no column 'line'"),
        (SELLERS.format("'x'").replace("seller_city", "sellr_city"), "did you mean seller_city?"),
        ("SELECT line, '1' AS seller_id FROM orders", "lacks seller_zip_code_prefix, seller_city, seller_state"),
        ("SELECT 1 AS line, '1' AS seller_id", "reads no file"),
        (
            SELLERS.format('"Note"').replace("line,", "o.line,").replace("orders", "orders o, notes n"),
            "say whose lines",
        ),
    ],
)
def test_a_select_that_a_mapping_may_not_have_is_refused_in_one_sentence(
    tmp_path: Path, select: str, told: str
) -> None:
    assert told in refusal(tmp_path, select)


def test_an_id_of_what_only_the_secret_makes_is_none_that_could_be_guessed(tmp_path: Path) -> None:
    persons = 'FROM (SELECT *, person_id("Email") AS person FROM orders)'
    select = SELLERS.format("id('alias', person)").replace("FROM orders", persons)
    assert len(rows(made(tmp_path, sellers=select)["sellers"])) == ROWS


def test_what_fails_over_the_rows_quotes_no_cell(tmp_path: Path) -> None:
    select = SELLERS.format('"Email"::INTEGER')
    told = refusal(tmp_path, select)
    [line] = [number for number, text in enumerate(select.splitlines(), 1) if "::INTEGER" in text]
    assert (
        f"sellers.sql has a CAST on line {line} that meets a cell in the column 'Email' that is no whole number" in told
    )
    assert "write TRY_CAST" in told
    assert "@" not in told


@pytest.mark.parametrize(
    "endless",
    [
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) "
        + SELLERS.format("(SELECT max(a)::VARCHAR FROM t)"),
        SELLERS.format("(SELECT count(*)::VARCHAR FROM orders a, orders b, orders c, orders d, orders e, orders f)"),
    ],
)
def test_a_select_without_an_end_is_ended(tmp_path: Path, endless: str) -> None:
    assert "ran longer than 0.5 seconds" in refusal(tmp_path, endless, seconds=0.5)


def test_a_select_that_makes_too_many_records_or_needs_too_much_memory_is_ended(tmp_path: Path) -> None:
    crossed = SELLERS.format("'x'").replace("FROM orders", "FROM orders, range(1000)")
    assert "makes more than 14,000 records" in refusal(tmp_path, crossed)
    (tmp_path / "memory").mkdir()
    large = SELLERS.format("(SELECT string_agg(repeat('x', 1000000)) FROM range(10000))")
    assert "needs more than 200MB of memory" in refusal(tmp_path / "memory", large)


def test_of_two_files_the_select_says_whose_lines_they_are(tmp_path: Path) -> None:
    select = SELLERS.format('"Note"').replace("line,", "o.line, 'orders' AS file,")
    found = made(tmp_path, sellers=select.replace("FROM orders", "FROM orders o JOIN notes n ON n.line = o.line"))
    assert (found["sellers"].raw.name, found["sellers"].tables) == ("orders", ("notes", "orders"))
    assert [row["line"] for row in rows(found["sellers"])] == [2, 3]


def test_an_expression_that_is_none_is_told_with_its_column(tmp_path: Path) -> None:
    columns = ", ".join(
        f'{name} = {{ value = "1" }}' for name in ("seller_id", "seller_zip_code_prefix", "seller_city")
    )
    toml = f'[records.sellers]\nfrom = "orders"\ncolumns = {{ {columns}, seller_state = {{ sql = "1) x, (2" }} }}'
    with pytest.raises(UsageError, match=r"source.toml, records.sellers has in seller_state no expression"):
        made(tmp_path, toml)


def test_input_errors_and_usage_errors_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        made(tmp_path, sellers=SELLERS.format('"Email"::INTEGER'))
