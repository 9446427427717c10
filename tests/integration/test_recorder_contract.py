"""Our log keeps the contract of the `eventsourcing` library: its own test cases, inherited, and an Application."""

from collections.abc import Iterator
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    AggregateRecorder,
    DataError,
    InfrastructureFactory,
    InfrastructureFactoryError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)
from eventsourcing.utils import Environment

from replayhouse.infra.audit.verify import Verified, verify
from replayhouse.infra.event_store.breaks import VERSIONS_ARE_MISSING
from replayhouse.infra.event_store.merkle import leaf_of
from replayhouse.infra.event_store.recorder import (
    Connections,
    PostgresAggregateRecorder,
    PostgresApplicationRecorder,
    PostgresFactory,
    RecordedEvent,
)
from replayhouse.infra.postgres.connection import Database


class OnAFreshDatabase:
    """Gives the library's test cases, which know nothing of pytest, the connections of a fresh database."""

    connections: Connections

    @pytest.fixture(autouse=True)
    def _connected(self, database: Database) -> Iterator[None]:
        self.connections = Connections(database)
        yield
        with self.connections.one() as conn:
            found = verify(conn)
            holds = isinstance(found, Verified) or found.why == VERSIONS_ARE_MISSING  # some begin streams in the middle
            assert holds, "whatever a test case appends, the chain holds"
        self.connections.close()


class TestAggregateRecorder(OnAFreshDatabase, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return PostgresAggregateRecorder(self.connections, "sales")


class TestApplicationRecorder(OnAFreshDatabase, ApplicationRecorderTestCase[PostgresApplicationRecorder]):
    def create_recorder(self) -> PostgresApplicationRecorder:
        return PostgresApplicationRecorder(self.connections, "sales")

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingNotificationIDs(OnAFreshDatabase, NonInterleavingNotificationIDsBaseCase):
    insert_num = 2000

    def create_recorder(self) -> PostgresApplicationRecorder:
        return PostgresApplicationRecorder(self.connections, "sales")


@pytest.fixture
def recorder(database: Database) -> Iterator[PostgresApplicationRecorder]:
    connections = Connections(database)
    yield PostgresApplicationRecorder(connections, "sales")
    connections.close()


def test_batch_source_and_leaf_are_kept_beside_the_event(recorder: PostgresApplicationRecorder) -> None:
    stream, batch = uuid4(), uuid4()
    fields = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (b"sales", stream.bytes, (1).to_bytes(8, "big"), b"t", b"{}", batch.bytes, b"orders:7")
    )
    recorder.insert_events([RecordedEvent(stream, 1, "t", b"{}", batch, "orders:7", leaf_of(fields))])

    assert recorder.select_events(stream) == [StoredEvent(stream, 1, "t", b"{}")]
    with recorder.connections.one() as conn:
        assert conn.execute("SELECT batch_id, source, leaf FROM event_store.sales_events").fetchall() == [
            (batch, "orders:7", leaf_of(fields))
        ]
        assert conn.execute("SELECT batch_id FROM event_store.commit").fetchall() == [(batch,)]


def test_a_leaf_that_is_not_the_events_own_is_refused(recorder: PostgresApplicationRecorder) -> None:
    with pytest.raises(DataError, match="leaf"):
        recorder.insert_events([RecordedEvent(uuid4(), 1, "t", b"{}", leaf=bytes(32))])
    assert recorder.max_notification_id() is None


def test_positions_are_those_of_the_whole_log(recorder: PostgresApplicationRecorder) -> None:
    other = PostgresApplicationRecorder(recorder.connections, "customer")

    assert recorder.insert_events([StoredEvent(uuid4(), 1, "t", b"{}")]) == [1]
    assert other.insert_events([StoredEvent(uuid4(), 1, "t", b"{}")]) == [2]
    assert recorder.insert_events([StoredEvent(uuid4(), 1, "t", b"{}")]) == [3]
    assert [notification.id for notification in recorder.select_notifications(None, 10)] == [1, 3]


def test_errors_are_the_librarys(recorder: PostgresApplicationRecorder, database: Database) -> None:
    stored = StoredEvent(uuid4(), 1, "t", b"{}")
    recorder.insert_events([stored])
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored])
    with pytest.raises(ProgrammingError):
        recorder.insert_events([StoredEvent(uuid4(), version, "t", b"{}") for version in range(20_001)])
    with pytest.raises(ProgrammingError):
        PostgresApplicationRecorder(recorder.connections, "accounting")
    nowhere = Connections(Database(database.url.replace("/test_", "/nobody_made_")))
    with pytest.raises(OperationalError):
        PostgresApplicationRecorder(nowhere, "sales").max_notification_id()


class Basket(Aggregate):
    def __init__(self) -> None:
        self.goods: list[str] = []

    @event("Added")
    def add(self, name: str) -> None:
        self.goods.append(name)


class Shop(Application[UUID]):
    """An ordinary application of the library; only where its events go is ours."""

    ours: ClassVar[Database]

    def construct_factory(self, env: Environment) -> InfrastructureFactory:
        return PostgresFactory(self.ours, "sales")


def test_an_ordinary_application_of_the_library_lives_on_our_log(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSISTENCE_MODULE", "a module that is not there")
    monkeypatch.setattr(Shop, "ours", database, raising=False)
    with Shop() as shop:
        basket = Basket()
        basket.add("apples")
        basket.add("pears")
        shop.save(basket)

        found: Basket = shop.repository.get(basket.id)
        assert found.goods == ["apples", "pears"]
        assert [notification.id for notification in shop.notification_log.select(1, 10)] == [1, 2, 3]
    with database.connect(autocommit=True) as conn:
        assert isinstance(verify(conn), Verified)


def test_the_factory_makes_recorders_of_events_and_nothing_else(database: Database) -> None:
    with PostgresFactory(database, "sales") as factory:
        assert isinstance(factory.aggregate_recorder(), PostgresAggregateRecorder)
        with pytest.raises(InfrastructureFactoryError, match="snapshots"):
            factory.aggregate_recorder("snapshots")
        with pytest.raises(InfrastructureFactoryError):
            factory.tracking_recorder()
        with pytest.raises(InfrastructureFactoryError):
            factory.process_recorder()
        factory.close()
