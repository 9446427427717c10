"""A person is erased: nobody can read their fields any more, wherever they look; what is counted stays as it was."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from replayhouse.infra.event_store.keys import read_keys
from replayhouse.infra.postgres import locks
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.privacy.erasure import erase, reapply
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.read_models.rebuild import swap, workers
from tests.oracle.lines import a_customer, an_id, an_order, line
from tests.support.cli import Done
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, a_review, adding, changed, times, write
from tests.support.in_process import Warehouse, refused

ERASED = str(UUID(int=901))
FACTS = """
    SELECT count(*), count(DISTINCT customer_id), sum(price), sum(freight), sum(paid),
        (SELECT count(*) FROM sales.fact_order_item), (SELECT sum(amount) FROM sales.fact_payment),
        (SELECT count(*) FROM customer.fact_review), (SELECT sum(score) FROM customer.fact_review),
        (SELECT count(*) FROM fulfillment.fact_delivery), (SELECT sum(days_late) FROM fulfillment.fact_delivery),
        (SELECT count(*) FROM customer.dim_customer), (SELECT sum(spent) FROM customer.dim_customer),
        (SELECT sum(alias_count) FROM customer.dim_customer)
    FROM sales.fact_order
"""
TABLES = """
    SELECT table_schema || '.' || table_name FROM information_schema.tables
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'event_store') AND table_type = 'BASE TABLE'
"""
PERSONAL = ("são paulo", "rio de janeiro", "atrasou", "muito", "01001", "20000", "rua da ana")
"""What only person 901 has told (zip prefixes and cities of others left aside, see `with_a_person_of_their_own`)."""


def with_a_person_of_their_own() -> dict[str, list[str]]:
    """Person 901 alone lives where they live, wrote reviews, and has two records that cannot be read."""
    lines = a_good_extract()
    return changed(
        {file: some for file, some in lines.items() if file != "geolocation"},
        customers=lambda some: [
            *some[:2],
            a_customer(103, 902, "40000", "salvador", "BA"),
            a_customer(104, 903, "40000", "salvador", "BA"),
            some[4],
            a_customer(106, 901, "123456", "rua da ana"),
            a_customer(107, 905, "123456", "rua da bia"),
        ],
        sellers=lambda _: [line(an_id(50), "04001", "santos", "SP"), line(an_id(51), "80000", "curitiba", "PR")],
        orders=adding(an_order(6, "Delivered")),
        order_reviews=adding(a_review(803, 2, 6, comment="muito atrasou"), a_review(804, 6, 5, comment="muito")),
    )


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with the person, to be copied."""
    folder = tmp_path_factory.mktemp("loaded")
    with copied(server) as database:
        Warehouse(database, folder / "home").ingest(write(folder / "first", with_a_person_of_their_own()))
        yield database


@pytest.fixture
def warehouse(server: EmbeddedServer, loaded: Database, tmp_path: Path) -> Iterator[Warehouse]:
    with copied(server, loaded) as database:
        yield Warehouse(database, tmp_path / "home")


def shown_anywhere(warehouse: Warehouse) -> set[str]:
    """What of the person's fields stands in any table of any read model."""
    texts = [
        text for (table,) in warehouse.rows(TABLES) for (text,) in warehouse.rows(f"SELECT t::text FROM {table} AS t")
    ]
    return {word for word in PERSONAL if any(word in str(text) for text in texts)}


def test_the_fields_of_an_erased_person_are_shown_nowhere_and_counts_and_sums_stay(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    assert shown_anywhere(warehouse) == set(PERSONAL)
    facts = warehouse.rows(FACTS)

    told = warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked for it")

    assert (told["customer"], told["status"], told["reason"]) == (ERASED, "erased", "asked for it")
    assert told["quarantined_rows"] == 4
    assert shown_anywhere(warehouse) == set()
    assert warehouse.rows(FACTS) == facts
    assert warehouse.rows(
        "SELECT zip_prefix, city, city_normalised, state, region, orders, is_anonymized FROM customer.dim_customer"
        f" WHERE customer_id = '{ERASED}'"
    ) == [("unknown", "unknown", "unknown", "RJ", "Southeast", 2, True)]
    assert warehouse.rows("SELECT text FROM quality.quarantine WHERE text IS NOT NULL") == [
        (a_customer(107, 905, "123456", "rua da bia"),)
    ]
    live = warehouse.digests(("sales", "fulfillment", "customer", "quality"))
    rebuilt = warehouse.rebuilt_digests()
    assert {context: rebuilt[context] for context in live} == live
    assert shown_anywhere(warehouse) == set()
    assert warehouse.json("audit", "verify")["valid"]


def test_who_is_erased_stays_so_whatever_later_extracts_show_of_them(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked for it")
    position = warehouse.json("status")["position"]
    lines = changed(
        with_a_person_of_their_own(),
        customers=lambda some: [*some[:5], a_customer(106, 901, "01001", "rua da ana"), a_customer(108, 901, "01001")],
        orders=lambda some: [*some[:5], an_order(6, **times(2, 4, 11)), an_order(8, "shipped")],
        order_reviews=lambda some: [*some, a_review(805, 8, 9, comment="muito"), a_review(806, 8, 3, comment="muito")],
    )

    told = warehouse.ingest(write(tmp_path / "later", lines))

    assert told["position"] > position
    assert shown_anywhere(warehouse) == set()
    assert warehouse.rows(
        f"SELECT alias_count, orders, city FROM customer.dim_customer WHERE customer_id = '{ERASED}'"
    ) == [(4, 3, "unknown")]
    assert warehouse.rows("SELECT count(*) FROM customer.fact_review") == [(4,)]
    again = warehouse.ingest(write(tmp_path / "again", changed(lines, sellers=adding(line(an_id(52), 1, "x", "SP")))))
    assert again["events"] == {**dict.fromkeys(told["events"], 0), "marketplace": 1, "quality": 4}
    live = warehouse.digests(("sales", "fulfillment", "customer", "quality"))
    rebuilt = warehouse.rebuilt_digests()
    assert {context: rebuilt[context] for context in live} == live


def test_a_second_erasure_says_so_and_appends_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    first = warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked for it")
    position = warehouse.json("status")["position"]
    again = warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked once more")
    assert (again["status"], again["position"], again["erased_at"]) == (
        "already erased",
        first["position"],
        first["erased_at"],
    )
    assert warehouse.json("status")["position"] == position
    done = warehouse.run("customer", "erase", "--yes", ERASED, "--reason", "asked once more")
    assert done.code == 0
    assert "was erased already" in done.out


def test_the_history_of_an_erased_person_tells_that_and_shows_no_field(warehouse: Warehouse) -> None:
    warehouse.run("customer", "erase", "--yes", ERASED, "--reason", "asked for it", REPLAYHOUSE_ACTOR="ana")
    events = warehouse.json("audit", "history", "customer", ERASED)
    assert events[0]["facts"]["city"] == "erased"
    assert events[-1]["event"] == "CustomerAnonymized"
    assert events[-1]["batch"] is None
    assert events[-1]["facts"] == {"reason": "asked for it", "by": "ana"}
    [review] = warehouse.json("audit", "history", "review", an_id(802))
    assert (review["facts"]["comment"], review["facts"]["score"]) == ("erased", 1)


def test_the_lines_of_an_erased_person_are_not_quoted(warehouse: Warehouse) -> None:
    """Though the extract is at hand still: neither for their rows, nor for records that name them."""
    apart = warehouse.rows("SELECT row_id::text FROM quality.quarantine ORDER BY 1")
    rows = [
        ("customer.dim_customer", ERASED),
        ("customer.fact_review", an_id(802), an_id(2)),
        ("fulfillment.fact_delivery", an_id(2)),
        ("sales.fact_order", an_id(1)),
        *(("quality.quarantine", str(row)) for (row,) in apart),
    ]

    def told() -> set[str]:
        lineages = [warehouse.run("audit", "lineage", *row) for row in rows]
        assert {done.code for done in lineages} == {0}, lineages
        return {word for word in PERSONAL for done in lineages if word in done.out}

    assert told() == set(PERSONAL)
    warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked for it")
    assert told() == set()


WRONG: list[tuple[tuple[str, ...], str]] = [
    ((str(UUID(int=999)), "--reason", "x"), "knows no person"),
    ((str(UUID(int=0)), "--reason", "x"), "knows no person"),
    ((str(UUID(int=1)), "--reason", "x"), "knows no person"),
    (("ana", "--reason", "x"), "not an id"),
    ((ERASED, "--reason", " "), "--reason is empty"),
    ((ERASED,), "--reason"),
]


def test_who_cannot_be_erased_is_told_in_plain_words(warehouse: Warehouse) -> None:
    position = warehouse.json("status")["position"]
    for arguments, word in WRONG:
        refused(warehouse.run("customer", "erase", "--yes", *arguments, "--json"), 2, word)
    assert warehouse.json("status")["position"] == position


def test_while_a_load_is_at_work_nobody_is_erased(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = partial(locks.exclusive, wait=0.0)
    monkeypatch.setattr(locks, "exclusive", at_once)
    with (
        warehouse.database.connect("replayhouse ingest", autocommit=True) as loading,
        locks.exclusive(loading, "ingest"),
    ):
        refused(
            warehouse.run("customer", "erase", "--yes", ERASED, "--reason", "x", "--json"),
            4,
            "at work",
            "replayhouse ingest",
        )


def test_a_rebuild_holds_what_is_erased_meanwhile_not_against_itself(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure comes between the loading and the self-check, whose sample has every stream of so small a log."""
    load_all = workers.load_all

    def loaded_then_erased(*arguments: Any, **named: Any) -> None:
        load_all(*arguments, **named)
        warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked for it")

    monkeypatch.setattr("replayhouse.infra.read_models.rebuild.rebuild.load_all", loaded_then_erased)
    rebuilt = warehouse.json("rebuild")["contexts"]
    assert shown_anywhere(warehouse) == set()
    assert warehouse.json("digest")["contexts"]["customer"]["tables"] == rebuilt["customer"]["tables"]


# --- what is under way, and what comes back --------------------------------------------------------------------------


def test_a_rebuild_that_read_the_key_before_shows_nothing_after(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure comes when all is folded, a moment before the swap."""

    def erased_meanwhile(_: object) -> None:
        warehouse.json("customer", "erase", "--yes", ERASED, "--reason", "asked for it")

    monkeypatch.setattr(swap, "wait_for_old_snapshots", erased_meanwhile)
    rebuilt = warehouse.json("rebuild")["contexts"]

    assert shown_anywhere(warehouse) == set()
    live = warehouse.json("digest")["contexts"]
    assert {name: told["tables"] for name, told in rebuilt.items()} == {
        name: told["tables"] for name, told in live.items()
    }
    monkeypatch.undo()
    assert warehouse.json("rebuild")["contexts"]["customer"]["tables"] == rebuilt["customer"]["tables"]


def test_read_models_that_lag_behind_show_nothing_either(warehouse: Warehouse, tmp_path: Path) -> None:
    """The erasure finds some tables without the newest load, and must not make them show more than they did."""
    lines = changed(
        with_a_person_of_their_own(), customers=adding(a_customer(108, 901, "20000", "rio de janeiro", "RJ"))
    )
    assert warehouse.run("ingest", write(tmp_path / "later", lines), "--no-project").code == 0
    with warehouse.database.connect("test", autocommit=True) as connection:
        erase(connection, UUID(ERASED), "asked for it", "ana", lambda *_: None)
        assert shown_anywhere(warehouse) == set()
        assert warehouse.rows(f"SELECT alias_count FROM customer.dim_customer WHERE customer_id = '{ERASED}'") == [(2,)]
    warehouse.run("project")
    live = warehouse.digests(("sales", "fulfillment", "customer", "quality"))
    rebuilt = warehouse.rebuilt_digests()
    assert {context: rebuilt[context] for context in live} == live


def test_revisions_that_are_kept_show_nothing_either(warehouse: Warehouse) -> None:
    """Here somebody's views keep them from being removed; of one, the tables are no longer what they were."""
    views = ("customer.dim_customer", "fulfillment.fact_delivery", "quality.quarantine")
    with warehouse.database.connect("test", autocommit=True) as connection:
        for number, table in enumerate(views):
            connection.execute(f"CREATE VIEW public.of_somebody_{number} AS SELECT * FROM {table}".encode())
        warehouse.json("rebuild")
        connection.execute("ALTER TABLE quality_r1.quarantine ADD COLUMN more int")
        assert {"customer_r1", "fulfillment_r1", "quality_r1"} <= {
            str(name) for (name,) in connection.execute("SELECT nspname FROM pg_namespace")
        }
        deliveries = warehouse.rows("SELECT count(*) FROM fulfillment_r1.fact_delivery")
        assert shown_anywhere(warehouse) == set(PERSONAL)

        assert warehouse.run("customer", "erase", "--yes", ERASED, "--reason", "asked for it").code == 0

    assert shown_anywhere(warehouse) == set()
    assert warehouse.rows("SELECT count(*) FROM fulfillment_r1.fact_delivery") == deliveries
    assert warehouse.rows("SELECT city FROM public.of_somebody_0 WHERE customer_id = %s::uuid", ERASED) == [
        ("unknown",)
    ]
    assert warehouse.rows("SELECT count(*) FROM public.of_somebody_2") == [(1,)]


def test_killed_after_the_commit_or_before_it_the_same_command_ends_the_same(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    listed = ErasedSubjects(tmp_path / "home")
    position = warehouse.json("status")["position"]
    arguments = ("customer", "erase", "--yes", ERASED, "--reason", "asked for it")
    with monkeypatch.context() as patched:  # on the list already, and the transaction is lost
        patched.setattr("replayhouse.infra.privacy.erasure_list.os.fsync", killed)
        assert warehouse.run(*arguments).code == 130
    assert (warehouse.json("status")["position"], shown_anywhere(warehouse)) == (position, set(PERSONAL))
    with monkeypatch.context() as patched:  # committed, and the read models are not caught up
        patched.setattr("replayhouse.infra.application.erase.catch_up_all", killed)
        assert warehouse.run(*arguments).code == 130
    assert (warehouse.json("status")["position"], shown_anywhere(warehouse)) == (position + 1, set())
    listed.path.unlink()

    assert warehouse.json(*arguments)["status"] == "already erased"
    assert warehouse.rows(
        f"SELECT is_anonymized, position FROM customer.dim_customer WHERE customer_id = '{ERASED}'"
    ) == [(True, position + 1)]
    assert listed.subjects() == [UUID(ERASED)]


def test_keys_that_a_restore_brought_back_are_destroyed_again_from_the_list(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """As after the restore of a backup that was made before the erasure: the log does not know of it."""
    listed, someone = ErasedSubjects(tmp_path / "home"), UUID(int=999)
    listed.add(UUID(ERASED), datetime.now(UTC), 99)
    listed.add(someone, datetime.now(UTC), 100)
    with warehouse.database.connect("test", autocommit=True) as connection:
        assert reapply(connection, listed.subjects()) == 1
        assert shown_anywhere(warehouse) == set()
        assert read_keys(connection, [UUID(ERASED), someone]) == {UUID(ERASED): None, someone: None}
        position = warehouse.json("status")["position"]
        assert reapply(connection, listed.subjects()) == 0
    assert warehouse.json("status")["position"] == position
    told = warehouse.json("audit", "history", "customer", ERASED)[-1]
    assert (told["event"], told["facts"]["by"]) == ("CustomerAnonymized", "restore")


# --- asking ---------------------------------------------------------------------------------------------------------

ERASE = ("customer", "erase", ERASED, "--reason", "asked for it")


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


def answering(warehouse: Warehouse, answer: str, monkeypatch: pytest.MonkeyPatch) -> Done:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdin", Terminal(answer))
        return warehouse.run(*ERASE)


def test_where_nobody_can_be_asked_nobody_is_erased(warehouse: Warehouse) -> None:
    position = warehouse.json("status")["position"]
    refused(warehouse.run(*ERASE, "--json"), 2, "--yes")
    assert warehouse.json("status")["position"] == position


def test_on_a_terminal_it_says_how_much_is_erased_and_does_so_when_that_is_meant(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = warehouse.json("status")["position"]
    done = answering(warehouse, "n\n", monkeypatch)
    assert (done.code, "Nothing was erased." in done.err) == (1, True)
    assert warehouse.json("status")["position"] == position
    for told in (
        "destroys 5 keys for good, with what 1 load told of it",
        "1 row of customer.dim_customer",
        "4 rows of quality.quarantine",
        f"Erase the data of {ERASED}? [y/N]",
    ):
        assert told in done.err
    assert [word for word in PERSONAL if word in done.err] == []

    done = answering(warehouse, "y\n", monkeypatch)
    assert (done.code, "is erased, and 4 quarantined records with it" in done.out) == (0, True)
    assert "erased already" in answering(warehouse, "", monkeypatch).out, "nothing is left to ask about"
