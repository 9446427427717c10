"""Who sees what in the database, by role: as docs/security.md says, whatever was swapped in."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from replayhouse.infra.answers.asking import compute
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.roles import ROLES
from replayhouse.infra.read_models import sights
from replayhouse.infra.read_models.regions import set_for
from replayhouse.projections.marts import MARTS
from replayhouse.projections.questions import questions
from replayhouse.projections.sights import REFERENCE, Relation, relations
from tests.oracle.lines import a_customer, an_id, an_order
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, a_review, adding, changed, write
from tests.support.in_process import Warehouse, refused
from tests.support.rights_page import Line, matrix

SEEN = {"rows", "masked", "own states"}

OURS = """
    SELECT n.nspname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'public')
        AND c.relpersistence <> 't'  -- a session that has just ended may have left some for a moment
    ORDER BY 1, 2
"""
BESIDE = re.compile(r"^(?:then_)?(\w+?)(?:_r\d+)?$")
"""What a schema under the prefix `then`, or of a revision that is kept, is called where it is live."""

STATES = ["RJ", "SP"]
OTHERWISE = """
    UPDATE sales.fact_order SET paid = paid + 1; UPDATE customer.dim_customer SET spent = spent + 1;
    UPDATE marketplace.product SET photos = 99; UPDATE fulfillment.fact_delivery SET days_late = 99;
    UPDATE quality.batch SET rows = rows + 1
"""
LOOKING = "SET LOCAL ROLE {}; SET LOCAL row_security = on"


def extract(*people: str) -> dict[str, list[str]]:
    """The good one, with a record that cannot be read, and more people, each with the order of its number."""
    orders = [an_order(int(person), "created", placed="2017-06-02 10:00:00") for person in people]
    customers = [a_customer(100 + int(p), 900 + int(p), "20000", "niteroi", "RJ") for p in people]
    return changed(
        a_good_extract(),
        orders=adding(an_order(6, "Delivered"), *orders),
        customers=adding(*customers),
        order_reviews=adding(a_review(803, 5, 2)),
    )


@pytest.fixture(scope="module")
def made(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Two loads; marketing sees two states. Nobody changes it."""
    folder = tmp_path_factory.mktemp("roles")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "first", extract()))
        warehouse.ingest(write(folder / "second", extract("7", "8")))
        with database.connect(autocommit=True) as conn, conn.transaction():
            set_for(conn, "replayhouse_marketing", STATES)
        yield warehouse


@pytest.fixture
def warehouse(server: EmbeddedServer, made: Warehouse, tmp_path: Path) -> Iterator[Warehouse]:
    """A copy of it for the test alone."""
    with copied(server, made.database) as database:
        yield Warehouse(database, tmp_path / "home")


def tampered_with(warehouse: Warehouse) -> None:
    """What stands is told from what takes its place."""
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute(OTHERWISE)


def rebuilt(warehouse: Warehouse) -> None:
    tampered_with(warehouse)
    warehouse.json("rebuild")


def reverted(warehouse: Warehouse) -> None:
    warehouse.json("rebuild", "sales", "customer")
    tampered_with(warehouse)
    for context in ("sales", "customer"):
        warehouse.json("revert", context)


def under_a_prefix(warehouse: Warehouse) -> None:
    for _ in range(2):
        warehouse.json("rebuild", "--into", "then")
    warehouse.json("rebuild", "quality", "--into", "then")
    warehouse.json("rebuild", "--into", "then")


def taken_back(warehouse: Warehouse) -> None:
    [newest] = warehouse.rows("SELECT batch_id::text FROM event_store.batch ORDER BY batch_seq DESC LIMIT 1")[0]
    warehouse.json("retract", newest, "--reason", "a test takes it back")


def erased(warehouse: Warehouse) -> None:
    warehouse.json("customer", "erase", str(an_id(901)), "--yes", "--reason", "a test asks for it")


def upgraded(warehouse: Warehouse) -> None:
    """From a version that knew none of it."""
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("DROP SCHEMA masked, regional CASCADE; REVOKE ALL ON ALL TABLES IN SCHEMA quality FROM PUBLIC")
        conn.execute("REVOKE ALL ON ALL TABLES IN SCHEMA quality FROM replayhouse_steward")
        conn.execute("REVOKE ALL ON SCHEMA quality FROM replayhouse_steward")
    warehouse.json("project")


CHANGES: dict[str, Callable[[Warehouse], None]] = {
    "loaded": lambda _: None,
    "rebuilt": rebuilt,
    "reverted": reverted,
    "under a prefix": under_a_prefix,
    "taken back": taken_back,
    "erased": erased,
    "upgraded": upgraded,
}


def live_name(schema: str, name: str) -> str:
    """What a relation is called where it is live."""
    live = BESIDE.sub(r"\1", schema)
    return f"{live}.{name}"


def may_read(conn: psycopg.Connection, role: str, schema: str, name: str) -> bool:
    """Whether a query of somebody with that role alone is answered."""
    with conn.transaction():
        conn.execute(sql.SQL(LOOKING).format(sql.Identifier(role)))
        try:
            with conn.transaction():
                conn.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, name)))
        except errors.InsufficientPrivilege:
            return False
        return True


def rows_of(conn: psycopg.Connection, role: str | None, schema: str, relation: Relation) -> list[tuple[Any, ...]]:
    """What a role sees of a relation; None: the owner of all."""
    columns = sql.SQL(", ").join(map(sql.Identifier, relation.columns))
    with conn.transaction():
        if role is not None:
            conn.execute(sql.SQL(LOOKING).format(sql.Identifier(role)))
        query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(schema, relation.name))
        return sorted(conn.execute(query).fetchall(), key=repr)


def masked(column: str, value: Any) -> Any:
    """What is left of a personal value."""
    if value is None or (value == "unknown" and "zip" in column):
        return value
    if "zip" in column:
        return value[:2]
    return "written" if column in ("title", "comment") else None


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_role_sees_what_the_matrix_says(warehouse: Warehouse, change: Callable[[Warehouse], None]) -> None:
    change(warehouse)
    lines = matrix()
    assert {role for line in lines for role in line.seen} == set(ROLES)
    assert {cell for line in lines for cell in line.seen.values() if cell} == SEEN
    with warehouse.database.connect(autocommit=True) as conn:
        there = conn.execute(OURS).fetchall()
        told = {live_name(schema, name) for schema, name in there}
        unused = [p for line in lines for p in line.patterns if not any(fnmatchcase(name, p) for name in told)]
        assert unused == [], "a line tells of what there is not"
        assert not_as_told(conn, lines, there) == []
        for prefix in {"then_" for schema, _ in there if schema == "then_mart"} | {""}:
            for relation in relations():
                see_what_they_may(conn, prefix, relation)


def not_as_told(
    conn: psycopg.Connection, lines: list[Line], there: list[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Roles that see a relation and should not, or the other way round, each with what the matrix says."""
    wrong = []
    for schema, name in there:
        line = next((line for line in lines if line.tells_of(live_name(schema, name))), None)
        assert line is not None, f"the matrix does not tell of {schema}.{name}"
        for role, seen in line.seen.items():
            if may_read(conn, role, schema, name) is not bool(seen):
                wrong.append((role, f"{schema}.{name}", seen))
    return wrong


def see_what_they_may(conn: psycopg.Connection, prefix: str, relation: Relation) -> None:
    """Analysts see all rows masked, and marketing those of its states, or what is of no place and no person."""
    real = rows_of(conn, None, prefix + relation.place, relation)
    assert real, f"{relation.name} has rows to be hidden"
    expected = sorted((masked_row(relation, row) for row in real), key=repr)
    assert rows_of(conn, "replayhouse_analyst", f"{prefix}masked", relation) == expected
    if "state" in relation.columns:
        place = relation.columns.index("state")
        own = [row for row in expected if row[place] in STATES]
        assert rows_of(conn, "replayhouse_marketing", f"{prefix}regional", relation) == own
        assert 0 < len(own) < len(expected), relation.name
    elif relation.name in REFERENCE:
        assert rows_of(conn, "replayhouse_marketing", f"{prefix}regional", relation) == real


def masked_row(relation: Relation, row: tuple[Any, ...]) -> tuple[Any, ...]:
    cells = zip(relation.columns, row, strict=True)
    return tuple(masked(column, value) if column in relation.personal else value for column, value in cells)


def test_nothing_personal_is_left_in_what_analysts_see(made: Warehouse) -> None:
    """Not by what the declarations say, but by what the extract holds."""
    secret = re.compile("01001|20000|69900|paulo|janeiro|niter|branco|obrigado|atrasou")
    allowed = {"dim_geography", "dim_seller", "seller_scorecard", "fact_delivery"}  # places and sellers are no persons
    with made.database.connect(autocommit=True) as conn:
        found = {
            relation.name
            for relation in relations()
            if secret.search(repr(rows_of(conn, "replayhouse_analyst", "masked", relation)))
        }
        shown = {
            relation.name
            for relation in relations()
            if secret.search(repr(rows_of(conn, None, relation.place, relation)))
        }
    assert found <= allowed
    assert {"dim_customer", "address_history", "fact_review", "orders"} <= shown


def test_analysts_answer_every_question_and_all_alike_that_need_no_personal_field(made: Warehouse) -> None:
    personal = re.compile("|".join(rf"\b{name}\b" for mart in MARTS for name in mart.personal))
    with made.database.connect(autocommit=True) as conn:
        for question in questions():
            parameters = {parameter.name: parameter.default for parameter in question.parameters}
            found = []
            for role, path in (("replayhouse_analyst", "masked, pg_temp"), (None, "mart, shared, pg_temp")):
                with conn.transaction():
                    if role is not None:
                        conn.execute(sql.SQL(LOOKING).format(sql.Identifier(role)))
                    conn.execute("SELECT set_config('search_path', %s, true)", [path])
                    found.append(compute(conn, question, parameters))
            assert found[0] == found[1] or personal.search(question.statements["answer"].text), question.number


def test_who_has_no_state_sees_no_row_and_a_role_that_is_gone_is_nobodys(warehouse: Warehouse) -> None:
    [people] = [one for one in relations() if one.name == "dim_customer"]
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("UPDATE read_model.marketing_region SET member = 'somebody who left'")
        assert rows_of(conn, "replayhouse_marketing", "regional", people) == []
        conn.execute("INSERT INTO read_model.marketing_region VALUES ('replayhouse_marketing', 'AC')")
        assert [row[4] for row in rows_of(conn, "replayhouse_marketing", "regional", people)] == ["AC"]


def test_no_function_of_a_query_sees_rows_that_it_does_not_get(warehouse: Warehouse) -> None:
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("""
            CREATE FUNCTION public.told(given text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS
            $$ BEGIN RAISE NOTICE 'told %', given; RETURN true; END $$
        """)
        heard: list[str] = []
        conn.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        with conn.transaction():
            conn.execute(sql.SQL(LOOKING).format(sql.Identifier("replayhouse_marketing")))
            conn.execute("SELECT count(*) FROM regional.dim_customer WHERE public.told(state)")
    assert set(heard) == {f"told {state}" for state in STATES}


def test_what_was_granted_and_revoked_on_the_views_stays(warehouse: Warehouse, tmp_path: Path) -> None:
    given = """
        SELECT n.nspname::text, c.relname::text, array(SELECT a::text FROM unnest(c.relacl) AS a ORDER BY 1), c.oid::int
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('masked', 'regional') ORDER BY 1, 2
    """
    with warehouse.database.connect(autocommit=True) as conn:
        conn.execute("GRANT SELECT ON masked.orders, masked.dim_date, regional.dim_customer TO replayhouse_steward")
        conn.execute(
            "REVOKE SELECT ON masked.fact_review, regional.orders FROM replayhouse_analyst, replayhouse_reader"
        )
        conn.execute(
            "CREATE VIEW mart.mine AS SELECT count(*) FROM masked.orders JOIN masked.fact_order USING (order_id)"
        )
        conn.execute("CREATE MATERIALIZED VIEW mart.counted AS SELECT count(*) FROM regional.orders")
        before = conn.execute(given).fetchall()
        for change in (rebuilt, reverted, taken_back):
            change(warehouse)
            assert conn.execute(given).fetchall() == before
        warehouse.ingest(write(tmp_path / "third", extract("9")))
        assert conn.execute(given).fetchall() == before
        assert conn.execute("SELECT count = (SELECT count(*) FROM sales.fact_order) FROM mart.mine").fetchone() == (
            True,
        )


def test_views_of_other_columns_are_made_anew_with_their_rights(warehouse: Warehouse) -> None:
    """As a version that has another column, or one of another type, finds those of the version before."""
    with warehouse.database.connect(autocommit=True) as conn:
        comment = "The star schema and the marts as analysts see them: personal columns masked"
        for name, query in {
            "fact_order": "SELECT order_id, status FROM sales.fact_order",
            "orders": "SELECT * FROM mart.lines",
            "dropped_since": "SELECT * FROM mart.payments",
        }.items():
            conn.execute(f"DROP VIEW IF EXISTS masked.{name}; CREATE VIEW masked.{name} AS {query}".encode())
            conn.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(sql.Identifier("masked", name), comment))
            conn.execute(f"GRANT SELECT ON masked.{name} TO replayhouse_steward, replayhouse_analyst".encode())
        conn.execute("GRANT USAGE ON SCHEMA masked TO replayhouse_steward; CREATE VIEW masked.mine AS SELECT 1 AS one")
        conn.execute("CREATE VIEW public.mine AS SELECT * FROM masked.orders")
        refused(warehouse.run("rebuild", "--json"), 4, "masked.orders", "public.mine")
        conn.execute("DROP VIEW public.mine")
        warehouse.json("rebuild")
        for relation in relations():
            rows_of(conn, "replayhouse_analyst", "masked", relation)
        assert may_read(conn, "replayhouse_steward", "masked", "fact_order")
        assert not may_read(conn, "replayhouse_steward", "masked", "fact_review")
        there = {name for schema, name in conn.execute(OURS).fetchall() if schema == "masked"}
        assert there - {relation.name for relation in relations()} == {"mine"}


def test_who_reads_a_view_and_its_table_while_they_are_exchanged_sees_the_same_in_both(warehouse: Warehouse) -> None:
    seen: list[tuple[object, object]] = []
    has_seen, is_over = Event(), Event()

    def look() -> None:
        with warehouse.database.connect("a reader") as reader:
            while not is_over.is_set():
                query = "SELECT sum(orders) FROM {}.dim_customer"
                one, other = (reader.execute(query.format(s).encode()).fetchone() for s in ("masked", "customer"))
                seen.append((one, other))
                reader.rollback()
                has_seen.set()

    with warehouse.database.connect(autocommit=True) as conn, ThreadPoolExecutor() as pool:
        conn.execute("UPDATE customer.dim_customer SET orders = orders + 1")
        looked = pool.submit(look)
        try:
            assert has_seen.wait(60)
            warehouse.json("rebuild", "customer")
            has_seen.clear()
            assert has_seen.wait(60)
        finally:
            is_over.set()
        looked.result()
    assert len(set(seen)) == 2, "before and after"
    assert [pair for pair in seen if pair[0] != pair[1]] == []


def test_views_are_held_before_the_tables_below_them_until_they_stand_on_others(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As readers take them: who came in between would see the old table through a view, and the new one beside it."""
    seen: list[tuple[set[str], set[str]]] = []

    def watched(step: Callable[..., None]) -> Callable[..., None]:
        def step_and_look(*given: object) -> None:
            before = held(warehouse)
            step(*given)
            seen.append((before, held(warehouse)))

        return step_and_look

    monkeypatch.setattr(sights, "hold", watched(sights.hold))
    monkeypatch.setattr(sights, "show", watched(sights.show))
    warehouse.json("rebuild", "customer")
    assert seen[-2][0] == set()
    assert all({"masked.dim_customer", "regional.dim_customer"} <= after for _, after in seen[-2:])


def held(warehouse: Warehouse) -> set[str]:
    """What nobody else may read now."""
    locks = """
        SELECT relation::regclass::text FROM pg_locks
        WHERE mode = 'AccessExclusiveLock' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND relation = ANY(%s::regclass[])
    """
    names = [f"{schema}.dim_customer" for schema in ("masked", "regional", "customer")]
    return {name for (name,) in warehouse.rows(locks, names)}


def test_there_is_a_view_of_every_mart_and_table_that_is_declared() -> None:
    names = [relation.name for relation in relations()]
    assert len(names) == len(set(names)), "their views stand in one schema"
    assert {mart.name for mart in MARTS} < set(names)
    assert set(REFERENCE) < set(names)
