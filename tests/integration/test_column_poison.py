"""One bad stream among thousands of its shape: it is named, the others are folded, with columns as without."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.customer.events import CustomerRegistered
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.folding import STAYS, Unfoldable
from replayhouse.infra.read_models.live import projector
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.status import parked_streams
from replayhouse.infra.read_models.stream_reader import StoredRow
from replayhouse.infra.runtime import column_folds
from replayhouse.projections.projection import Rows, Stream
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.databases import copied
from tests.support.on_columns import EveryKey, on_columns, one_by_one, stored
from tests.support.read_side import MONDAY, Log, an_id

MANY, STORED = 10_000, 1_500
BAD = an_id(777)
SHOWN = "SELECT count(*), count(*) FILTER (WHERE customer_id = %s) FROM customer.dim_customer"
CITY = b'"city":"'


class Poison(NamedTuple):
    """What is wrong with a stream: with its state as it is stored, or with the fold that is given it."""

    spoil: Callable[[bytes], bytes]
    says: str
    is_refused: bool = False


def _not_opening(state: bytes) -> bytes:
    at = state.index(CITY) + len(CITY) + 20
    return state[:at] + (b"A" if state[at : at + 1] != b"A" else b"B") + state[at + 1 :]


POISONS = {
    "a state that cannot be decoded": Poison(
        lambda state: state.replace(b'"state":"SP"', b'"state":5'), "UnreadableState: "
    ),
    "a ciphertext that does not open": Poison(_not_opening, "BrokenSeal: "),
    "an event that the fold refuses": Poison(lambda state: state, "ValueError: a stream like this", is_refused=True),
}
EACH_POISON = pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
BOTH_WAYS = pytest.mark.parametrize("columns", ["on", "off"])


def registered(number: int) -> CustomerRegistered:
    return CustomerRegistered(MONDAY, an_id(number + 10**6), "SP", MONDAY, f"{number:05}", f"city {number % 50}")


@contextmanager
def refusing(poison: Poison) -> Iterator[None]:
    """The fold of the context refuses that stream, where that is the poison: it asks of each whether it is that one."""
    customer = PROJECTIONS["customer"]

    def fold(stream: Stream) -> Rows:
        if stream.stream_id == BAD:
            raise ValueError("a stream like this")
        return customer.fold(stream)

    if poison.is_refused:
        with patch.dict(PROJECTIONS, customer=replace(customer, fold=fold)):
            yield
    else:
        yield


@pytest.fixture(scope="module")
def many() -> tuple[Sequence[StoredRow], EveryKey]:
    """Ten thousand streams of one shape, as they are stored."""
    keys = EveryKey(set())
    return stored("customer", {an_id(number): [registered(number)] for number in range(1, MANY + 1)}, keys), keys


@EACH_POISON
def test_of_ten_thousand_streams_one_is_bad_and_all_others_are_folded_on_columns(
    poison: Poison, many: tuple[Sequence[StoredRow], EveryKey]
) -> None:
    rows, keys = many
    spoilt = [(s, p, t, poison.spoil(bytes(state)) if UUID(bytes=s) == BAD else state) for s, p, t, state in rows]
    with refusing(poison):
        found = on_columns("customer", spoilt, keys.keys_of)
        expected = one_by_one("customer", spoilt, keys.keys_of)

    assert (found.rows, found.failed) == (expected.rows, {BAD})
    assert found.counts.streams == MANY - 1


@pytest.fixture(scope="module")
def alike(server: EmbeddedServer) -> Iterator[Database]:
    """Many persons in a log, none of whom is shown yet; nobody is connected to it but to copy it."""
    with copied(server) as database:
        with database.connect("replayhouse test", autocommit=True) as conn:
            Log(conn).append_all("customer", {an_id(number): [registered(number)] for number in range(1, STORED + 1)})
        yield database


@pytest.fixture
def poisoned(alike: Database, server: EmbeddedServer, poison: Poison) -> Iterator[Database]:
    with copied(server, alike) as database:
        with database.connect("replayhouse test", autocommit=True) as conn:
            _spoil(conn, poison)
        yield database


def _spoil(conn: psycopg.Connection, poison: Poison) -> None:
    """As a disk that rots would do it, or somebody who may do all."""
    conn.execute("ALTER TABLE event_store.customer_events DISABLE TRIGGER append_only")
    row = conn.execute("SELECT state FROM event_store.customer_events WHERE originator_id = %s", [BAD]).fetchone()
    assert row is not None
    spoilt = poison.spoil(row[0])
    conn.execute("UPDATE event_store.customer_events SET state = %s WHERE originator_id = %s", [spoilt, BAD])
    conn.execute("ALTER TABLE event_store.customer_events ENABLE ALWAYS TRIGGER append_only")


@EACH_POISON
@BOTH_WAYS
def test_a_rebuild_names_it_and_the_live_model_parks_it_and_shows_all_others(
    columns: str, poison: Poison, poisoned: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live model is empty, so it is filled as by a rebuild first, and follows window by window where that ends."""
    monkeypatch.setenv(column_folds.VARIABLE, columns)
    monkeypatch.setattr(projector, "FILL_FROM_EVENTS", STORED // 2)
    named = f"The stream {BAD} of customer cannot be folded: {poison.says}"
    with refusing(poison):
        with pytest.raises(Unfoldable) as error:
            rebuild(poisoned, ["customer"], workers=1)
        assert str(error.value).startswith(named)
        assert str(error.value).endswith(STAYS)

        catch_up(poisoned)

    with poisoned.connect("replayhouse test", autocommit=True) as conn:
        [parked] = parked_streams(conn)
        assert (parked.context, parked.stream_id, parked.folded_to) == ("customer", BAD, 0)
        assert parked.error.startswith(poison.says)
        shown = conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE customer_id = %s) FROM customer.dim_customer", [BAD]
        )
        assert shown.fetchone() == (STORED, 0), "all but the bad one, and the unknown member"
