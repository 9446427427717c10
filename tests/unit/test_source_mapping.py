"""A mapping is read as it is written, or refused with file, line and key."""

import contextlib
import tomllib
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.sources.document import Lackable, Sql, Status, Value
from replayhouse.infra.sources.mapping import LARGEST_FILE, json_schema, read_mapping
from replayhouse.infra.sources.toml_lines import line_of, lines_of_keys
from replayhouse.ingest.assess import MAY_BE_WITHOUT
from replayhouse.ingest.records import RECORDS, STATUSES
from tests.support.mappings import SHOP, mapping_folder


def refusal(folder: Path) -> str:
    with pytest.raises(UsageError) as refused:
        read_mapping(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_mapping_is_what_its_files_say(tmp_path: Path) -> None:
    mapping = read_mapping(mapping_folder(tmp_path, categories="SELECT 1"))

    orders = mapping.files["orders"]
    assert (mapping.folder, mapping.source.name, mapping.source.nothing) == (tmp_path, "shop", ("NULL", "n/a"))
    assert (orders.kind, orders.delimiter, orders.encoding) == ("csv", (";",), ("latin-1",))
    assert (mapping.files["categories"].kind, mapping.files["categories"].encoding) == ("jsonl", ("utf-8",))
    columns = mapping.records["orders"].columns
    assert mapping.records["orders"].from_ == "orders"
    assert (columns["order_id"], columns["order_status"]) == ("Order No", Value(value="delivered"))
    assert columns["order_approved_at"] == Sql(sql='"Placed"')
    assert mapping.selects == {"categories": "SELECT 1"}


def test_sellers_have_ids_where_items_do_not_know_theirs(tmp_path: Path) -> None:
    columns = ("seller_id", "seller_zip_code_prefix", "seller_city", "seller_state")
    sellers = "".join(f'{column} = "Customer"\n' for column in columns)
    text = f'{SHOP}[records.sellers]\nfrom = "orders"\n[records.sellers.columns]\n{sellers}'
    mapping = read_mapping(mapping_folder(tmp_path, f'{text}[expectations]\nunknown = ["seller_id"]\n'))
    assert "seller_id" in mapping.records["sellers"].columns


def test_the_hash_is_that_of_all_files_of_the_mapping(tmp_path: Path) -> None:
    folder = mapping_folder(tmp_path, categories="SELECT 1")
    first = read_mapping(folder).sha256
    (folder / "README.md").write_text("no part of it")
    assert read_mapping(folder).sha256 == first

    mapping_folder(folder, SHOP + "# a word\n")
    with_a_word = read_mapping(folder).sha256
    mapping_folder(folder, SHOP, categories="SELECT 2")
    assert len({first, with_a_word, read_mapping(folder).sha256}) == 3


WRONG = {
    # what stands there, what is written instead, the line that is told, the rest of what is told
    "a key that is not known": (
        'decimal = ","',
        'decimals = ","',
        6,
        "source.decimals is no known key: did you mean decimal?",
    ),
    "a table that is not known": (
        "[records.orders]\n",
        "[recordz.orders]\n",
        27,
        "recordz is no known key: did you mean records?",
    ),
    "a key of a file": (
        'delimiter = ";"',
        'delimeter = ";"',
        15,
        "files.orders.delimeter is no known key: did you mean delimiter?",
    ),
    "a record that is not known": (
        ".orders]\nfrom",
        ".order]\nfrom",
        27,
        "records.order is no known record: did you mean orders?",
    ),
    "a column that the record does not have": (
        "order_id =",
        "oder_id =",
        33,
        "is no column of orders: did you mean order_id?",
    ),
    "a raw column that is not declared": (
        '= "Placed"',
        '= "Place"',
        36,
        "comes from a column that the file does not name: did you mean Placed?",
    ),
    "a file that is not declared": (
        'from = "orders"',
        'from = "oders"',
        28,
        "records.orders.from is no file of this mapping: did you mean orders?",
    ),
    "a type that is not known": ('"time", "Due"', '"tme", "Due"', 17, "did you mean time? (got 'tme')"),
    "an encoding that is not known": ('"latin-1"', '"latin1"', 16, "did you mean latin-1?"),
    "a column that may be absent and is none": (
        'optional = ["Total"]',
        'optional = ["Totals"]',
        18,
        "did you mean Total?",
    ),
    "a personal column that is none": (
        'personal = ["Customer"]',
        'personal = ["Custom"]',
        19,
        "did you mean Customer?",
    ),
    "a currency in a column that is none": (
        "optional =",
        'currency = "Totals"\noptional =',
        18,
        "files.orders.currency is no column of this file: did you mean Total? (got 'Totals')",
    ),
    "a currency that is an amount": ("optional =", 'currency = "Total"\noptional =', 18, "is a column of type money"),
    "a currency that is personal": ("optional =", 'currency = "Customer"\noptional =', 18, "currency is personal"),
    "no column but optional ones": (
        '["Total"]',
        '["Order No", "Customer", "Placed", "Due", "Total"]',
        18,
        "names every column",
    ),
    "no file that is required": (
        'personal = ["Customer"]\n\n[files.categories]',
        "required = false\n[files.categories]\nrequired = false",
        13,
        "files are all optional: one is required",
    ),
    "a misspelt word for a file that may be absent": (
        'delimiter = ";"',
        "require = false",
        15,
        "files.orders.require is no known key: did you mean required?",
    ),
    "a file that is perhaps required": (
        'delimiter = ";"',
        'required = "no"',
        15,
        "files.orders.required is true or false (got 'no')",
    ),
    "a name with a blank": ('name = "shop"', 'name = "my shop"', 3, "source.name is small letters"),
    "the name of what is built in": ('name = "shop"', 'name = "olist"', 3, "source.name is taken"),
    "no name": ('name = "shop"\n', "", 2, "source lacks name"),
    "a zone that is none": ("America/Sao_Paulo", "Brazil/Olinda", 4, "source.zone is not a time zone"),
    "a zone by its city": ("America/Sao_Paulo", "sao paulo", 4, "did you mean America/Sao_Paulo? (got 'sao paulo')"),
    "a zone that leads out": ("America/Sao_Paulo", "../../etc/passwd", 4, "source.zone is not a time zone"),
    "a currency that is none": ("zone", 'currency = "EURO"\nzone', 4, "did you mean EUR? (got 'EURO')"),
    "a format with what is not known": ('"%d/%m/%Y"]', '"%d/%m/%Q"]', 5, "a directive that is not known, %Q"),
    "a format without a day": ('"%d/%m/%Y"]', '"%m/%Y"]', 5, "names no year, month and day"),
    "a format that says something twice": ('"%d/%m/%Y"]', '"%d/%m/%Y %m"]', 5, "has %m twice"),
    "a format of half days without which half": ('"%d/%m/%Y"]', '"%d/%m/%Y %I"]', 5, "needs %I and %p together"),
    "a mark of decimals that is none": ('decimal = ","', 'decimal = ";"', 6, "source.decimal is '.' or ','"),
    "one mark for two things": (
        'thousands = "."',
        'thousands = ","',
        7,
        "source.thousands is the mark before the decimals",
    ),
    "a mark of thousands that is none": ('thousands = "."', 'thousands = "x"', 7, "is a point, a comma, a blank"),
    "a number where a text is due": ('"NULL",', "3,", 8, "source.nothing is a text in quotes (got 3)"),
    "a word where yes or no is due": ("zone =", 'complete = "yes"\nzone =', 4, "source.complete is true or false"),
    "a share where extracts are not whole": (
        "zone =",
        "shrinks_at_most = 0.5\nzone =",
        4,
        "source.shrinks_at_most is for extracts that hold everything: set complete = true, too",
    ),
    "a share above all of it": (
        "zone =",
        "complete = true\nshrinks_at_most = 20\nzone =",
        5,
        "source.shrinks_at_most is a number from 0 to 1, such as 0.2 (got 20)",
    ),
    "a share that is none": (
        "zone =",
        "complete = true\nshrinks_at_most = nan\nzone =",
        5,
        "source.shrinks_at_most is a number from 0 to 1",
    ),
    "a list where a table is due": (
        '[files.categories.columns]\nname = "text"\n"english name" = "text"',
        "columns = []",
        23,
        "is a table",
    ),
    "a delimiter of two characters": ('delimiter = ";"', 'delimiter = ";;"', 15, "is one ASCII character"),
    "a delimiter that is the quote": ('delimiter = ";"', "quote = ';'\ndelimiter = ';'", 15, "is a delimiter, too"),
    "a delimiter where there is none": (
        'categories.jsonl"',
        'categories.jsonl"\ndelimiter = ";"',
        23,
        "is for csv only, and this file is jsonl",
    ),
    "a sheet where there is none": ('delimiter = ";"', 'sheet = "One"', 15, "is for xlsx only, and this file is csv"),
    "an ending that tells nothing": ("categories.jsonl", "categories.dat", 22, "say which with `format`"),
    "a path that leads out": ("categories.jsonl", "../categories.jsonl", 22, "without folders"),
    "a path from the root": ("categories.jsonl", "/categories.jsonl", 22, "without folders"),
    "a name of a file with a capital": (
        "[files.categories]\n",
        "[files.Categories]\npath = 'a.csv'\ncolumns = { a = 'text' }\n[files.categories]\n",
        21,
        "is small letters",
    ),
    "two columns of one name": ('"Total" = "money"', '"Total" = "money", " total " = "text"', 17, "stands there twice"),
    "a column of our own": (
        '"Total" = "money"',
        '"Line" = "whole", "Total" = "money"',
        17,
        "no column of that name is read",
    ),
    "a cell of no kind": (
        '{ value = "delivered" }',
        '{ text = "delivered" }',
        35,
        "is the name of a column, { value =",
    ),
    "a cell that is a number": ('{ value = "delivered" }', "3", 35, "is the name of a column, { value ="),
    "a required column that is missing": ('customer_id = "Customer"\n', "", 32, "lacks customer_id"),
    "a column both given and unknown": (
        "[files.orders]\n",
        '[expectations]\nunknown = ["order_estimated_delivery_date"]\n[files.orders]\n',
        40,
        "expectations",
    ),
    "what cannot be unknown": (
        "[files.orders]\n",
        '[expectations]\nunknown = ["price"]\n[files.orders]\n',
        14,
        "got 'price'",
    ),
    "a rule that is not known": (
        "[files.orders]\n",
        '[expectations]\noff = ["prices_positive", "category_translated"]\n[files.orders]\n',
        14,
        "expectations.off is no known rule: did you mean categories_translated? (got 'category_translated')",
    ),
    "a rule that rejects": (
        "[files.orders]\n",
        '[expectations]\noff = ["files_complete"]\n[files.orders]\n',
        14,
        "expectations.off is CRITICAL: it rejects what cannot be loaded, and is always on (got 'files_complete')",
    ),
    "a rule that keeps out": (
        "[files.orders]\n",
        '[expectations]\noff = ["keys_unique"]\n[files.orders]\n',
        14,
        "expectations.off keeps records out that cannot be loaded, and is always on (got 'keys_unique')",
    ),
    "a meaning that no status has": (
        "[files.orders]\n",
        '[expectations.statuses]\n"" = "approved"\n"sent off" = "shiped"\n[files.orders]\n',
        15,
        'expectations.statuses."sent off" is ',
    ),
    "no method": ("[files.orders]\n", "[expectations]\nmethods = []\n[files.orders]\n", 14, "methods is empty"),
    "states that are no list": (
        "[files.orders]\n",
        '[expectations]\nstates = "SP"\n[files.orders]\n',
        14,
        "states is a list in brackets",
    ),
    "a kind of record that no source is without": (
        "[files.orders]\n",
        '[expectations]\nwithout = ["customers"]\n[files.orders]\n',
        14,
        "(got 'customers')",
    ),
    "a region that is no list": (
        "[files.orders]\n",
        '[regions]\nWest = "CA"\n[files.orders]\n',
        14,
        "is a list in brackets",
    ),
    "a region without a state": (
        "[files.orders]\n",
        "[regions]\nWest = []\n[files.orders]\n",
        14,
        "regions.West is empty",
    ),
    "a state in two regions": (
        "[files.orders]\n",
        '[regions]\n"West" = ["CA", "OR"]\n"Far East" = ["ME", "OR"]\n[files.orders]\n',
        15,
        'regions."Far East" names OR, which lies in West: remove one.',
    ),
    "a region that is all of them": (
        "[files.orders]\n",
        '[regions]\nall = ["CA"]\n[files.orders]\n',
        14,
        "regions.all is what answers call all regions together",
    ),
    "a region with blanks around it": (
        "[files.orders]\n",
        '[regions]\n"West " = ["CA"]\n[files.orders]\n',
        14,
        'regions."West " has blanks around its name',
    ),
    "a state with blanks around it": (
        "[files.orders]\n",
        '[regions]\nWest = ["CA", " OR"]\n[files.orders]\n',
        14,
        "regions.West has blanks around it",
    ),
    "a character that no database holds": (
        "[files.orders]\n",
        '[regions]\n"We\\u0000st" = ["CA"]\n[files.orders]\n',
        13,
        "regions holds a NUL character",
    ),
    "such a character in a list": (
        "[files.orders]\n",
        '[regions]\nWest = ["CA", "O\\u0000R"]\n[files.orders]\n',
        14,
        "regions.West holds a NUL character",
    ),
    "what is no TOML": ('delimiter = ";"', "delimiter = ;", 15, "this is not TOML: Invalid value"),
    "a key that stands twice": ('delimiter = ";"', 'delimiter = ";"\ndelimiter = ","', 16, "this is not TOML"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_line(case: str, tmp_path: Path) -> None:
    said, instead, line, told = WRONG[case]
    assert said in SHOP
    folder = mapping_folder(tmp_path, SHOP.replace(said, instead, 1))

    message = refusal(folder)

    assert message.startswith(f"{folder / 'source.toml'}, line {line}: ")
    assert told in message


def test_a_select_of_no_known_record_is_refused(tmp_path: Path) -> None:
    assert refusal(mapping_folder(tmp_path, customer="SELECT 1")).endswith(
        "customer.sql is of no known record: did you mean customers?"
    )


def test_a_record_has_one_way_to_be_made(tmp_path: Path) -> None:
    assert "line 27: records.orders is given twice" in refusal(mapping_folder(tmp_path, orders="SELECT 1"))


def test_what_a_source_is_without_is_not_made_as_well(tmp_path: Path) -> None:
    text = SHOP + '[expectations]\nwithout = ["products", "sellers"]\n'
    folder = mapping_folder(tmp_path, text, sellers="SELECT 1")
    assert f"line {text.count(chr(10))}: expectations.without names sellers, which sellers.sql makes" in refusal(folder)


def test_the_words_of_a_mapping_are_those_of_the_records() -> None:
    assert set(get_args(Status)) == set(STATUSES)
    assert get_args(Lackable) == MAY_BE_WITHOUT


EXPECTATIONS = """
[expectations]
unknown = ["seller_id"]
without = ["sellers", "order_reviews"]
off = ["categories_translated"]
statuses = { "" = "approved", "sent off" = "shipped" }
methods = ["pix"]
states = ["Lisboa", "Porto"]
"""


def test_a_mapping_that_makes_nothing_is_refused(tmp_path: Path) -> None:
    assert "makes no record" in refusal(mapping_folder(tmp_path, SHOP[: SHOP.index("[records.orders]")]))


@pytest.mark.parametrize("text", ["", "   \n", "a = '\0'", "\ud800", "#" * (LARGEST_FILE + 1), "a = " + "[" * 5_000])
def test_what_is_no_text_of_a_mapping_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "source.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert refusal(tmp_path).startswith(str(tmp_path / "source.toml"))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "is not a folder" in refusal(tmp_path / "nowhere")
    assert "source.toml does not exist" in refusal(tmp_path)


def test_a_byte_order_mark_and_line_ends_of_windows_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "source.toml").write_bytes(b"\xef\xbb\xbf" + SHOP.replace("\n", "\r\n").encode())
    assert set(read_mapping(tmp_path).files) == {"orders", "categories"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(start=st.integers(0, len(SHOP)), length=st.integers(0, 40), text=st.text("[]{}='\"#\n,.\\ a1", max_size=5))
def test_whatever_is_written_is_read_or_refused_in_a_sentence(
    tmp_path: Path, start: int, length: int, text: str
) -> None:
    mapping_folder(tmp_path, SHOP[:start] + text + SHOP[start + length :])
    with contextlib.suppress(UsageError):
        read_mapping(tmp_path)


KEYS = st.sampled_from(["a", "b-c", '"d e"', "'f.g'", "h"])
VALUES = st.sampled_from(
    ["1", '"x # y"', "[\n 1, # ]\n 2,\n]", "'''\n[t]\n'''", '"""\\"""\n"""', "{ k = 1, l = { m = 2 } }", "[]"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "# [x]\n", "[t.u]\n", "\n[v] # w\n"]), KEYS, VALUES), max_size=6))
def test_every_key_has_the_line_that_it_stands_on(statements: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{before}{key} = {value}\n" for before, key, value in statements)
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = lines_of_keys(text)
    written = text.split("\n")
    for path in paths(told):
        assert path[-1] in written[lines[path] - 1]


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [found for key, inner in value.items() for found in ((*path, key), *paths(inner, (*path, key)))]


def test_what_stands_nowhere_is_told_where_its_table_stands() -> None:
    lines = lines_of_keys("\n[a]\nb = { c = 1 }\n")
    assert [line_of(lines, path) for path in ((), ("a", "x"), ("a", "b", "c"), ("a", "b", 0))] == [1, 2, 3, 3]


def test_the_schema_takes_what_is_read_and_names_what_there_is() -> None:
    schema = json_schema()
    checker = jsonschema.Draft202012Validator(schema)
    checker.check_schema(schema)
    assert list(checker.iter_errors(tomllib.loads(SHOP + EXPECTATIONS))) == []
    for case in ("a column that the record does not have", "a key of a file", "no name", "a rule that keeps out"):
        said, instead, *_ = WRONG[case]
        assert not checker.is_valid(tomllib.loads(SHOP.replace(said, instead, 1)))
    for record, shape in RECORDS.items():
        named = schema["$defs"][record]["properties"]["columns"]["properties"]
        assert list(named) == [column.name for column in shape.columns()]
