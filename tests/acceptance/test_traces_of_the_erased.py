"""What a person told is gone with their key from everywhere that PostgreSQL keeps copies: statistics, views, dumps.

The values are such as nothing else has, so that they can be searched for as bytes.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from replayhouse.infra.postgres import pg_tools
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.migrate import migrations
from replayhouse.infra.read_models import kept_answers, refolding
from replayhouse.infra.read_models.kept_answers import Origin
from replayhouse.infra.read_models.rebuild import swap
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.lines import a_customer, an_order
from tests.support.databases import a_database, copied
from tests.support.extracts import a_good_extract, a_review, adding, changed, write
from tests.support.folders import quick_folder
from tests.support.in_process import Warehouse
from tests.support.own_servers import VERSION_16, an_own_server
from tests.support.prepared import furnish

ERASED = str(UUID(int=901))
REASON = ("--reason", "asked for it")
TOLD = ("Zebrópolis", "zebropolis", "98761", "98762", "Xilofone partido", "quartzo rosa", "rua da quimera")
"""What person 901 has told: cities, zip prefixes, a comment, a title, and the text of a record kept apart."""

PERSONAL = sorted(
    [
        (table.name, column)
        for projection in PROJECTIONS.values()
        for table in projection.tables
        for column in personal_columns(table)
    ]
    + [(mart.name, column) for mart in marts.MARTS for column in mart.personal]
)
EXTRACT = changed(
    {file: lines for file, lines in a_good_extract().items() if file != "geolocation"},
    customers=lambda some: [
        a_customer(101, 901, "98761", "Zebrópolis"),
        a_customer(102, 901, "98762", "Zebrópolis", "RJ"),
        *some[2:],
        a_customer(106, 901, "123456", "rua da quimera"),
        a_customer(107, 905, "123456", "rua da bia"),
    ],
    order_reviews=adding(a_review(803, 2, 4, title="quartzo rosa", comment="Xilofone partido")),
    orders=adding(an_order(6, "delivered")),
)
BY_HAND = """
    CREATE VIEW mart.said AS SELECT r.order_id, to_jsonb(r) AS said FROM customer.fact_review AS r;
    CREATE MATERIALIZED VIEW mart.lived AS SELECT city, count(*) AS people FROM customer.dim_customer GROUP BY city;
    CREATE MATERIALIZED VIEW public.of_somebody AS SELECT said ->> 'comment' AS it FROM mart.said;
    CREATE MATERIALIZED VIEW public.of_somebody_else AS SELECT upper(it) AS it FROM public.of_somebody;
    CREATE MATERIALIZED VIEW mart.ordered AS SELECT city, count(*) AS orders FROM mart.orders GROUP BY city;
    CREATE MATERIALIZED VIEW mart.counted AS SELECT count(*) AS orders FROM sales.fact_order
"""
SAMPLED_BY_HAND = """
    CREATE INDEX lived_there ON customer.dim_customer (lower(city));
    CREATE STATISTICS customer.lives (mcv) ON city, zip_prefix FROM customer.dim_customer;
    CREATE STATISTICS customer.shouts ON upper(city), orders FROM customer.dim_customer
"""
AS_BEFORE = """
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS -1', c.oid::regclass, a.attname)
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attstattarget = 0 AND a.attnum > 0 AND c.relkind IN ('r', 'm') AND c.oid >= 16384
"""
NAMING = "SELECT question FROM read_model.answer WHERE %s = ANY(named) OR strpos(rows::text, %s) > 0"
STATISTICS = r"""
    SELECT replace(s::text, '\\x', ' ') FROM pg_statistic AS s
    UNION ALL SELECT values::text FROM pg_statistic_ext_data CROSS JOIN pg_mcv_list_items(stxdmcv)
"""
SAMPLED = """
    SELECT DISTINCT tablename::text, attname::text FROM pg_stats
    WHERE (tablename, attname) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
        OR tablename IN ('subject_key', 'lived', 'of_somebody', 'of_somebody_else') AND attname <> 'subject_id'
    ORDER BY 1, 2
"""


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with the person, live, in an earlier revision, under a prefix, and in views made by hand."""
    folder = tmp_path_factory.mktemp("loaded")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "first", EXTRACT))
        with database.connect(autocommit=True) as conn:
            conn.execute(BY_HAND.encode())
        warehouse.json("rebuild")
        warehouse.json("rebuild", "--into", "before")
        with database.connect(autocommit=True) as conn:
            conn.execute("CREATE MATERIALIZED VIEW public.of_then AS SELECT city FROM before_customer.address_history")
            conn.execute("CREATE MATERIALIZED VIEW public.of_the_mart AS SELECT city FROM before_mart.orders")
        yield database


@pytest.fixture
def warehouse(server: EmbeddedServer, loaded: Database, tmp_path: Path) -> Iterator[Warehouse]:
    with copied(server, loaded) as database:
        yield Warehouse(database, tmp_path / "home")


@pytest.fixture
def conn(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with warehouse.database.connect("replayhouse test", autocommit=True) as connection:
        yield connection


def keys_of(conn: psycopg.Connection) -> list[str]:
    """The keys that open what the person told, as PostgreSQL writes bytes."""
    return [key.hex() for (key,) in conn.execute("SELECT key FROM event_store.subject_key WHERE key IS NOT NULL")]


def sample_all(conn: psycopg.Connection) -> None:
    """As the version before left a database that has been in use: everything is sampled."""
    conn.execute(SAMPLED_BY_HAND.encode())
    for (statement,) in conn.execute(AS_BEFORE.encode()).fetchall():
        conn.execute(statement.encode())
    conn.execute("ANALYZE")


def in_statistics(conn: psycopg.Connection, *words: str) -> set[str]:
    return found_in("\n".join(str(row) for (row,) in conn.execute(STATISTICS.encode())), *words)


def found_in(text: str, *words: str) -> set[str]:
    """Which of them the text has; five digits within a number, as hashes and times may have them, do not count."""
    return {word for word in words if re.search(rf"(?<![.0-9a-f]){word}(?![0-9a-f])", text)}


def sampled(conn: psycopg.Connection) -> list[tuple[str, str]]:
    names, columns = zip(*PERSONAL, strict=True)
    return conn.execute(SAMPLED.encode(), [list(names), list(columns)]).fetchall()


def dumped(warehouse: Warehouse) -> str:
    """The whole database, as `pg_dump` writes it."""
    program = pg_tools.program("pg_dump", 18)
    done = subprocess.run([str(program), "-d", warehouse.database.url], capture_output=True, check=True)
    return done.stdout.decode()


def test_of_an_erased_person_nothing_is_left_in_statistics_views_and_dumps(
    warehouse: Warehouse, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE MATERIALIZED VIEW public.bought AS SELECT city, zip FROM mart.orders")  # marts stay in place
    sample_all(conn)
    keys = keys_of(conn)
    assert in_statistics(conn, *TOLD) == set(TOLD)
    assert len(in_statistics(conn, *keys)) > 1
    warehouse.json("ask", "all")
    origin = Origin("as of now", {}, 1, None, refolding.erasures(conn))
    assert kept_answers.keep(conn, 1, origin, [[UUID(ERASED).hex]], "There is one.", [UUID(ERASED)])

    told = warehouse.json("customer", "erase", "--yes", ERASED, *REASON)

    assert told["stale_views"] == []
    alive = keys_of(conn)
    assert len(keys) - len(alive) == told["quarantined_rows"] + 1
    assert in_statistics(conn, *TOLD, *keys) == set()
    assert found_in(dumped(warehouse).replace("\\\\x", " "), *TOLD, *keys) == set(alive)
    assert sampled(conn) == []
    conn.execute("ANALYZE")
    assert sampled(conn) == []
    assert conn.execute(NAMING, [UUID(ERASED), UUID(ERASED).hex]).fetchall() == []


def test_no_table_that_is_made_is_sampled_where_it_shows_personal_fields(
    warehouse: Warehouse, conn: psycopg.Connection
) -> None:
    """Live, rebuilt, kept, under a prefix, swapped in again, and what is materialised from them after a swap."""
    warehouse.json("rebuild", "customer")
    warehouse.json("revert", "customer")
    conn.execute("ANALYZE")
    assert sampled(conn) == []
    assert conn.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'counted'").fetchone() == (1,)


def test_a_mart_that_was_made_for_a_swap_shows_nothing_of_who_is_erased_before_it(
    warehouse: Warehouse, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was filled, aside, when the key still opened."""

    def erased_meanwhile(*_: object) -> None:
        warehouse.json("customer", "erase", ERASED, "--yes", *REASON)

    where = Mart(
        "where",
        "Where people live",
        {"customer_id": "who", "city": "the city"},
        "SELECT customer_id, city FROM dim_customer",
        ("customer_id",),
    )
    monkeypatch.setattr(marts, "MARTS", (where,))
    with monkeypatch.context() as patched:
        patched.setattr(swap, "wait_for_old_snapshots", erased_meanwhile)
        warehouse.json("rebuild")
    assert conn.execute("SELECT count(*) > 0 FROM mart.where").fetchone() == (True,)
    assert conn.execute("SELECT city FROM mart.where WHERE city ~ 'polis'").fetchall() == []


def test_a_migration_removes_the_samples_that_the_version_before_has_left(conn: psycopg.Connection) -> None:
    sample_all(conn)
    assert in_statistics(conn, *TOLD) == set(TOLD)
    conn.execute(
        "DROP FUNCTION event_store.keep_no_statistics, event_store.keep_no_statistics_of_part,"
        " event_store.materialised_from"
    )
    conn.execute(migrations()[13].statements.encode())
    assert (in_statistics(conn, *TOLD, *keys_of(conn)), sampled(conn)) == (set(), [])


def test_on_an_older_server_an_owner_removes_them_as_far_as_it_may(tmp_path: Path) -> None:
    """Where views stand on a column, it is theirs, or being read, a sample of rows that are there takes the place."""
    with an_own_server(VERSION_16) as own:
        own.make()
        own.start()
        with own.database("postgres").connect(autocommit=True) as administrator:
            administrator.execute("CREATE ROLE tenant LOGIN")
            administrator.execute("CREATE DATABASE tenancy OWNER tenant")
        theirs = Database(own.database("tenancy").url.replace("//postgres@", "//tenant@"))
        warehouse = Warehouse(theirs, tmp_path / "home")
        warehouse.ingest(write(tmp_path / "first", EXTRACT))
        with theirs.connect(autocommit=True) as conn, own.database("tenancy").connect(autocommit=True) as looking:
            conn.execute("CREATE MATERIALIZED VIEW mart.lived AS SELECT city FROM customer.dim_customer")
            sample_all(conn)
            keys = keys_of(conn)
            assert in_statistics(looking, *TOLD) == set(TOLD)

            with theirs.connect("a reader") as reader:
                reader.execute("SELECT count(*) FROM fulfillment.fact_delivery")
                assert warehouse.json("customer", "erase", "--yes", ERASED, *REASON)["stale_views"] == []

            assert in_statistics(looking, *TOLD, *keys) == set()
            assert sampled(looking) == [  # the marts stand on them, or what analysts see
                ("address_history", "city"),
                ("address_history", "zip_prefix"),
                ("dim_customer", "city"),
                ("dim_customer", "zip_prefix"),
                ("fact_delivery", "destination_zip"),
                ("fact_review", "comment"),
                ("fact_review", "title"),
                ("lived", "city"),
            ]


def test_a_view_that_cannot_be_refreshed_is_named_and_holds_up_no_erasure(
    warehouse: Warehouse, conn: psycopg.Connection
) -> None:
    conn.execute(
        "CREATE MATERIALIZED VIEW mart.broken AS"
        " SELECT 1 / count(*) FILTER (WHERE city = 'Zebrópolis') AS one FROM customer.dim_customer"
    )
    done = warehouse.run("customer", "erase", "--yes", ERASED, *REASON)
    assert done.code == 0
    assert "The materialised view mart.broken could not be refreshed, and may still show what was erased" in done.err
    assert conn.execute("SELECT city FROM mart.lived WHERE city ~ 'polis'").fetchall() == []
    conn.execute("DROP MATERIALIZED VIEW mart.broken")
    assert warehouse.json("customer", "erase", "--yes", ERASED, *REASON)["stale_views"] == []


def test_a_view_that_somebody_is_reading_is_named_and_holds_up_no_erasure(
    warehouse: Warehouse, conn: psycopg.Connection
) -> None:
    keys = keys_of(conn)
    with warehouse.database.connect("a reader") as reader:
        reader.execute("SELECT count(*) FROM mart.lived")
        told = warehouse.json("customer", "erase", "--yes", ERASED, *REASON)
        assert (told["status"], told["stale_views"]) == ("erased", ["mart.lived"])
    assert len(keys) - len(keys_of(conn)) == told["quarantined_rows"] + 1
    assert conn.execute("SELECT city FROM customer.dim_customer WHERE city ~ 'polis'").fetchall() == []
    assert warehouse.json("customer", "erase", "--yes", ERASED, *REASON)["stale_views"] == []
    assert conn.execute("SELECT city FROM mart.lived WHERE city ~ 'polis'").fetchall() == []


def test_a_table_that_others_inherit_from_is_sampled_with_them_and_those_samples_go_too(
    warehouse: Warehouse, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE public.of_somebody_too () INHERITS (customer.dim_customer)")
    conn.execute("CREATE ROLE somebody_with_a_child")
    try:
        conn.execute("ALTER TABLE public.of_somebody_too OWNER TO somebody_with_a_child")
        conn.execute("ALTER TABLE customer.dim_customer ALTER COLUMN city SET STATISTICS 100")
        conn.execute("ANALYZE customer.dim_customer")
        assert in_statistics(conn, "Zebrópolis") == {"Zebrópolis"}
        told = warehouse.json("customer", "erase", "--yes", ERASED, *REASON)
        assert (told["status"], in_statistics(conn, *TOLD), sampled(conn)) == ("erased", set(), [])
    finally:
        conn.execute("DROP TABLE public.of_somebody_too; DROP ROLE somebody_with_a_child")


def test_a_view_that_is_materialised_from_keys_is_refreshed_or_named(
    warehouse: Warehouse, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE MATERIALIZED VIEW public.of_keys AS SELECT subject_id, key FROM event_store.subject_key")
    conn.execute(
        "CREATE MATERIALIZED VIEW public.no_more AS"
        " SELECT 1 / count(*) FILTER (WHERE subject_id = '" + ERASED + "' AND key IS NOT NULL) AS one"
        " FROM event_store.subject_key"
    )
    conn.execute("ANALYZE public.of_keys")
    keys = keys_of(conn)
    assert in_statistics(conn, *keys) != set()
    assert warehouse.json("customer", "erase", "--yes", ERASED, *REASON)["stale_views"] == ["public.no_more"]
    kept = {key.hex() for (key,) in conn.execute("SELECT key FROM public.of_keys WHERE key IS NOT NULL")}
    assert kept == set(keys_of(conn)) < set(keys)
    assert in_statistics(conn, *keys) == set()


def test_a_restore_samples_no_key_that_it_destroys_again(
    warehouse: Warehouse, conn: psycopg.Connection, server: EmbeddedServer, tmp_path: Path
) -> None:
    keys = keys_of(conn)
    warehouse.json("db", "backup", tmp_path / "log")
    warehouse.json("customer", "erase", "--yes", ERASED, *REASON)
    with a_database(server) as empty:
        elsewhere = Warehouse(empty, tmp_path / "elsewhere")
        elsewhere.json("db", "restore", tmp_path / "log", "--erased", tmp_path / "home" / "erased_subjects.csv")
        with empty.connect(autocommit=True) as restored:
            assert in_statistics(restored, *TOLD, *keys) == set()
            assert restored.execute("SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'subject_key'").fetchone() == (
                True,
            )


def test_the_data_folder_holds_nothing_of_the_erased_once_its_tables_are_written_anew(
    prepared: Path, tmp_path: Path
) -> None:
    """As docs/personal-data.md says, but for the write-ahead log, which the server recycles in its own time."""
    with quick_folder() as home:
        furnish(home, prepared)
        server = EmbeddedServer(home)
        server.start()
        try:
            warehouse = Warehouse(Database(server.url()), home)
            warehouse.ingest(write(tmp_path / "first", EXTRACT))
            with warehouse.database.connect(autocommit=True) as conn:
                keys = keys_of(conn)
                conn.execute("ANALYZE; CHECKPOINT")
                assert in_files(home, keys) == {*TOLD, *keys}
                with pytest.raises(psycopg.errors.NotNullViolation, match="quartzo rosa"):
                    conn.execute("INSERT INTO customer.fact_review (title) VALUES ('quartzo rosa')")
                warehouse.json("customer", "erase", "--yes", ERASED, *REASON)
                destroyed = set(keys) - set(keys_of(conn))
                for table in ("event_store.subject_key", *(f"{context}.{name}" for context, name in shown())):
                    conn.execute(f"VACUUM FULL {table}".encode())
                conn.execute("CHECKPOINT")
                assert in_files(home, destroyed) == set()
            log = (home / "postgres.log").read_text()
            assert "violates not-null constraint" in log
            assert [word for word in TOLD if word in log] == []
        finally:
            server.stop()


def shown() -> list[tuple[str, str]]:
    """The tables with personal columns."""
    return [
        (context, table.name)
        for context, projection in PROJECTIONS.items()
        for table in projection.tables
        if personal_columns(table)
    ]


def in_files(home: Path, keys: set[str] | list[str]) -> set[str]:
    """What of the person, and which keys, stand as bytes in the files of tables."""
    files = [file.read_bytes() for file in (home / "postgres" / "base").rglob("*") if file.is_file()]
    told = {word for word in TOLD if any(word.encode() in file for file in files)}
    return told | {key for key in keys if any(bytes.fromhex(key) in file for file in files)}
