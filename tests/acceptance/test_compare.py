"""`audit compare`: every difference is counted, and told by key and column, whatever the two sides are."""

import csv
import os
import signal
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from replayhouse.domain.sales.events import PaymentAmended
from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild import self_check
from replayhouse.infra.read_models.snapshots import side_by_side
from tests.support.in_process import Warehouse, refused
from tests.support.read_side import MONDAY, Log, a_header, a_line, a_payment, an_id
from tests.support.small_steps import KILL_AFTER

APPROVED = observe(NEW_ORDER, an_id(9), a_header("approved"), [a_line(1), a_line(2)], [a_payment(amount="25.00")])
LEFT = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^unfinished'"
TEMPORARY = "SELECT count(*) FROM read_model.prefix WHERE made_at IS NULL"


class Story:
    """Orders 1 and 2 placed; then 2 delivered and paid more, and 3 placed. `positions` are those of the two steps."""

    def __init__(self, database: Database, home: Path) -> None:
        self.warehouse = Warehouse(database, home)
        with database.connect(autocommit=True) as conn:
            log = Log(conn)
            first = log.append_all("sales", {an_id(1): APPROVED, an_id(2): APPROVED})
            catch_up(database)
            self.warehouse.json("rebuild", "sales", "--into", "then")
            known = order_of(APPROVED)
            delivered = [
                *observe(known, None, a_header("delivered")),
                PaymentAmended(MONDAY, 1, "boleto", 2, Decimal("30.00")),
            ]
            second = log.append_all("sales", {an_id(2): delivered, an_id(3): APPROVED})
            catch_up(database)
        self.positions = first, second

    def compared(self, a: object, b: object, *arguments: str) -> Any:
        told = self.warehouse.json("audit", "compare", str(a), str(b), *arguments)
        assert set(told) == {"a", "b", "equal", "tables", "tables_of_one_side", "seconds"}
        assert (told["a"], told["b"]) == (str(a), str(b))
        return told


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path / "home")


@pytest.fixture(params=[None, 0], ids=["one connection", "two connections"])
def lanes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables so small are compared by one connection; here by two as well."""
    monkeypatch.setenv("REPLAYHOUSE_WORKERS", "2")
    if request.param is not None:
        monkeypatch.setattr(side_by_side, "WORTH_A_CONNECTION", request.param)


@pytest.mark.usefixtures("lanes")
def test_rows_are_told_as_added_removed_or_changed_column_by_column(story: Story) -> None:
    told = story.compared("then", "live")
    assert not told["equal"]
    assert list(told["tables"]) == ["sales.fact_order", "sales.fact_order_item", "sales.fact_payment"]
    orders = told["tables"]["sales.fact_order"]
    assert (orders["added"], orders["removed"], orders["changed"]) == (1, 0, 1)
    changed, added = orders["rows"]
    assert (changed["kind"], changed["key"]) == ("changed", {"order_id": str(an_id(2))})
    assert changed["columns"] == {
        "status": {"old": "approved", "new": "delivered"},
        "shipped_at": {"old": None, "new": "2018-01-09T10:30:00"},
        "completed_at": {"old": None, "new": "2018-01-12T14:30:00"},
        "paid": {"old": 25.0, "new": 30.0},
        "max_installments": {"old": 1, "new": 2},
    }
    assert orders["columns"] == dict.fromkeys(changed["columns"], 1)
    assert (added["kind"], added["key"]["order_id"]) == ("added", str(an_id(3)))
    assert added["columns"]["status"] == {"old": None, "new": "approved"}
    items = told["tables"]["sales.fact_order_item"]
    assert [row["key"] for row in items["rows"]] == [
        {"order_id": str(an_id(n)), "item_no": item} for n in (2, 3) for item in (1, 2)
    ]

    back = story.compared("live", "then")["tables"]["sales.fact_order"]
    assert (back["added"], back["removed"], back["changed"]) == (0, 1, 1)
    assert back["rows"][0]["columns"]["status"] == {"old": "delivered", "new": "approved"}


def test_all_kinds_of_sides_tell_the_same(story: Story) -> None:
    first, second = story.positions
    [(at,)] = story.warehouse.rows(
        "SELECT max(recorded_at)::text FROM event_store.commit WHERE last_position = %s", first
    )
    assert datetime.fromisoformat(at).tzinfo is not None
    wanted = story.compared("then", "live")["tables"]
    for side in (first, at):
        told = story.compared(side, "live")["tables"]
        assert {name: told[name] for name in wanted} == wanted
    assert story.compared(first, second)["tables"]["sales.fact_payment"] == wanted["sales.fact_payment"]
    assert story.compared(second, "live")["equal"]
    assert story.compared("r1", "live")["equal"]
    assert list(story.compared("sales:r1", second)["tables"]) == list(wanted)
    assert story.warehouse.rows(LEFT) == []
    assert story.warehouse.rows(TEMPORARY) == [(0,)]


def test_at_the_position_that_is_live_the_log_is_folded_and_tells_what_was_changed_by_hand(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_check, "SAMPLE", 0)
    with story.warehouse.database.connect(autocommit=True) as conn:
        conn.execute("UPDATE sales.fact_order SET paid = 1 WHERE order_id = %s", [an_id(1)])
    told = story.compared(story.positions[1], "live")["tables"]["sales.fact_order"]
    assert told["columns"] == {"paid": 1}


def test_the_position_is_compared_only_if_wanted(story: Story) -> None:
    story.warehouse.json("rebuild", "sales", "--into", "now")
    with story.warehouse.database.connect(autocommit=True) as conn:
        conn.execute("UPDATE now_sales.fact_order SET position = position + 1 WHERE order_id = %s", [an_id(1)])
    assert story.compared("now", "live")["equal"]
    told = story.compared("now", "live", "--with-position")["tables"]["sales.fact_order"]
    assert told["columns"] == {"position": 1}


@pytest.mark.usefixtures("lanes")
def test_a_table_a_limit_and_a_file_of_everything(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "differences.csv"
    told = story.compared("then", "live", "--table", "fact_order_item", "--table", "sales.fact_payment", "--limit", "1")
    assert [(len(one["rows"]), one["added"], one["changed"]) for one in told["tables"].values()] == [
        (1, 2, 2),
        (1, 1, 1),
    ]

    none = story.compared("then", "live", "--limit", "0", "--csv", str(file))
    assert all(not one["rows"] for one in none["tables"].values())
    header, *lines = csv.reader(file.open(encoding="utf-8", newline=""))
    assert header == ["table", "kind", "key", "column", "old", "new"]
    for name, one in none["tables"].items():
        of_table = [line for line in lines if line[0] == name]
        assert len([line for line in of_table if line[1] == "added"]) == one["added"]
        assert len([line for line in of_table if line[1] == "changed"]) == sum(one["columns"].values())
    assert ["sales.fact_order", "changed", str(an_id(2)), "completed_at", "", "2018-01-12 14:30:00"] in lines
    assert ["sales.fact_payment", "changed", f"{an_id(2)}/1", "amount", "25.00", "30.00"] in lines
    assert ["sales.fact_order", "added", str(an_id(3)), "", "", ""] in lines
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("lanes")
def test_texts_with_anything_in_them_and_columns_of_one_side(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "differences.csv"
    odd = '=a "b",\r\n;\\N\t'
    with story.warehouse.database.connect(autocommit=True) as conn:
        conn.execute("UPDATE then_sales.fact_payment SET method = %s WHERE order_id = %s", [odd, an_id(1)])
        conn.execute("ALTER TABLE then_sales.fact_payment ADD COLUMN older text")
        conn.execute("ALTER TABLE then_sales.fact_order DROP COLUMN is_paid CASCADE")
        conn.execute("DROP TABLE then_sales.fact_order_item CASCADE")
    told = story.compared("then", "live", "--csv", str(file))
    assert told["tables_of_one_side"] == ["sales.fact_order_item"]
    assert told["tables"]["sales.fact_payment"]["columns_of_one_side"] == ["older"]
    assert told["tables"]["sales.fact_order"]["columns_of_one_side"] == ["is_paid"]
    assert told["tables"]["sales.fact_payment"]["rows"][0]["columns"] == {"method": {"old": odd, "new": "boleto"}}
    lines = list(csv.reader(file.open(encoding="utf-8", newline="")))
    assert ["sales.fact_payment", "changed", f"{an_id(1)}/1", "method", f"'{odd}", "boleto"] in lines


def test_what_people_read_has_a_block_for_each_row(story: Story) -> None:
    done = story.warehouse.run("audit", "compare", "then", "live", "--table", "fact_payment")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[1].split() == ["sales.fact_payment", "1", "0", "1"]
    assert lines[3:5] == ["sales.fact_payment: 2 rows differ", "  changed: installments 1, amount 1"]
    block = lines.index(f"  changed  order_id {an_id(2)}  payment_no 1")
    assert lines[block + 1 : block + 4] == ["    installments  1 -> 2", "    amount        25.00 -> 30.00", ""]
    assert "live and live are equal." in story.warehouse.run("audit", "compare", "live", "live").out


def test_what_does_not_exist_is_told_with_what_does(story: Story, tmp_path: Path) -> None:
    def told(*arguments: str) -> Any:
        return story.warehouse.run("audit", "compare", *arguments, "--json")

    second = story.positions[1]
    refused(told("them", "live"), 2, "them", "live, r1, then", f"{second:,}")
    refused(told("live", "r7"), 2, "r7", "r1")
    refused(told("live", str(second + 1)), 2, f"head is {second:,}")
    refused(told("live", "2026-03-01T12:00"), 2, "offset")
    refused(told("live", "then", "--table", "dim_customer"), 2, "dim_customer", "sales.fact_order_item")
    refused(told("then", "quality:r1"), 2, "no context in common")
    refused(told("live", "then", "--csv", str(tmp_path / "no" / "folder.csv")), 2, "folder.csv")


def test_killed_it_leaves_nothing_that_the_next_command_does_not_remove(story: Story) -> None:
    first, second = story.positions
    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.small_steps", "audit", "compare", str(first), str(second)],
        env={
            **os.environ,
            "REPLAYHOUSE_DATABASE_URL": story.warehouse.database.url,
            KILL_AFTER: "replayhouse.infra.read_models.snapshots.time_travel:load_all:2",
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert story.warehouse.rows(TEMPORARY) == [(2,)]
    assert not story.compared(first, second)["equal"]
    assert story.warehouse.rows(TEMPORARY) == [(0,)]
    assert story.warehouse.rows(LEFT) == []
