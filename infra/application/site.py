"""Where a use case works: the settings in force, the database that they name, and who is told of the work.

Every use case takes a `Site` first. The database is opened when it is first asked for, and once.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from replayhouse.infra.postgres.connection import (
    Database,
    NotPermitted,
    make_database,
    open_database,
    translated,
)
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.roles import ACTED_AS, act_as
from replayhouse.infra.runtime.errors import Forbidden, WrongServer
from replayhouse.infra.runtime.identity import Asked, Identity, Role
from replayhouse.infra.runtime.interrupts import heard
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.subprocesses import prepared
from replayhouse.infra.runtime.telling import Tell, Warn

if TYPE_CHECKING:
    from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
    from replayhouse.infra.runtime.kafka_settings import KafkaSettings

_NOBODY = "It is not known who asks, so nothing is read for them."
_LACKING = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName, errors.WrongObjectType)


class Site:
    """The settings, the database, and the callbacks. Not to be shared among threads.

    `asked` says on whose behalf it works, which is the owner's until somebody else is named; None: nobody knows. The
    database is reached as whoever asks may see it, and by `login` where that is another one than the program's own.
    Where no settings of Kafka or ClickHouse are given, they are those of the environment, read when they are first
    asked for. A statement may take `statement_seconds`, where they are given. Who `makes_moments` waits while one is
    folded that a question is asked as of; others are told that it is not made.
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
        login: Database | None = None,
        clickhouse: "ClickHouseSettings | None" = None,
    ) -> None:
        self.makes_moments = makes_moments
        self._statement_seconds = statement_seconds
        self.settings = settings
        self.asked: Asked | None = Asked(Identity(settings.actor, Role.OWNER, "command"), settings.purpose)
        self._kafka = kafka
        self._clickhouse = clickhouse
        self.tell = tell
        self.warn = warn
        self._database: Database | None = None
        self._login = login

    @property
    def is_for_owner(self) -> bool:
        """Whether it works on behalf of the owner, who may do all that the program may."""
        return self.asked is not None and self.asked.by.role is Role.OWNER

    @property
    def database(self) -> Database:
        """The database as whoever asks may see it: what their role may not read, it refuses.

        Raises Forbidden where nobody is known to ask, and what `as_program` does.
        """
        if self.asked is None:
            raise Forbidden(_NOBODY)
        return self._seen_by(self.asked.by.role)

    @property
    def as_reader(self) -> Database:
        """The same as readers see it: for what is everybody's, figures first, whoever asks. Without keys, unwritten.

        For owners it is the program's own, and so it is where nobody was asked who it is.
        """
        return self.as_program if self.asked is None or self.is_for_owner else self._seen_by(Role.READER)

    def narrow(self, conn: psycopg.Connection) -> None:
        """From here to the end of its transaction, a connection of `as_reader` sees what whoever asks may see."""
        if self.asked is None:
            raise Forbidden(_NOBODY)
        if not self.is_for_owner:
            act_as(conn, ACTED_AS[self.asked.by.role])

    def _seen_by(self, role: Role) -> Database:
        own = self.as_program
        if role is Role.OWNER:
            return own
        return replace(self._login or own, statement_seconds=own.statement_seconds, role=ACTED_AS[role])

    @property
    def as_program(self) -> Database:
        """The database as the program's own user sees it: for what is written on the way, and what is masked here.

        It runs, and its schema is up to date; the embedded one goes on when this program ends. Raises NoWarehouse where
        there is none, Unreachable and WrongServer.
        """
        if self._database is None:
            self._tell_what_takes_long(makes=False)
            database = open_database(self.settings)
            seconds = self._statement_seconds
            self._database = replace(database, statement_seconds=seconds) if seconds else database
        return self._database

    @contextmanager
    def in_its_words(self) -> Iterator[None]:
        """The same as errors_in_our_words(); what the database refuses to somebody who is no owner is Forbidden."""
        try:
            with errors_in_our_words():
                yield
        except NotPermitted as error:
            if self.asked is None or self.is_for_owner:
                raise
            by = self.asked.by
            raise Forbidden(f"As {by.role}, {by.name} may not see this: the database refuses it.") from error

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

    @property
    def clickhouse(self) -> "ClickHouseSettings":
        """The settings of ClickHouse. Raises UsageError that names the one which makes no sense."""
        if self._clickhouse is None:
            from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings

            self._clickhouse = load_clickhouse_settings()
        return self._clickhouse

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
