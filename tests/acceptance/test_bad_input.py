"""What becomes of bad input: it is refused, rejected, or kept apart row by row; never loaded as something it is not.

The commands run within this process, on a database of each test's own; what only a process of its own can show (exit
code, one JSON document, no traceback) is shown once for each kind of answer.
"""

import os
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

import pytest

from replayhouse.infra.postgres import connection as connecting
from replayhouse.infra.postgres.connection import Database, make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.settings import Settings
from tests.oracle.expected import FILES, expected
from tests.oracle.lines import HEADERS, an_item
from tests.support.cli import Program
from tests.support.extracts import a_good_extract, changed, instead, write, zipped
from tests.support.in_process import READ_MODELS, Warehouse, refused, rejected


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


# --- nothing that could be loaded: exit code 2 -----------------------------------------------------------------------


def a_missing_path(folder: Path) -> Path:
    return folder / "nowhere"


def an_empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def an_empty_zip(folder: Path) -> Path:
    return zipped(an_empty_folder(folder), folder / "empty.zip")


def no_zip(folder: Path) -> Path:
    path = folder / "orders.zip"
    path.write_text("order_id,customer_id\n")
    return path


def a_zip_cut_off(folder: Path) -> Path:
    path = zipped(write(folder / "whole", a_good_extract()), folder / "whole.zip")
    path.write_bytes(path.read_bytes()[:-40])
    return path


def other_files(folder: Path) -> Path:
    (folder / "other").mkdir()
    (folder / "other" / "orders.xlsx").write_text("a spreadsheet")
    return folder / "other"


def a_zip_of_other_files(folder: Path) -> Path:
    return zipped(other_files(folder), folder / "other.zip")


def a_zip_bomb(folder: Path) -> Path:
    rows = [an_item(1, 1)] * 200_000
    return zipped(write(folder / "bomb", {"order_items": rows}), folder / "bomb.zip", zipfile.ZIP_DEFLATED)


def a_zip_that_leads_out(name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "out.zip", "w") as archive:
            archive.writestr(FILES["orders"], HEADERS["orders"] + "\n")
            archive.writestr(name, HEADERS["customers"] + "\n")
        return folder / "out.zip"

    return build


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (a_missing_path, ["nowhere does not exist", *FILES.values()]),
        (an_empty_folder, ["empty is empty", *FILES.values()]),
        (an_empty_zip, ["empty.zip is empty", *FILES.values()]),
        (no_zip, ["orders.zip is neither a folder nor a zip", *FILES.values()]),
        (a_zip_cut_off, ["whole.zip is neither a folder nor a zip", *FILES.values()]),
        (other_files, ["none of the nine files, but orders.xlsx", *FILES.values()]),
        (a_zip_of_other_files, ["none of the nine files, but orders.xlsx", *FILES.values()]),
        (a_zip_bomb, ["bomb.zip would unpack to", "more than 20 times"]),
        (a_zip_that_leads_out(f"../{FILES['customers']}"), ["leads out of it"]),
        (a_zip_that_leads_out(f"/tmp/{FILES['customers']}"), ["leads out of it"]),
        (a_zip_that_leads_out(f"..\\{FILES['customers']}"), ["leads out of it"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_no_extract_is_refused_and_leaves_no_trace(
    warehouse: Warehouse, tmp_path: Path, given: Callable[[Path], Path], words: list[str]
) -> None:
    path = given(tmp_path)
    before = sorted(tmp_path.rglob("*.csv"))

    refused(warehouse.run("ingest", path, "--json"), 2, *words)
    refused(warehouse.run("ingest", path, "--dry-run", "--json"), 2, *words)

    assert warehouse.run("ingest", path).out == ""
    assert warehouse.json("batches") == []
    assert warehouse.events() == {}
    assert sorted(tmp_path.rglob("*.csv")) == before


def test_a_zip_over_the_limit_of_the_settings_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    path = zipped(write(tmp_path / "given", a_good_extract()), tmp_path / "given.zip")
    refused(warehouse.run("ingest", path, "--json", REPLAYHOUSE_ZIP_MAX_BYTES="1000"), 2, "bytes; the limit is 1,000")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("REPLAYHOUSE_WORKERS", "0"),
        ("REPLAYHOUSE_WORKERS", "many"),
        ("REPLAYHOUSE_ZIP_MAX_BYTES", "-1"),
        ("REPLAYHOUSE_ZIP_MAX_RATIO", "1"),
        ("REPLAYHOUSE_DATABASE_URL", "my secret database"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(warehouse: Warehouse, setting: str, value: str) -> None:
    done = warehouse.run("status", "--json", **{setting: value})
    refused(done, 2, setting)
    assert "secret" not in done.out + done.err


def test_a_home_that_is_a_file_is_a_setting_that_makes_no_sense(warehouse: Warehouse, tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("no folder")
    done = warehouse.run("status", "--json", REPLAYHOUSE_HOME=str(home), REPLAYHOUSE_DATABASE_URL="")
    refused(done, 2, "REPLAYHOUSE_HOME", str(home))
    extract = write(tmp_path / "given", a_good_extract())
    refused(warehouse.run("ingest", extract, "--json", REPLAYHOUSE_HOME=str(home)), 2, str(home))


def test_a_command_without_what_it_needs_says_so(warehouse: Warehouse) -> None:
    refused(warehouse.run("ingest", "--json"), 2, "PATH")


# --- the database: exit codes 3 and 2 --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["nobody:secret@127.0.0.1:1/nowhere", "nobody:secret@/nowhere?host=/nonexistent"])
def test_a_database_that_does_not_answer_is_unreachable(warehouse: Warehouse, tmp_path: Path, place: str) -> None:
    path = write(tmp_path / "given", a_good_extract())
    done = warehouse.run("ingest", path, "--json", REPLAYHOUSE_DATABASE_URL=f"postgresql://{place}")
    refused(done, 3, "nowhere", "cannot be reached")
    assert "secret" not in done.out + done.err


def test_a_wrong_password_is_refused_without_repeating_it(warehouse: Warehouse, tmp_path: Path) -> None:
    home = tmp_path / "guarded"
    guarded = EmbeddedServer(home)
    try:
        make_database(Settings(home=home, database_url=None))
        with closing(socket(AF_INET, SOCK_STREAM)) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        guarded.listen(port)
        url = f"postgresql://replayhouse_bi:guessed@127.0.0.1:{port}/replayhouse"
        done = warehouse.run("status", "--json", REPLAYHOUSE_DATABASE_URL=url)
        refused(done, 3, "cannot be reached", "password")
        assert "guessed" not in done.out + done.err
    finally:
        guarded.stop()


def test_a_server_or_a_schema_of_another_version_is_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(connecting, "OLDEST_SERVER", 99)
        refused(warehouse.run("status", "--json"), 2, "99 or newer")
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("INSERT INTO event_store.schema_version (version, name) VALUES (9999, 'from the future')")
    refused(warehouse.run("status", "--json"), 2, "9999")


# --- an extract that is not believable as a whole: rejected, exit code 1 ---------------------------------------------


def in_header(old: str, new: str) -> Callable[[bytes], bytes]:
    def harm(content: bytes) -> bytes:
        header, rest = content.split(b"\n", 1)
        assert old.encode() in header
        return header.replace(old.encode(), new.encode()) + b"\n" + rest

    return harm


def in_text(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def harm(content: bytes) -> bytes:
        assert content.count(old) == 1
        return content.replace(old, new)

    return harm


def byte_of(text: bytes) -> Callable[[bytes], str]:
    """Where a text stands in the harmed file, as a reason names it."""
    return lambda content: f"(byte {content.index(text)})"


UNREADABLE: dict[str, tuple[str, Callable[[bytes], bytes], list[str | Callable[[bytes], str]]]] = {
    "a column is missing": ("orders", in_header("order_status,", ""), ["orders", "column order_status"]),
    "the header is spelt in another way": (
        *("products", in_header("name_lenght", "name_len")),
        ["products", "the column product_name_lenght", "product_name_len"],
    ),
    "semicolons": (
        *("customers", lambda content: content.replace(b",", b";")),
        ["customers", "separated by semicolons, not by commas"],
    ),
    "lines of an old Macintosh": (
        *("order_reviews", lambda content: content.replace(b"\r\n", b" ").replace(b"\n", b"\r")),
        ["order_reviews", "line 1", "CR alone", "LF or CR LF"],
    ),
    "a column stands twice": (
        *("sellers", in_header("seller_city", "seller_state")),
        ["sellers", "'seller_state' twice"],
    ),
    "no bytes": ("order_items", lambda _: b"", ["order_items", "empty"]),
    "cut off within a record": (
        *("order_payments", lambda content: content[:-20]),
        ["order_payments", "line 6", "cut off"],
    ),
    "cut off within a quoted cell": (
        *("order_reviews", lambda content: content[: content.index(b"obrigado")]),
        ["order_reviews", "line 2", "never closed"],
    ),
    "an unclosed quote": (
        *("order_reviews", in_text(b"atrasou", b'"atrasou')),
        ["order_reviews", "line 4", "never closed", byte_of(b'"atrasou')],
    ),
    "a quote within a cell": (
        *("order_reviews", in_text(b"atrasou", b'atra"sou"')),
        ["order_reviews", "line 4", "quote inside an unquoted cell", byte_of(b'"sou')],
    ),
    "text after a closing quote": (
        *("order_reviews", in_text(b"atrasou", b'"atra"sou')),
        ["order_reviews", "line 4", "text after a closing quote", byte_of(b'"sou')],
    ),
    "one cell in Latin-1": (
        *("customers", in_text("são paulo".encode(), "são paulo".encode("latin-1"))),
        ["customers", "line 2", "0xe3", byte_of(b"\xe3o")],
    ),
    "all of it in Latin-1": (
        *("sellers", lambda content: content.decode().encode("latin-1")),
        ["sellers", "line 2", "0xe3", byte_of(b"\xe3o")],
    ),
    "UTF-16": ("categories", lambda content: content.decode().encode("utf-16"), ["categories", "line 1", "(byte 0)"]),
    "a text that no event can hold": (
        *("order_reviews", in_text(b"atrasou", b"a" * 2_000_000)),
        ["order_reviews", "line 4", "a record of more than 131,072 bytes"],
    ),
    "a bad record that no event can hold": (
        *("sellers", lambda content: content + b"x" * 131_073 + b"\n"),
        ["sellers", "line 4", "a record of more than 131,072 bytes"],
    ),
    "an order that no event can hold": (
        *("order_items", lambda content: content + "".join(f"{an_item(3, n)}\n" for n in range(2, 2_002)).encode()),
        ["order_items", "line 5", "2,001 records of one order", "2,000"],
    ),
    "a NUL": ("geolocation", in_text(b"20000", b"20\x0000"), ["geolocation", "line 5", "NUL", byte_of(b"\0")]),
}


@pytest.mark.parametrize("harm", UNREADABLE)
def test_an_unreadable_file_rejects_the_extract_and_is_named_with_its_line(
    warehouse: Warehouse, tmp_path: Path, harm: str
) -> None:
    file, harmed, words = UNREADABLE[harm]
    folder = write(tmp_path / "given", a_good_extract())
    content = harmed((folder / FILES[file]).read_bytes())
    (folder / FILES[file]).write_bytes(content)

    told = rejected(
        warehouse.run("ingest", folder, "--json"), *(word if isinstance(word, str) else word(content) for word in words)
    )

    assert len(told["reasons"]) == 1
    assert set(warehouse.events()) == {"quality"}
    assert told["events"] == {**dict.fromkeys(READ_MODELS, 0), "quality": 3}
    assert warehouse.rows("SELECT batch_id::text, status, rows, events FROM quality.batch") == [
        (told["batch"], "rejected", told["files"]["orders"]["rows"], 0)
    ]


def test_a_rejected_extract_can_be_repaired_and_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = write(tmp_path / "given", a_good_extract())
    path = folder / FILES["orders"]
    good = path.read_bytes()
    path.write_bytes(good[:-60])
    for attempt in range(2):  # the same again is rejected again
        done = warehouse.run("ingest", folder)
        assert done.code == 1
        assert "was rejected" in done.out
        assert "The file orders is unreadable" in done.out
        assert len(warehouse.json("batches")) == attempt + 1
    dry = warehouse.run("ingest", folder, "--dry-run", "--json")
    assert (dry.code, dry.document["status"], len(dry.document["reasons"])) == (1, "planned", 1)

    path.write_bytes(good)
    warehouse.ingest(folder)

    assert [batch["status"] for batch in warehouse.json("batches")] == ["rejected", "rejected", "completed"]
    assert warehouse.differs_from(expected(folder)) == ""


REQUIRED = ["customers", "order_items", "order_payments", "order_reviews", "orders", "products", "sellers"]


def test_a_file_that_is_required_and_missing_rejects_the_first_extract_but_no_later_one(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    lines = a_good_extract()
    for file in REQUIRED:
        some = {other: lines[other] for other in lines if other != file}
        rejected(warehouse.run("ingest", write(tmp_path / f"no {file}", some), "--json"), f"The file {file} is missing")
    assert set(warehouse.events()) == {"quality"}

    required = write(tmp_path / "required", {file: lines[file] for file in REQUIRED})
    told = warehouse.ingest(required)
    assert told["files"]["geolocation"] == told["files"]["categories"]
    assert told["files"]["categories"] == {"rows": 0, "new": 0, "changed": 0, "unchanged": 0, "quarantined": 0}
    assert warehouse.differs_from(expected(required)) == ""

    rest = {file: lines[file] for file in ("geolocation", "categories")}
    told = warehouse.ingest(write(tmp_path / "rest", rest))
    assert told["files"]["orders"]["rows"] == 0
    assert warehouse.differs_from(expected(write(tmp_path / "all", lines))) == ""


# --- the installed program -------------------------------------------------------------------------------------------


def test_the_installed_program_answers_each_kind_of_failure_with_its_code_and_one_document(
    database: Database, tmp_path: Path
) -> None:
    program = Program(tmp_path / "home", REPLAYHOUSE_DATABASE_URL=database.url)
    nowhere = Program(tmp_path / "home", REPLAYHOUSE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere")
    lines = a_good_extract()
    harmed = write(tmp_path / "harmed", changed(lines, order_reviews=instead(1, 'x,"never closed')))

    rejected(program.run("ingest", harmed, "--json"), "order_reviews", "line 4")
    refused(program.run("ingest", tmp_path / "missing", "--json"), 2, "does not exist")
    refused(nowhere.run("ingest", harmed, "--json"), 3, "cannot be reached")
    with database.connect() as conn:
        conn.execute(
            "INSERT INTO event_store.batch (batch_id, name, status, opened_at, files, attempt, units)"
            " VALUES (gen_random_uuid(), 'under way', 'open', now(), '{}', 0, '{0}')"
        )
    refused(program.run("ingest", write(tmp_path / "good", lines), "--json"), 4, "under way", "is open")
    for done in (program.run("ingest", harmed / FILES["orders"]), nowhere.run("ingest", harmed)):
        assert done.out == ""
        assert done.err.strip().endswith(".")
        assert "Traceback" not in done.err
    assert os.listdir(tmp_path / "home" / "staging") == []
