"""Where a use case works: the settings in force, the database that they name, and who is told of the work.

Every use case takes a `Site` first. The database is opened when it is first asked for, and once.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import errors

from replayhouse.infra.postgres.connection import Database, make_database, open_database, translated
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import WrongServer
from replayhouse.infra.runtime.identity import Asked, Identity, Role
from replayhouse.infra.runtime.interrupts import heard
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.subprocesses import prepared
from replayhouse.infra.runtime.telling import Tell, Warn

if TYPE_CHECKING:
    from replayhouse.infra.runtime.kafka_settings import KafkaSettings

_LACKING = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName, errors.WrongObjectType)


class Site:
    """The settings, the database, and the callbacks. Not to be shared among threads.

    `asked` says on whose behalf it works, which is the owner's until somebody else is named; None: nobody knows.
    Where no settings of Kafka are given, they are those of the environment, read when they are first asked for.
    A statement may take `statement_seconds`, where they are given. Who `makes_moments` waits while one is folded that
    a question is asked as of; others are told that it is not made.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Tell,
        warn: Warn,
        kafka: "KafkaSettings | None" = None,
        statement_seconds: int = 0,
        *,
        makes_moments: bool = True,
    ) -> None:
        self.makes_moments = makes_moments
        self._statement_seconds = statement_seconds
        self.settings = settings
        self.asked: Asked | None = Asked(Identity(settings.actor, Role.OWNER, "command"), settings.purpose)
        self._kafka = kafka
        self.tell = tell
        self.warn = warn
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        """The database, running, with its schema up to date. The embedded one goes on when this program ends.

        Raises NoWarehouse where there is none, Unreachable and WrongServer.
        """
        if self._database is None:
            self._tell_what_takes_long(makes=False)
            database = open_database(self.settings)
            seconds = self._statement_seconds
            self._database = replace(database, statement_seconds=seconds) if seconds else database
        return self._database

    def make_database(self) -> Database:
        """The same; where there is no warehouse yet, one is made."""
        if self._database is None:
            self._tell_what_takes_long(makes=True)
            self._database = make_database(self.settings, self.warn)
        return self._database

    def forget_database(self) -> None:
        """Whoever asks for the database next opens it again: it was stopped, or is reached in another way."""
        self._database = None

    def prepare_workers(self, workers: int | None = None, *, pools: int = 1) -> AbstractContextManager[None]:
        """Processes that may share the work of the block, whose pools come one after the other.

        Before the database is asked for: the processes are forked, which cannot be done beside a connection.
        """
        return prepared(workers or self.settings.workers, pools)

    @property
    def kafka(self) -> "KafkaSettings":
        """The settings of Kafka. Raises UsageError that names the one which makes no sense."""
        if self._kafka is None:
            from replayhouse.infra.runtime.kafka_settings import load_kafka_settings

            self._kafka = load_kafka_settings()
        return self._kafka

    def _tell_what_takes_long(self, *, makes: bool) -> None:
        """Says so where the embedded database has to be made, or started, before anything else can be done."""
        if self.settings.database_url is not None:
            return
        server = EmbeddedServer(self.settings.home)
        if server.is_made():
            if not server.is_running():
                self.tell("starting the database", 0, 0)
        elif makes:
            self.tell(f"making a warehouse in {self.settings.home}", 0, 0)


@contextmanager
def errors_in_our_words() -> Iterator[None]:
    """What drivers raise inside the block becomes ours where it is known: translated(), heard(), and WrongServer."""
    try:
        with heard(), translated():
            yield
    except _LACKING as error:
        told = str(error).splitlines()[0]
        raise WrongServer(
            f"The tables of the warehouse are not as its migrations made them: {told}. replayhouse audit verify says "
            "what is the matter with those of the log, replayhouse rebuild makes read models anew; or restore a backup."
        ) from error
