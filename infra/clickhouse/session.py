"""One command at work on one ClickHouse: its connections, and the lock that keeps others away from there."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from replayhouse.infra.clickhouse.filling import Filler
from replayhouse.infra.clickhouse.projector import Keeper
from replayhouse.infra.clickhouse.server import connected
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models.rebuild.workers import Parts, untold
from replayhouse.infra.runtime.clickhouse_settings import Address, ClickHouseSettings


def lock_of(address: Address) -> str:
    """The name of the lock of who writes there, in the database with the log."""
    return f"project --to {address.place}"


@contextmanager
def keeping(
    database: Database,
    settings: ClickHouseSettings,
    contexts: Collection[str],
    *,
    workers: int = 1,
    is_withheld: bool | None = None,
    tell: Parts = untold,
) -> Iterator[Keeper]:
    """What keeps these contexts there, alone, for the time of the block.

    Raises Conflicting where another command is at work there, Unreachable, UsageError and WrongServer as `connected`.
    """
    with (
        connected(settings) as server,
        database.connect("replayhouse project --to clickhouse", autocommit=True) as conn,
        translated(),
        exclusive(conn, lock_of(settings.address)),
    ):
        filler = Filler(database, conn, settings, server, workers, tell)
        yield Keeper(conn, server, filler, contexts, is_withheld=is_withheld)
