"""As of a position, live rows are taken over where nothing happened to their streams: that is what the log makes.

Where live rows may be other ones than the log makes, everything is folded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from replayhouse.domain.customer.customer import Address, AliasSeen, customer_of, observe_aliases
from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.event_store.known_keys import LostKeys
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.privacy.erasure import erase
from replayhouse.infra.read_models import schema as model_schema
from replayhouse.infra.read_models import windows
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild import workers
from replayhouse.infra.read_models.rebuild.range_loader import Loaded, Loader, Range
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.read_models.rebuild.taken_over import TakeOver
from replayhouse.infra.read_models.snapshots import standing
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.projections.projection import Projection
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.databases import lose_keys
from tests.support.histories import Histories, Steps, fresh_database, histories
from tests.support.moments import ALL, as_of, lending
from tests.support.read_side import MONDAY, Log, a_header, a_line, a_payment, an_id

LEFT = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^unfinished'"
APPROVED = observe(NEW_ORDER, an_id(9), a_header("approved"), [a_line(1), a_line(2)], [a_payment(amount="25.00")])
DELIVERED = observe(order_of(APPROVED), None, a_header("delivered"))
PEOPLE = [an_id(number << 100) for number in range(901, 911)]
ANA, BIA, CARLA = PEOPLE[:3]


# Not made smaller: each attempt takes a second.
@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    streams=histories(),
    steps=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=4),
    chosen=st.lists(st.floats(0, 1), min_size=2, max_size=3),
)
def test_any_history_as_of_any_position_is_what_the_log_makes_with_live_tables_ahead_or_behind(
    server: EmbeddedServer, streams: Histories, steps: Sequence[tuple[int, bool]], chosen: Sequence[float]
) -> None:
    with pytest.MonkeyPatch.context() as patch, fresh_database(server) as database:
        patch.setattr(standing, "MOST_TOUCHED", 1.1)
        with database.connect(autocommit=True) as conn:
            appending = Steps(conn, streams)
            for most, is_projected in steps:
                appending.append(most)
                if is_projected:
                    catch_up(database)
            head = windows.head_of(conn)
        for position in {round(place * head) for place in chosen}:
            assert as_of(database, position) == as_of(database, position, afresh=True)


@pytest.fixture
def log(conn: psycopg.Connection) -> Log:
    return Log(conn)


def lives_in(city: str) -> Address:
    return Address("01001", city, "SP")


@pytest.fixture
def told(database: Database, log: Log) -> int:
    """Forty orders and ten people, shown; then one order was delivered, another placed, and Bia moved, shown too.

    The position in between.
    """
    log.append_all("sales", {an_id(n << 110): APPROVED for n in range(1, 41)})
    people = {p: observe_aliases(customer_of(()), [AliasSeen(p, MONDAY, lives_in("santos"))]) for p in PEOPLE}
    position = log.append_all("customer", people)
    catch_up(database)
    log.append_all("sales", {an_id(7 << 110): DELIVERED, an_id(99 << 110): APPROVED})
    moved = observe_aliases(customer_of(people[BIA]), [AliasSeen(an_id(5), MONDAY, lives_in("salvador"))])
    log.append("customer", BIA, moved)
    catch_up(database)
    return position


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many events were read for folding since."""
    read: list[int] = []
    load = Loader.load

    def counting(loader: Loader, task: Range) -> Loaded:
        loaded = load(loader, task)
        read.append(loaded.events)
        return loaded

    monkeypatch.setattr(Loader, "load", counting)

    def since() -> int:
        found = sum(read)
        read.clear()
        return found

    return since


def test_only_streams_that_something_happened_to_are_read(
    database: Database, told: int, folded: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lending(database, told) == {"sales", "customer"}
    made = as_of(database, told)
    assert folded() == len(APPROVED) + 1, "the order that was delivered since, and Bia as she was"
    assert made.events["sales"] == 40 * len(APPROVED)
    assert len(made.rows["sales"]["fact_order"]) == 40
    assert made == as_of(database, told, afresh=True)
    assert folded() == 40 * len(APPROVED) + len(PEOPLE)

    monkeypatch.setattr(workers, "_EVENTS_WORTH_A_PROCESS", 1)
    assert as_of(database, told, workers=2) == made


def test_live_tables_that_are_behind_lend_what_did_not_go_on(
    database: Database, log: Log, told: int, folded: Callable[[], int]
) -> None:
    log.append("sales", an_id(8 << 110), DELIVERED)
    position = log.append("sales", an_id(100 << 110), APPROVED)
    assert lending(database, position) == {"sales", "customer"}
    made = as_of(database, position, contexts=["sales"])
    assert folded() == 2 * len(APPROVED) + len(DELIVERED)
    assert made == as_of(database, position, contexts=["sales"], afresh=True)
    assert len(made.rows["sales"]["fact_order"]) == 42


def test_where_most_streams_were_touched_all_is_folded(
    database: Database, log: Log, told: int, folded: Callable[[], int]
) -> None:
    log.append_all("sales", {an_id(n << 110): DELIVERED for n in range(10, 35)})
    catch_up(database)
    assert lending(database, told) == {"customer"}
    assert as_of(database, told, contexts=["sales"]) == as_of(database, told, contexts=["sales"], afresh=True)


def test_a_rebuild_without_a_limit_and_business_time_fold_all_of_the_log(
    database: Database, told: int, folded: Callable[[], int]
) -> None:
    limited = rebuild_into(database, "then", ["sales"], Limits(told))["sales"]
    assert folded() == len(APPROVED)
    assert limited.events == 40 * len(APPROVED), "those that are shown"
    rebuild_into(database, "then", ["sales"], Limits(told, occurred_before=MONDAY.replace(year=2030)))
    assert folded() == 40 * len(APPROVED)
    rebuild_into(database, "then", ["sales"])
    assert folded() == 41 * len(APPROVED) + len(DELIVERED)


# --- live rows that may not be what the log makes ---------------------------------------------------------------------


def test_who_is_erased_is_erased_in_what_is_taken_over_and_in_what_is_folded(
    database: Database, conn: psycopg.Connection, told: int
) -> None:
    before = windows.head_of(conn)
    for person in (ANA, BIA):
        assert erase(conn, person, "asked for it", "ana", lambda *_: None) is not None
    catch_up(database)
    for position in (told, before, windows.head_of(conn)):
        assert "customer" in lending(database, position)
        made = as_of(database, position)
        assert made == as_of(database, position, afresh=True)
        assert sum("santos" in row for row in made.rows["customer"]["dim_customer"]) == len(PEOPLE) - 2


def test_of_a_context_with_parked_streams_all_is_folded(
    database: Database, log: Log, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(windows, "refold", lambda *_: 1 / 0)
        log.append("sales", an_id(9 << 110), DELIVERED)
        catch_up(database)
    assert lending(database, told) == {"customer"}
    assert as_of(database, told) == as_of(database, told, afresh=True)
    catch_up(database, retry_parked=True)
    assert lending(database, told) == {"sales", "customer"}


def test_a_revision_that_was_swapped_in_again_lends_nothing(database: Database, told: int) -> None:
    rebuild(database, ["sales"])
    assert "sales" in lending(database, told)
    revert(database, "sales")
    assert lending(database, told) == {"customer"}
    rebuild(database, ["sales"])
    assert "sales" in lending(database, told)


@pytest.fixture
def as_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Projection], None]]:
    """Puts another declaration of sales in the place of the program's."""

    def put(projection: Projection) -> None:
        monkeypatch.setitem(PROJECTIONS, "sales", projection)
        model_schema.model_of.cache_clear()

    yield put
    model_schema.model_of.cache_clear()


def test_rows_of_another_fold_and_tables_of_other_columns_are_not_taken_over(
    database: Database, conn: psycopg.Connection, told: int, as_program: Callable[[Projection], None]
) -> None:
    sales = PROJECTIONS["sales"]
    as_program(replace(sales, version=sales.version + 1))
    assert lending(database, told) == {"customer"}
    as_program(sales)
    assert lending(database, told) == {"sales", "customer"}
    conn.execute("ALTER TABLE sales.fact_order ADD COLUMN mine text")
    assert lending(database, told) == {"customer"}
    assert as_of(database, told) == as_of(database, told, afresh=True)


def test_what_nobody_has_a_key_for_is_not_copied_in_clear_text(
    database: Database, conn: psycopg.Connection, told: int
) -> None:
    lose_keys(conn, [CARLA])
    assert lending(database, told) == {"sales"}
    with pytest.raises(LostKeys, match=str(CARLA)):
        as_of(database, told)
    assert conn.execute(LEFT).fetchall() == []


def test_rows_that_somebody_changed_by_hand_are_not_taken_over_if_the_sample_has_them(
    database: Database, conn: psycopg.Connection, told: int
) -> None:
    conn.execute("UPDATE sales.fact_order SET paid = 1")
    assert lending(database, told) == {"customer"}
    made = as_of(database, told)
    assert made == as_of(database, told, afresh=True)


def test_where_nothing_is_shown_yet_all_is_folded(database: Database, log: Log) -> None:
    position = log.append_all("sales", {an_id(n << 110): APPROVED for n in range(1, 4)})
    assert lending(database, position) == set()
    assert len(as_of(database, position).rows["sales"]["fact_order"]) == 3
    assert as_of(database, 0) == as_of(database, 0, afresh=True)


# --- what happens meanwhile ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["once it is decided", "table by table"])
def test_a_projector_that_moves_meanwhile_is_not_seen(
    database: Database, log: Log, told: int, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    wanted = as_of(database, told, afresh=True)
    numbers = iter(range(10, 40))

    def move() -> None:
        log.append_all("sales", {an_id(next(numbers) << 110): DELIVERED for _ in range(3)})
        catch_up(database)

    if moment == "table by table":
        take_over = Loader.take_over

        def moving(loader: Loader, task: TakeOver) -> Loaded:
            if task.context == "sales":
                move()
            return take_over(loader, task)

        monkeypatch.setattr(Loader, "take_over", moving)
    else:

        def load_later(*arguments: Any, **named: Any) -> None:
            move()
            workers.load_all(*arguments, **named)

        monkeypatch.setattr("replayhouse.infra.read_models.snapshots.time_travel.load_all", load_later)
    assert as_of(database, told) == wanted
    assert next(numbers) > 12, "it has moved"


def test_an_erasure_while_rows_are_taken_over_is_shown_under_the_prefix(
    database: Database, conn: psycopg.Connection, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over = Loader.take_over

    def erasing_first(loader: Loader, task: TakeOver) -> Loaded:
        if task.table == "dim_customer":
            assert erase(conn, ANA, "asked for it", "ana", lambda *_: None) is not None
        return take_over(loader, task)

    monkeypatch.setattr(Loader, "take_over", erasing_first)
    made = rebuild_into(database, "then", ALL, Limits(told))
    found = conn.execute("SELECT city FROM then_customer.dim_customer WHERE customer_id = %s", [ANA]).fetchall()
    assert found == [("unknown",)]
    monkeypatch.undo()
    assert {c: m.tables for c, m in made.items()} == as_of(database, told, afresh=True).told
