"""The warehouse as it was: `rebuild` with limits, into schemas of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models import prefixes
from replayhouse.infra.read_models.rebuild import workers
from replayhouse.infra.read_models.rebuild.rebuild import LOCK
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.ingest.synthetic import generate
from tests.support.cli import CONTEXTS
from tests.support.in_process import Warehouse, refused
from tests.support.read_side import HOUR, MONDAY, Log, a_header, a_line, a_payment, an_id
from tests.support.small_steps import KILL_AFTER

LIVE_AND_TRACKING = """
    SELECT (SELECT array_agg(t ORDER BY t) FROM read_model.projection AS t),
        (SELECT array_agg(t ORDER BY t) FROM read_model.revision AS t), (SELECT max(date) FROM shared.dim_date)
"""
OURS = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^(unfinished|then|now|march)' ORDER BY 1"
SCHEMAS = (*CONTEXTS, "shared", "mart", "masked", "regional")
OF_SALES = ["then_mart", "then_masked", "then_regional", "then_sales", "then_shared"]


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


class Known(NamedTuple):
    """What a digest said after a load, and when, and up to where the log went."""

    at: str
    position: int
    digests: dict[str, dict[str, str]]


def now_known(warehouse: Warehouse) -> Known:
    digests = warehouse.digests(CONTEXTS)
    [(at, position)] = warehouse.rows(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ'), position"
        " FROM event_store.head"
    )
    return Known(at, position, digests)


def rebuilt(warehouse: Warehouse, *arguments: str) -> dict[str, dict[str, str]]:
    told = warehouse.json("rebuild", *arguments)
    assert set(told) == {"contexts", "seconds"}
    for of_context in told["contexts"].values():
        assert set(of_context) == {"revision", "position", "events", "seconds", "tables", "columns"}
    return {c: {t: d["digest"] for t, d in of["tables"].items()} for c, of in told["contexts"].items()}


def standing_digests(warehouse: Warehouse, prefix: str) -> dict[str, dict[str, str]]:
    """What stands there, read back."""
    from replayhouse.infra.read_models.digests import table_digests
    from replayhouse.infra.read_models.schema import model_of

    with warehouse.database.connect("replayhouse test") as conn:
        return {
            c: {name: digest.hex for name, digest in table_digests(conn, model_of(c, f"{prefix}_{c}")).items()}
            for c in CONTEXTS
        }


def test_as_of_a_time_is_what_a_digest_said_then_whatever_came_later(warehouse: Warehouse, tmp_path: Path) -> None:
    known = []
    for day in ("2017-08-31", "2018-02-28", "2018-10-17"):
        generate(tmp_path / day, 80, 5, until=datetime.fromisoformat(f"{day}T23:59:59"))
        warehouse.ingest(tmp_path / day)
        known.append(now_known(warehouse))
    loads = warehouse.json("batches")
    newest = max(loads, key=lambda load: str(load["opened_at"]))["batch"]
    warehouse.json("retract", newest, "--reason", "a test takes it back")
    known.append(now_known(warehouse))
    assert known[-1].digests["sales"] == known[-3].digests["sales"], "the last load is taken back"
    untouched = warehouse.rows(LIVE_AND_TRACKING)

    for then in known:
        assert rebuilt(warehouse, "--as-of", then.at, "--into", "then") == then.digests
    loaded = known[-2]
    assert rebuilt(warehouse, "--to-position", str(loaded.position), "--into", "then") == (loaded.digests)
    assert standing_digests(warehouse, "then") == loaded.digests
    assert rebuilt(warehouse, "--into", "now") == known[-1].digests
    earliest = ["--to-position", str(known[2].position), "--as-of", known[0].at]
    assert rebuilt(warehouse, *earliest, "--into", "then") == known[0].digests, "the lower one of two counts"

    assert warehouse.rows(LIVE_AND_TRACKING) == untouched
    assert warehouse.digests(CONTEXTS) == known[-1].digests
    assert [name for (name,) in warehouse.rows(OURS)] == sorted(f"{p}_{s}" for p in ("now", "then") for s in SCHEMAS)
    [(prefix, position)] = warehouse.rows("SELECT prefix, position FROM read_model.prefix WHERE prefix = 'then'")
    assert (prefix, position) == ("then", known[0].position)


def test_who_is_erased_is_erased_at_every_time(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "extract", 60, 5)
    position = warehouse.ingest(tmp_path / "extract")["position"]
    [(person,), (another,)] = warehouse.rows(
        "SELECT DISTINCT customer_id FROM customer.fact_review WHERE comment IS NOT NULL ORDER BY customer_id LIMIT 2"
    )
    limits = [["--to-position", str(position)], ["--occurred-before", "2018-10-17"]]
    for number, limit in enumerate(limits):
        warehouse.json("rebuild", *limit, "--into", f"then{number}")
    counts = [len(warehouse.table(f"then{n}_customer.fact_review", ["score"])) for n in range(2)]

    def personal(prefix: str) -> list[Any]:
        return warehouse.rows(
            f"SELECT zip_prefix, city, is_anonymized, (SELECT array_agg(concat(title, comment)) FROM"
            f" {prefix}_customer.fact_review AS r WHERE r.customer_id = c.customer_id),"
            f" (SELECT array_agg(DISTINCT destination_zip) FROM {prefix}_fulfillment.fact_delivery AS d"
            f" WHERE d.customer_id = c.customer_id)"
            f" FROM {prefix}_customer.dim_customer AS c WHERE customer_id = %s",
            person,
        )

    assert personal("then0")[0][2] is False
    warehouse.json("customer", "erase", "--yes", str(person), "--reason", "asked for it")

    for number, limit in enumerate(limits):
        [(zip_prefix, city, is_anonymized, words, zips)] = personal(f"then{number}")
        assert (zip_prefix, city, is_anonymized, zips) == ("unknown", "unknown", True, ["unknown"])
        assert not any(words)
        told = warehouse.rows("SELECT tables FROM read_model.prefix WHERE prefix = %s", f"then{number}")[0][0]
        of_tables = {c: {t: digest["digest"] for t, digest in of.items()} for c, of in told.items()}
        assert of_tables == standing_digests(warehouse, f"then{number}")
        assert rebuilt(warehouse, *limit, "--into", "now") == of_tables
        assert len(warehouse.table(f"then{number}_customer.fact_review", ["score"])) == counts[number]

    put_in_place = prefixes.put_in_place

    def erasing_first(*arguments: Any) -> None:
        warehouse.json("customer", "erase", "--yes", str(another), "--reason", "asked for it while March was folded")
        put_in_place(*arguments)

    monkeypatch.setattr(prefixes, "put_in_place", erasing_first)
    told = rebuilt(warehouse, *limits[1], "--into", "march")
    assert told == standing_digests(warehouse, "march")
    assert warehouse.rows(
        "SELECT city, is_anonymized FROM march_customer.dim_customer WHERE customer_id = %s", another
    ) == [("unknown", True)]


def test_bad_limits_and_prefixes_are_refused_in_plain_words(warehouse: Warehouse) -> None:
    warehouse.json("status")
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("CREATE SCHEMA mine_sales; CREATE SCHEMA other_shared")

    def told(*arguments: str) -> Any:
        return warehouse.run("rebuild", *arguments, "--json")

    refused(told("--to-position", "0"), 2, "--into")
    refused(told("--to-position", "1", "--into", "x"), 2, "head is 0")
    refused(told("--as-of", "2026-03-01T12:00", "--into", "x"), 2, "offset", "-03:00")
    refused(told("--as-of", "2026-03-01", "--into", "x"), 2, "offset")
    refused(told("--as-of", "0001-01-01T00:00+14:00", "--into", "x"), 2, "1 to 9999")
    refused(told("--as-of", "yesterday", "--into", "x"), 2, "2026-03-01T12:00-03:00")
    refused(told("--occurred-before", "2018-03-01T12:00Z", "--into", "x"), 2, "offset", "--as-of")
    refused(told("--occurred-before", "March", "--into", "x"), 2, "2018-03-31")
    for foreign in ("mine", "other"):
        refused(told("--into", foreign), 2, foreign, "schemas already")
    for taken in ("sales", "mart", "shared", "pg", "pg_me", "live", "r2", "sales_r2", "read_model", "mart_gone"):
        refused(told("--into", taken), 2, taken, "choose another")
    for malformed in ("Mine", "1st", "a-b", "_a", "a" * 41, "", "é"):
        refused(told("--into", malformed), 2, "no prefix")
    assert warehouse.rows(OURS) == []


def test_an_empty_log_and_one_context_can_be_looked_back_at(warehouse: Warehouse) -> None:
    told = warehouse.json("rebuild", "--as-of", "2020-01-01T00:00Z", "--occurred-before", "2018-01-01", "--into", "now")
    assert tuple(told["contexts"]) == CONTEXTS
    assert warehouse.rows("SELECT min(year), max(year) FROM now_shared.dim_date") == [(2016, 2017)]
    assert warehouse.rows("SELECT segment FROM now_customer.dim_customer") == [("unknown",)]

    assert tuple(warehouse.json("rebuild", "sales", "--into", "now")["contexts"]) == ("sales",)
    assert [name.replace("now", "then") for (name,) in warehouse.rows(OURS)] == OF_SALES


@pytest.fixture
def log(database: Database) -> Iterator[Log]:
    with database.connect(autocommit=True) as conn:
        yield Log(conn)


def orders(first: int, number: int) -> dict[Any, Any]:
    from replayhouse.domain.sales.order import NEW_ORDER, observe

    placed = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
    return {an_id((first + n) << 110): placed for n in range(number)}


def test_a_prefix_that_is_made_again_is_replaced_at_once(database: Database, log: Log) -> None:
    positions = [log.append_all("sales", orders(1, 20)), log.append_all("sales", orders(100, 10))]
    rebuild_into(database, "then", ["sales"], Limits(positions[0]))
    seen, stop, failed = set(), threading.Event(), []

    def read() -> None:
        try:
            with database.connect(autocommit=True) as reader:
                while not stop.is_set():
                    [row] = reader.execute(
                        "SELECT (SELECT count(*) FROM then_sales.fact_order),"
                        " (SELECT count(*) FROM then_sales.fact_payment)"
                    ).fetchall()
                    seen.add(row)
        except psycopg.Error as error:
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for position in (positions[1], positions[0], positions[1]):
            rebuild_into(database, "then", ["sales"], Limits(position))
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not failed
    assert seen == {(20, 20), (30, 30)}


def test_a_prefix_can_be_dropped_and_no_other_schema(warehouse: Warehouse) -> None:
    warehouse.json("rebuild", "sales", "--into", "then")
    refused(warehouse.run("revisions", "drop", "them", "--json"), 2, "them", "then")
    refused(warehouse.run("revisions", "drop", "sales", "--json"), 2, "then")
    assert warehouse.json("revisions", "drop", "then")["dropped"] == "then"
    assert warehouse.rows(OURS) == []
    refused(warehouse.run("revisions", "drop", "then", "--json"), 2, "there is none")
    assert warehouse.run("digest").code == 0


def test_any_number_of_processes_gives_the_same_and_two_rebuilds_exclude_each_other(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = log.append_all("sales", orders(1, 40))
    log.append_all("sales", orders(100, 10))
    limits = Limits(position, occurred_before=MONDAY + 30 * HOUR)
    alone = rebuild_into(database, "then", ["sales"], limits, workers=1)["sales"]
    monkeypatch.setattr(workers, "_EVENTS_WORTH_A_PROCESS", 100)
    monkeypatch.setattr(workers, "_EVENTS_A_RANGE", 50)
    together = rebuild_into(database, "then", ["sales"], limits, workers=2)["sales"]
    assert together.tables == alone.tables
    assert (together.events, together.position) == (alone.events, position)
    with database.connect(autocommit=True) as conn, exclusive(conn, LOCK), pytest.raises(Conflicting):
        rebuild_into(database, "then", ["sales"], limits, wait=0.1)


def test_a_view_of_somebody_else_keeps_a_prefix_from_being_replaced(warehouse: Warehouse) -> None:
    warehouse.json("rebuild", "sales", "--into", "then")
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("CREATE VIEW public.mine AS SELECT count(*) FROM then_sales.fact_order")
    refused(warehouse.run("rebuild", "sales", "--into", "then", "--json"), 4, "public.mine")
    assert warehouse.rows("SELECT * FROM public.mine") == [(0,)]
    assert [name for (name,) in warehouse.rows(OURS)] == OF_SALES


def test_killed_halfway_it_leaves_nothing_that_the_next_command_does_not_remove(warehouse: Warehouse, log: Log) -> None:
    log.append_all("sales", orders(1, 5))
    before = rebuilt(warehouse, "sales", "--into", "then")
    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.small_steps", "rebuild", "sales", "--into", "then"],
        env={
            **os.environ,
            "REPLAYHOUSE_DATABASE_URL": warehouse.database.url,
            KILL_AFTER: "replayhouse.infra.read_models.snapshots.time_travel:make_calendar",
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert ("unfinished_1_sales",) in warehouse.rows(OURS), "killed too early or too late"
    assert len(warehouse.table("then_sales.fact_order", ["order_id"])) == 5

    warehouse.json("rebuild", "marketplace")
    assert [name for (name,) in warehouse.rows(OURS)] == OF_SALES
    assert rebuilt(warehouse, "sales", "--into", "then") == before
