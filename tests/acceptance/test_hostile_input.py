"""Names, headers, cells, ids and arguments that would steer a terminal: every command tells of them, none raw."""

import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.csv_cells import harmless
from tests.oracle.expected import FILES
from tests.oracle.lines import HEADERS, a_customer, a_payment, an_id
from tests.support.extracts import a_good_extract, a_review, adding, changed, write, zipped
from tests.support.hostile import HOSTILE, raw
from tests.support.in_process import Warehouse

STORABLE = HOSTILE.replace("\udc80", "")
"""What PostgreSQL takes."""
CELL = STORABLE.replace("\r\n", " ")


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def test_every_command_tells_of_hostile_texts_and_none_of_them_reaches_the_terminal(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    lines = changed(
        a_good_extract(),
        customers=adding(a_customer(106, 905, "01001", CELL)),
        order_payments=adding(a_payment(1, 2, CELL), a_payment(1, 3, f"={CELL}")),
        order_reviews=adding(a_review(803, 3, 5, comment=CELL)),
    )
    folder = write(tmp_path / STORABLE, lines)
    orders = folder / FILES["orders"]
    orders.write_text("".join(f"{text},{CELL}\n" for text in (HEADERS["orders"], *lines["orders"])))
    (folder / f"{STORABLE}.csv").write_text("nothing\n")
    first = warehouse.run("ingest", folder, "--name", STORABLE)
    assert first.code == 0, first.out + first.err
    [batch] = {row["batch"] for row in warehouse.json("batches")}
    rows = warehouse.json("quality", "quarantine")
    assert [row["text"] for row in rows if CELL in row["text"]] != []
    archive = zipped(folder, tmp_path / f"{STORABLE}.zip")
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr(f"../{STORABLE}", "")
    broken = tmp_path / f"{STORABLE}.broken"
    broken.write_text(STORABLE)
    release = ("quality", "release", rows[0]["row"])

    told = []
    for arguments, code in [
        (("ingest", folder), 0),
        (("ingest", archive), 2),
        (("ingest", broken), 2),
        (("ingest", tmp_path / f"{HOSTILE}.nowhere"), 2),
        (("batches",), 0),
        (("status",), 0),
        (("quality", "report"), 0),
        (("quality", "quarantine"), 0),
        (("quality", "quarantine", "--batch", HOSTILE), 2),
        (("quality", "quarantine", "--rule", HOSTILE), 2),
        ((*release, "--text", HOSTILE), 1),
        (("quality", "release", HOSTILE), 2),
        (("retract", HOSTILE, "--reason", HOSTILE), 2),
        (("retract", str(uuid4()), "--reason", HOSTILE), 2),
        (("retract", batch, "--reason", STORABLE, "--dry-run"), 0),
        (("audit", "history", "order", an_id(1)), 0),
        (("audit", "history", "customer", an_id(905)), 0),
        (("audit", "history", "batch", batch), 0),
        (("audit", "history", HOSTILE, HOSTILE), 2),
        (("audit", "lineage", "sales.fact_payment", f"{an_id(1)},1"), 0),
        (("audit", "lineage", HOSTILE, HOSTILE), 2),
        (("audit", "compare", "1", "live"), 0),
        (("audit", "compare", HOSTILE, "live"), 2),
        (("audit", "check-proof", broken), 2),
        (("audit", "verify", "--checkpoint", broken), 2),
        (("customer", "erase", "--yes", HOSTILE, "--reason", "asked"), 2),
        (("db", "restore", broken), 2),
        (("revisions", "drop", HOSTILE), 2),
        (("rebuild", "--as-of", HOSTILE, "--into", "then"), 2),
        (("rebuild", "--to-position", "1", "--into", HOSTILE), 2),
        (("consume", HOSTILE), 2),
        (("publish", "--nonsense", HOSTILE), 2),
        ((HOSTILE,), 2),
    ]:
        for further in ((), ("--json",)):
            done = warehouse.run(*arguments, *further)
            assert "nobody expected" not in done.err, (arguments, done.err)
            assert done.code == code, (arguments, done)
            assert raw(done.out + done.err) == [], (arguments, done)
            if further:
                json.loads(done.out)
            told.append(done.out + done.err)
    proved = warehouse.run("audit", "prove", "1")
    warehouse.json("audit", "prove", "1", "--out", tmp_path / "proof")
    assert proved.out == (tmp_path / "proof").read_bytes().decode(), "a proof that is redirected has each of its bytes"
    everything = "".join(told)
    assert everything.count("\\x1b[31m") > 20
    assert everything.count("\\u001b[31m") > 20


def test_settings_and_what_a_database_says_are_told_legibly(warehouse: Warehouse) -> None:
    for command, name, value in (
        ("status", "REPLAYHOUSE_WORKERS", STORABLE),
        ("status", "REPLAYHOUSE_DATABASE_URL", f"postgresql://nobody@127.0.0.1:1/{STORABLE}"),
        ("status", "REPLAYHOUSE_DATABASE_URL", STORABLE),
        ("audit checkpoint file", "REPLAYHOUSE_SIGNING_KEY", STORABLE),
        ("kafka topics", "REPLAYHOUSE_KAFKA_BOOTSTRAP", STORABLE),
    ):
        done = warehouse.run(*command.split(), **{name: value})
        assert done.code in (2, 3), (name, done)
        assert raw(done.out + done.err) == [], (name, done)
        assert "nobody expected" not in done.err, (name, done)


def test_no_cell_of_an_export_is_a_formula_and_every_text_can_be_had_again(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    texts = [
        "=1+1",
        "+a",
        "-a",
        "@a",
        "\ta",
        "\ra",
        "\na",
        "'a",
        "'=a",
        "-",
        "-1.5\n=a",
        "a=1",
        "",
        "-1.5",
        "+2",
        "1e5",
    ]
    for text in texts:
        [(cell,)] = warehouse.rows(f"SELECT {harmless('%s::text')}", text)
        assert cell == (text if text in ("a=1", "", "-1.5", "+2", "1e5") else f"'{text}")
    assert warehouse.rows(f"SELECT {harmless('NULL::text')}") == [(None,)]

    formula = "=1+1,1,boleto,1,1.00"
    warehouse.ingest(write(tmp_path / "extract", changed(a_good_extract(), order_payments=adding(formula))))
    file = tmp_path / "rows.csv"
    assert warehouse.run("quality", "quarantine", "--csv", file).code == 0
    with file.open(newline="") as rows:
        [row] = csv.DictReader(rows)
    assert row["text"] == f"'{formula}"
    assert warehouse.run("quality", "quarantine", "--csv", file).code == 2
    assert warehouse.run("quality", "quarantine", "--csv", file, "--force").code == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_the_terminal_lacks_are_escaped_in_tables_and_lines(
    encoding: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    lines = changed(a_good_extract(), customers=adding(a_customer(106, 905, "01001", "北京 são paulo")))
    warehouse.ingest(write(tmp_path / "extract", lines))
    program = Path(sys.executable).with_name("replayhouse")
    settings = {"REPLAYHOUSE_DATABASE_URL": warehouse.database.url, "REPLAYHOUSE_HOME": str(tmp_path)}
    for arguments in (("audit", "history", "customer", an_id(905)), ("audit", "compare", "1", "live", "--json")):
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": encoding, **settings},
            check=False,
        )
        told = done.stdout.decode(encoding)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
        assert "\\u5317\\u4eac s" in told
        if "--json" in arguments:
            assert json.loads(told)["equal"] is False
        else:
            assert f"s{'ã' if encoding == 'cp1252' else chr(92) + 'xe3'}o paulo" in told
