"""Operations: what a warehouse needs of those who run it.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.backup import BackupReport
    from replayhouse.infra.application.clickhouse_status import ClickHouseStatus
    from replayhouse.infra.application.database import Started, Stopped
    from replayhouse.infra.application.drill import DrillReport
    from replayhouse.infra.application.glance import Glance, News
    from replayhouse.infra.application.measuring import Measuring
    from replayhouse.infra.application.psql import Psql
    from replayhouse.infra.application.restore import RestoreReport
    from replayhouse.infra.application.roles import Granted, Roles
    from replayhouse.infra.application.status import Status


class Operations(Base):
    """The methods that have to do with operating a warehouse."""

    def status(self) -> "Status":
        """Which warehouse this is, how far its read models and relays are, and the loads so far.

        Its `needs` say what needs a person; there are none where all is well.
        """
        from replayhouse.infra.application.status import status

        return self._do(status)

    def clickhouse_status(self) -> "ClickHouseStatus | None":
        """How far the read models in ClickHouse are behind the log; None where none is set up.

        One that does not answer within some seconds is told as that, in `error`. Raises UsageError where its settings
        make no sense.
        """
        from replayhouse.infra.application.clickhouse_status import clickhouse_status

        return self._do(clickhouse_status)

    def glance(self) -> "Glance":
        """How far the log and the marts are, the ends of loads, and what the last verification found: in an instant."""
        from replayhouse.infra.application.glance import glance

        return self._do(glance)

    def news(self, mark: str) -> "News | None":
        """What the live read models show, where it is something else than when a glance had this mark (`shown`)."""
        from replayhouse.infra.application.glance import news

        return self._do(news, mark)

    def measuring(self) -> "Measuring":
        """What measures the warehouse for Prometheus: its `now()` has the readings, from any thread, again and again.

        The database is neither started nor changed by it; where it is away, that is the one reading.
        """
        from replayhouse.infra.application.measuring import measuring

        return self._do(measuring)

    def metrics_told(self, port: int) -> AbstractContextManager[str]:
        """Answers Prometheus at `http://127.0.0.1:PORT/metrics` while the block runs; gives the address.

        `port` 0 is any that is free. Raises UsageError where the port is not to be had.
        """
        from replayhouse.infra.application.tell_prometheus import metrics_told

        return self._do(metrics_told, port)

    def write_metrics(self, folder: str | PathLike[str]) -> None:
        """Writes how the warehouse is into a file of the folder that node_exporter reads.

        The database is neither started nor changed by it. Raises UsageError where the file cannot be written.
        """
        from replayhouse.infra.application.tell_prometheus import write_metrics

        self._do(write_metrics, Path(folder))

    def backup(
        self,
        file: str | PathLike[str],
        *,
        keys: str | PathLike[str] | None = None,
        recipients: Iterable[str] = (),
        force: bool = False,
    ) -> "BackupReport":
        """Writes the log into `file` and the keys into `keys` (by default FILE.keys); both show one moment.

        Keep the files apart: whoever has both can read the personal fields, and whoever loses the keys can never read
        them again. Both are encrypted, in the format of age, for the `recipients` (`age1...`), or for those of the
        setting `backup_recipients`; in clear where there are none. `force` writes over earlier backups. Raises
        UsageError where a name is taken, or a recipient is none.
        """
        from replayhouse.infra.application.backup import backup

        return self._do(backup, Path(file), None if keys is None else Path(keys), tuple(recipients), force=force)

    def restore(
        self,
        file: str | PathLike[str],
        *,
        keys: str | PathLike[str] | None = None,
        without_keys: bool = False,
        erased: str | PathLike[str] | None = None,
        identity: str | PathLike[str] | None = None,
    ) -> "RestoreReport":
        """Restores a backup into an empty database, which is made where it is the embedded one.

        The files are checked, the chain of the log is recomputed, who was erased since is erased again, and the read
        models are folded. `keys` are those of this backup or a later one (by default FILE.keys); `without_keys` says
        that they are lost for good, and everybody counts as erased. `erased` is a list of people who were erased, kept
        elsewhere than in the home. `identity` is the file with the key that decrypts both (by default the setting
        `backup_identity`). Raises InputError for files that are damaged, do not belong together or were encrypted for
        others, UsageError where the database is not empty, Rejected where the log does not hold: the database is then
        as it was, or empty.
        """
        from replayhouse.infra.application.restore import restore

        return self._do(
            restore,
            Path(file),
            None if keys is None else Path(keys),
            None if erased is None else Path(erased),
            None if identity is None else Path(identity),
            without_keys=without_keys,
        )

    def drill(
        self,
        file: str | PathLike[str],
        *,
        keys: str | PathLike[str] | None = None,
        identity: str | PathLike[str] | None = None,
        without_keys: bool = False,
    ) -> "DrillReport":
        """Restores a backup into a throw-away warehouse of its own, checks and times that, and notes what it found.

        The files are named as for `restore`. Raises Rejected where the log does not hold, the tables show other rows
        than the backup says, or it is of another log than this warehouse; else what `restore` does.
        """
        from replayhouse.infra.application.drill import drill

        return self._do(
            drill,
            Path(file),
            None if keys is None else Path(keys),
            None if identity is None else Path(identity),
            without_keys=without_keys,
        )

    def start(self, listen: int | None = None) -> "Started":
        """Starts the embedded database, or reaches one's own, and makes the warehouse where there is none.

        The embedded database goes on until `stop`. `listen` serves BI tools over TCP at that port of this machine's
        loopback interface from now on; 0: no longer. Raises Conflicting while others are connected to what would have
        to be started again for that.
        """
        from replayhouse.infra.application.database import start

        return self._do(start, listen)

    def stop(self) -> "Stopped":
        """Stops the embedded database. Raises UsageError of a database of one's own."""
        from replayhouse.infra.application.database import stop

        return self._do(stop)

    def url(self, role: str = "administrator") -> str:
        """A libpq URL with which any client on this machine reaches the database at once.

        The `role` is "administrator", or "reader", who reads all but the keys and changes nothing. The embedded
        database is started where it does not run. Raises UsageError where a reader is asked for of a database of
        one's own.
        """
        from replayhouse.infra.application.database import url

        return self._do(url, role)

    def grant(self, role: str, user: str, *, states: Iterable[str] = ()) -> "Granted":
        """Gives a user of the database a role of the warehouse: "analyst", "marketing", "auditor", and so on.

        Marketing is given with the `states` whose rows they are to see from now on, such as "SP". Raises UsageError for
        what is no role, no user or no state, and WrongServer with what an administrator has to do where the database
        user may not give roles.
        """
        from replayhouse.infra.application.roles import grant

        return self._do(grant, role, user, states)

    def revoke(self, role: str, user: str) -> "Granted":
        """Takes a role from a user, of marketing with the states. Raises as `grant` does."""
        from replayhouse.infra.application.roles import revoke

        return self._do(revoke, role, user)

    def roles(self) -> "Roles":
        """The roles of the warehouse: what each may do, and who was given it."""
        from replayhouse.infra.application.roles import roles

        return self._do(roles)

    def psql(self, role: str = "reader") -> "Psql":
        """How PostgreSQL's psql is called on the warehouse: the program, and the environment to run it with."""
        from replayhouse.infra.application.psql import psql

        return self._do(psql, role)
