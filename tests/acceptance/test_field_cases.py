"""Extracts as they come from other programs and other hands: what is read, what is found, and what is refused.

Each case is the same generated extract, a few of its cells or bytes edited.
"""

import csv
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.application import ingest as loading
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.calendar import bound_of_log, bound_of_models
from replayhouse.infra.read_models.schema import Model
from replayhouse.ingest.synthetic.generate import generate
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.expected import FILES, expected
from tests.support.in_process import READ_MODELS, Warehouse, rejected

Records = list[dict[str, str]]
Edit = Callable[[dict[str, str]], None]

NOTHING_BUT_THE_LOAD = {**dict.fromkeys(READ_MODELS, 0), "quality": 4}
FAILED = "SELECT batch_id::text, rule, failed FROM quality.fact_check WHERE failed > 0"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extract that is edited."""
    folder = tmp_path_factory.mktemp("field") / "clean"
    generate(folder, orders=60, seed=7)
    return folder


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def copied(clean: Path, folder: Path, **files: Callable[[bytes], bytes]) -> Path:
    """The extract in another folder, the bytes of some of its files changed; returns the folder."""
    folder.mkdir()
    for file, name in FILES.items():
        content = (clean / name).read_bytes()
        (folder / name).write_bytes(files[file](content) if file in files else content)
    return folder


def every(change: Callable[[bytes], bytes]) -> dict[str, Callable[[bytes], bytes]]:
    return dict.fromkeys(FILES, change)


def cells(edit: Edit) -> Callable[[bytes], bytes]:
    """A change of the cells of each record."""

    def change(content: bytes) -> bytes:
        records = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
        for record in records:
            edit(record)
        written = io.StringIO(newline="")
        writer = csv.DictWriter(written, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return written.getvalue().encode()

    return change


def set_first(column: str, value: str, where: Callable[[dict[str, str]], bool]) -> Callable[[bytes], bytes]:
    """A change of one cell of the first such record."""

    def change(content: bytes) -> bytes:
        done: list[None] = []

        def edit(record: dict[str, str]) -> None:
            if not done and where(record):
                record[column] = value
                done.append(None)

        return cells(edit)(content)

    return change


def is_unchanged(told: Any) -> bool:
    """Whether every record of a load was known as it is, and nothing was appended but what a load says of itself."""
    counts = told["files"].values()
    return bool(told["events"] == NOTHING_BUT_THE_LOAD and all(c["unchanged"] == c["rows"] > 0 for c in counts))


def failed(warehouse: Warehouse, told: Any) -> dict[str, int]:
    """By rule, how many records broke it in a load."""
    return {rule: number for batch, rule, number in warehouse.rows(FAILED) if batch == told["batch"]}


# --- the same content, spelled otherwise -----------------------------------------------------------------------------


def without_zeros_and_as_floats(record: dict[str, str]) -> None:
    for name, cell in record.items():
        if name.endswith("zip_code_prefix"):
            record[name] = cell.lstrip("0")
        elif cell and name.endswith(("_lenght", "_qty", "_g", "_cm")):
            record[name] = f"{cell}.0"


def in_header(change: Callable[[bytes], bytes], end: bytes = b"") -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        header, records = content.split(b"\n", 1)
        return change(header) + b"\n" + (records.replace(b"\n", end + b"\n") if end else records)

    return changed


def as_iso(record: dict[str, str]) -> None:
    for name, cell in record.items():
        if name.endswith(("_at", "_date", "_timestamp")) and cell:
            record[name] = cell.removesuffix(" 00:00:00").replace(" ", "T") + (".000" if " 00:" not in cell else "")


SPELLINGS: dict[str, dict[str, Callable[[bytes], bytes]]] = {
    "pandas-floats": every(cells(without_zeros_and_as_floats)),
    "spelled-right": {"products": in_header(lambda header: header.replace(b"_lenght", b"_length"))},
    "header-case-and-blanks": {
        "customers": in_header(bytes.upper),
        "orders": in_header(lambda header: b" " + header.replace(b",", b" , ")),
        "order_items": in_header(lambda header: header + b",,", end=b",,"),
        "sellers": in_header(lambda header: header + b",,"),
    },
    "times as ISO 8601 has them": {"orders": cells(as_iso)},
}


@pytest.mark.parametrize("case", SPELLINGS)
def test_two_spellings_of_one_value_are_no_change(warehouse: Warehouse, clean: Path, tmp_path: Path, case: str) -> None:
    warehouse.begin(clean)
    live = warehouse.digests()
    spelled = copied(clean, tmp_path / "spelled", **SPELLINGS[case])
    assert any((spelled / name).read_bytes() != (clean / name).read_bytes() for name in FILES.values())

    assert is_unchanged(warehouse.ingest(spelled))

    assert warehouse.digests() == live


def test_another_spelling_that_comes_first_gives_the_same_rows(
    warehouse: Warehouse, clean: Path, tmp_path: Path
) -> None:
    changes = {"products": cells(without_zeros_and_as_floats), "orders": cells(as_iso)}
    warehouse.ingest(copied(clean, tmp_path / "spelled", **changes))
    assert warehouse.differs_from(expected(clean)) == ""
    assert is_unchanged(warehouse.ingest(clean))


def test_colon_in_zip(warehouse: Warehouse, clean: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "extract.zip", "w") as archive:
        for name in FILES.values():
            archive.write(clean / name, name)
        archive.writestr("leia-me: dados.txt", "x")
    done = warehouse.run("ingest", tmp_path / "extract.zip", "--json")
    assert (done.code, done.document["status"]) == (0, "completed")
    assert "Passed over, for none of the nine files is called so: leia-me: dados.txt." in done.err
    assert warehouse.differs_from(expected(clean)) == ""


@pytest.mark.parametrize("is_named", [False, True])
def test_folder_name_in_latin1(warehouse: Warehouse, clean: Path, tmp_path: Path, is_named: bool) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/extra\xe7\xe3o"))
    name = os.fsdecode(b"mar\xe7o")
    copied(clean, folder)
    (folder / os.fsdecode(b"leia-\xe9.txt")).write_text("x")
    done = warehouse.run("ingest", folder, "--json", *(["--name", name] if is_named else []))
    assert (done.code, done.document["status"]) == (0, "completed"), done.err
    assert done.document["name"] == ("mar\\xe7o" if is_named else "extra\\xe7\\xe3o")
    assert "leia-" in done.err
    assert [batch["name"] for batch in warehouse.json("batches")] == [done.document["name"]]
    assert warehouse.rows("SELECT name FROM quality.batch") == [(done.document["name"],)]


# --- files that cannot be read ---------------------------------------------------------------------------------------

UNREADABLE: dict[str, tuple[dict[str, Callable[[bytes], bytes]], str, list[str]]] = {
    "cr-only": (
        {"orders": lambda content: content.replace(b"\n", b"\r")},
        "lines_end_in_lf",
        ["The file orders is unreadable: line 1 has a line end of CR alone, and lines must end in LF or CR LF"],
    ),
    "crcrlf": (
        every(lambda content: content.replace(b"\n", b"\r\r\n")),
        "lines_end_in_lf",
        [f"The file {file} is unreadable: line 1 has a line end of CR CR LF" for file in FILES],
    ),
    "semicolon": (
        every(lambda content: content.replace(b",", b";")),
        "columns_present",
        [f"The file {file} is unreadable: the header is separated by semicolons, not by commas" for file in FILES],
    ),
    "tabs": (
        {"sellers": lambda content: content.replace(b",", b"\t")},
        "columns_present",
        ["The file sellers is unreadable: the header is separated by tabs, not by commas"],
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_read_is_rejected_with_the_reason(
    warehouse: Warehouse, clean: Path, tmp_path: Path, case: str
) -> None:
    changes, rule, reasons = UNREADABLE[case]
    folder = copied(clean, tmp_path / "given", **changes)

    planned = warehouse.run("ingest", folder, "--dry-run", "--json")
    told = rejected(warehouse.run("ingest", folder, "--json"), *reasons)

    assert (planned.code, planned.document["reasons"]) == (1, told["reasons"])
    assert len(told["reasons"]) == len(reasons)
    assert failed(warehouse, told) == {rule: len(reasons)}
    assert set(warehouse.events()) == {"quality"}


# --- files of which nothing can be taken -----------------------------------------------------------------------------


def american(record: dict[str, str]) -> None:
    for name, cell in record.items():
        if name.startswith("order_") and cell[:2] == "20":
            at = datetime.fromisoformat(cell)
            record[name] = f"{at.month}/{at.day}/{at.year} {at.hour}:{at:%M}"


def test_excel_us_dates(warehouse: Warehouse, clean: Path, tmp_path: Path) -> None:
    folder = copied(clean, tmp_path / "given", orders=cells(american))

    told = rejected(warehouse.run("ingest", folder, "--json"))

    assert told["reasons"][-1] == (
        "Of the 60 records of the file orders none passes; the first, line 2: order_purchase_timestamp is "
        '"7/8/2017 9:42", not a real time YYYY-MM-DD hh:mm:ss.'
    )
    assert [reason.split(" none ")[0].rsplit(" ", 1)[1] for reason in told["reasons"]] == [
        "order_items",
        "order_payments",
        "order_reviews",
        "orders",
    ]
    assert told["score"] is None
    assert {counts["new"] for counts in told["files"].values()} == {0}
    assert told["files"]["orders"] == {"rows": 60, "new": 0, "changed": 0, "unchanged": 0, "quarantined": 60}
    assert set(warehouse.events()) == {"quality"}
    plain = warehouse.run("ingest", folder)
    assert plain.code == 1
    assert told["reasons"][-1] in plain.out
    assert "score" not in plain.out.lower()
    assert "is loaded" not in plain.out
    assert [batch["score"] for batch in warehouse.json("batches")] == [None, None]
    report = warehouse.run("quality", "report")
    assert "of 100" not in report.out
    assert "Rejected: Of the 60 records of the file orders none passes" in report.out


# --- what is loaded, and found ---------------------------------------------------------------------------------------


def test_null_words(warehouse: Warehouse, clean: Path, tmp_path: Path) -> None:
    def nothing_as_nan(record: dict[str, str]) -> None:
        for name, cell in record.items():
            record[name] = cell or "nan"

    folder = copied(
        clean, tmp_path / "given", **dict.fromkeys(("order_reviews", "orders", "products"), cells(nothing_as_nan))
    )
    oracle = expected(folder)

    told = warehouse.ingest(folder)

    assert warehouse.differs_from(oracle) == ""
    [(titles,)] = oracle.execute("SELECT count(*) FROM reading.order_reviews WHERE title = 'nan'").fetchall()
    [(comments,)] = oracle.execute("SELECT count(*) FROM reading.order_reviews WHERE comment = 'nan'").fetchall()
    assert min(titles, comments) > 10
    assert failed(warehouse, told)["texts_not_null_words"] == titles + comments

    plain = warehouse.run("ingest", copied(clean, tmp_path / "again", orders=cells(nothing_as_nan)))
    assert plain.code == 0
    assert "Set aside, and kept in quarantine:" in plain.out
    assert '\n  orders: 12 of 60; the first, on line 5: order_delivered_carrier_date is "nan", not a real' in plain.out
    assert "replayhouse quality quarantine" in plain.out


SEGMENTS = "SELECT customer_id, segment, segment_as_of FROM customer.dim_customer ORDER BY customer_id"
HISTORY = "SELECT * FROM customer.segment_history ORDER BY customer_id, seq"
DAYS = "SELECT max(date) FROM shared.dim_date"


def is_created(record: dict[str, str]) -> bool:
    return record["order_status"] == "created"


@pytest.mark.parametrize("is_first", [True, False])
def test_one_order_in_2107(warehouse: Warehouse, clean: Path, tmp_path: Path, is_first: bool) -> None:
    oracle = expected(clean)
    folder = copied(
        clean, tmp_path / "given", orders=set_first("order_purchase_timestamp", "2107-05-31 11:37:00", is_created)
    )
    if not is_first:
        warehouse.begin(clean)
    told = warehouse.ingest(folder)

    found = failed(warehouse, told)
    assert (found["placed_before_load"], found["times_near_load"]) == (1, 1)
    assert warehouse.rows("SELECT count(*) FROM sales.fact_order WHERE placed_at >= '2107-01-01'") == [(1,)]
    assert warehouse.rows(DAYS) == oracle.execute(DAYS).fetchall()
    assert {row[1] for row in warehouse.rows(SEGMENTS)} == {row[1] for row in oracle.execute(SEGMENTS).fetchall()}
    assert len(warehouse.rows(HISTORY)) == len(oracle.execute(HISTORY).fetchall())
    assert warehouse.differs_from(expected(folder)) == ""
    live = warehouse.digests()
    assert {context: warehouse.rebuilt_digests()[context] for context in live} == live


def test_year_9999(warehouse: Warehouse, clean: Path, tmp_path: Path) -> None:
    folder = copied(
        clean, tmp_path / "given", orders=set_first("order_estimated_delivery_date", "9999-12-31 00:00:00", bool)
    )
    told = warehouse.ingest(folder)

    assert failed(warehouse, told)["times_near_load"] == 1
    assert warehouse.rows(DAYS) == expected(clean).execute(DAYS).fetchall()
    assert warehouse.differs_from(expected(folder)) == ""
    warehouse.json("rebuild", "sales", "--into", "beside")
    assert warehouse.rows("SELECT max(date) FROM beside_shared.dim_date") == [(date(2019, 12, 31),)]


@pytest.mark.parametrize("days", [1, 2])
def test_an_order_of_tomorrow_counts_and_one_of_the_day_after_does_not(
    warehouse: Warehouse, clean: Path, tmp_path: Path, days: int
) -> None:
    placed = datetime.now(UTC).date() + timedelta(days=days)
    folder = copied(
        clean, tmp_path / "given", orders=set_first("order_purchase_timestamp", f"{placed} 00:00:00", is_created)
    )
    told = warehouse.ingest(folder)
    assert failed(warehouse, told).get("placed_before_load", 0) == days - 1
    [(newest,)] = warehouse.rows("SELECT as_of FROM event_store.batch")
    assert (newest == placed) is (days == 1)


def test_the_calendar_goes_by_the_newest_load_that_counts_live_planned_rebuilt_and_as_it_was(
    warehouse: Warehouse, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str, opened: str, **files: Callable[[bytes], bytes]) -> Any:
        monkeypatch.setattr(loading, "time_of", lambda _: datetime.fromisoformat(f"{opened}+00:00"))
        return warehouse.ingest(copied(clean, tmp_path / name, **files))

    promised = set_first("order_estimated_delivery_date", "2023-06-01 00:00:00", bool)
    first = load("first", "2021-05-31 23:59:59", orders=promised)
    assert warehouse.rows(DAYS) == [(date(2019, 12, 31),)]
    second = load("second", "2021-06-01", orders=promised, sellers=set_first("seller_state", "XX", bool))
    assert warehouse.rows(DAYS) == [(date(2024, 12, 31),)]

    warehouse.json("rebuild", "sales")
    assert warehouse.rows(DAYS) == [(date(2024, 12, 31),)]
    warehouse.json("rebuild", "sales", "--into", "beside", "--to-position", str(first["position"]))
    assert warehouse.rows("SELECT max(date) FROM beside_shared.dim_date") == [(date(2019, 12, 31),)]

    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:  # as of what came by Kafka
        assert bound_of_models(conn, {"quality": Model(PROJECTIONS["quality"], "quality")}) == bound_of_log(conn)

    planned = warehouse.json("retract", second["batch"], "--reason", "why not", "--dry-run")
    changes = planned["tables"]["shared.dim_date"]
    assert (changes["added"], changes["removed"]) == (0, 5 * 365 + 2)
    warehouse.json("retract", second["batch"], "--reason", "why not")
    assert warehouse.rows(DAYS) == [(date(2019, 12, 31),)]


# --- files that change, and files again ------------------------------------------------------------------------------


def test_the_same_files_after_others_are_loaded_again_and_that_is_said(
    warehouse: Warehouse, clean: Path, tmp_path: Path
) -> None:
    told = warehouse.begin(clean)
    price = set_first("price", "1.00", bool)
    warehouse.ingest(copied(clean, tmp_path / "corrected", order_items=price))
    said = f"These very files were loaded before, as clean ({told['batch']}), and corrected after that. "

    planned = warehouse.run("ingest", clean, "--dry-run")
    again = warehouse.run("ingest", clean)

    assert (planned.code, again.code) == (0, 0)
    assert said in planned.out
    assert said in again.out
    assert warehouse.rows("SELECT count(*) FROM sales.fact_order_item WHERE price = 1.00") == [(0,)]
    assert "Nothing is new, so no event was appended" in warehouse.run("ingest", clean).out


def some_names(folder: Path) -> Iterator[str]:
    for name in ("orders.csv.gz", "sellers (1).csv", ".DS_Store"):
        (folder / name).write_text("x")
        yield name


def test_files_that_are_passed_over_are_named(warehouse: Warehouse, clean: Path, tmp_path: Path) -> None:
    folder = copied(clean, tmp_path / "given")
    assert len(list(some_names(folder))) == 3
    (folder / FILES["sellers"]).unlink()
    done = warehouse.run("ingest", folder, "--json")
    assert "The file sellers is missing" in rejected(done)["reasons"][0]
    assert "Passed over, for none of the nine files is called so: orders.csv.gz, sellers (1).csv." in done.err
