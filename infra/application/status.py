"""The status of a warehouse: which one it is, how far its read models and relays are, and whether a person is needed.

Nothing heavy is imported here: a status is asked for often, and must answer at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.batches import Batch, all_batches
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit import verifications
from replayhouse.infra.audit.verifications import Verification
from replayhouse.infra.backup.records import LastBackup, LastDrill, last_backup, last_drill
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.postgres.place import Place, place_of
from replayhouse.infra.privacy import copies
from replayhouse.infra.privacy.copies import Copy
from replayhouse.infra.publishing.relays import RelayStatus, relays
from replayhouse.infra.read_models.status import ContextStatus, ParkedStream, parked_streams
from replayhouse.infra.read_models.status import status as status_of
from replayhouse.infra.runtime.telling import count


class Goals(NamedTuple):
    """How old the newest backup and the newest drill may be, where that was set."""

    backup: timedelta | None
    drill: timedelta | None


class SourceStatus(NamedTuple):
    """The loads of a source that are complete, and not taken back: how many, the newest, their events."""

    loads: int
    last_load: str | None
    opened_at: datetime | None
    events: int


@dataclass(frozen=True)
class Status:
    """What `status` answers. `contexts` by name; `verified` is None where nobody has verified the log yet.

    `stale_copies` are those outside of the database that may show an erased person. `backup` and `drill` are the newest
    ones, None where there were none.
    """

    place: Place
    head: Head
    contexts: dict[str, ContextStatus]
    parked: list[ParkedStream]
    relays: list[RelayStatus]
    batches: list[Batch]
    verified: Verification | None
    stale_copies: list[Copy]
    backup: LastBackup | None
    drill: LastDrill | None
    goals: Goals

    @property
    def sources(self) -> dict[str, SourceStatus]:
        """How each source is, by name; nothing where there are no several."""
        names = sorted({load.source for load in self.batches})
        return {name: self._of_source(name) for name in names} if len(names) > 1 else {}

    def _of_source(self, name: str) -> SourceStatus:
        loads = [load for load in self.batches if load.source == name and load.status == "completed"]
        last = loads[-1] if loads else None
        name_of, opened_at = (None, None) if last is None else (last.name, last.opened_at)
        return SourceStatus(len(loads), name_of, opened_at, sum(load.events for load in loads))

    @property
    def needs(self) -> list[str]:
        """What needs a person, in a sentence each; nothing where all is well.

        That is a read model that is behind or was made by another version of the program, streams that cannot be
        folded, a load or retraction that was not finished, a relay that is silent or refused, a log that did not hold
        when it was verified last, a copy elsewhere that may show an erased person, a drill that failed, and a backup or
        a drill that is older than the settings let it be.
        """
        of_copies = map(what_a_copy_shows, self.stale_copies)
        return [
            *self._of_read_models(),
            *self._of_loads(),
            *self._of_relays(),
            *self._of_the_log(),
            *of_copies,
            *self._of_backups(),
        ]

    def document(self) -> dict[str, Any]:
        """As JSON shows it: `sources` where there are several, and others, from `verified` on, where there is one."""
        document = {
            "position": self.head.position,
            "chain": self.head.chain.hex(),
            "contexts": {context: self.contexts[context]._asdict() for context in CONTEXTS},
            "batches": [row.document("batch", "name", "status", "opened_at", "events") for row in self.batches],
            "warehouse": self.place._asdict(),
        }
        if self.sources:
            document["sources"] = {name: one._asdict() for name, one in self.sources.items()}
        if self.verified is not None:
            document["verified"] = self.verified._asdict()
        if self.relays:  # an installation without Kafka need not know of it
            document["relays"] = {relay.name: relay.document() for relay in self.relays}
        if self.stale_copies:
            document["stale_copies"] = [copy.document() for copy in self.stale_copies]
        if self.backup is not None:
            document["backup"] = self.backup._asdict()
        if self.drill is not None:
            document["drill"] = {"drilled_at": self.drill.drilled_at, **self.drill.found._asdict()}
        return document

    def _of_read_models(self) -> Iterator[str]:
        for context, told in self.contexts.items():
            if told.made_by != "this":
                yield who_made(context, told.made_by)
            if told.lag:
                yield f"{context} is {count(told.lag, 'event')} behind the log: replayhouse project."
        for stream in self.parked:
            yield (
                f"The stream {stream.stream_id} of {stream.context} cannot be folded ({stream.error}): replayhouse "
                "project --retry-parked once that is mended."
            )

    def _of_loads(self) -> Iterator[str]:
        for load in self.batches:
            if load.status == "open":
                yield (
                    f"The load {load.name} ({load.batch_id}) is open: it is at work, or was killed. Then ingest its "
                    f"files again, or replayhouse retract {load.batch_id} --reason TEXT."
                )
            if load.status == "retracting":
                yield (
                    f"The load {load.name} ({load.batch_id}) is half taken back: replayhouse retract {load.batch_id} "
                    "--reason TEXT finishes it."
                )

    def _of_relays(self) -> Iterator[str]:
        for relay in self.relays:
            if relay.is_silent:
                yield silence_of(relay)
            if relay.state not in ("waiting", "starting") and relay.error is not None:
                yield f"Relay {relay.name} has ended: {relay.error}"

    def _of_the_log(self) -> Iterator[str]:
        if self.verified is not None and self.verified.reason is not None:
            yield f"{what_was_verified(self.verified)} replayhouse audit verify says whether that is so still."

    def _of_backups(self) -> Iterator[str]:
        if self.drill is not None and self.drill.found.failure is not None:
            yield what_a_drill_found(self.drill)
        backup, drill = self.backup, self.drill
        yield from _too_old("backup", self.goals.backup, None if backup is None else backup.made_at)
        yield from _too_old("drill", self.goals.drill, None if drill is None else drill.drilled_at)


def _too_old(what: str, most: timedelta | None, at: datetime | None) -> Iterator[str]:
    if most is None:
        return
    command = f"replayhouse db {what}"
    if at is None:
        yield f"There was no {what} of this database yet, and one is due every {age(most)}: {command} FILE."
    elif (old := datetime.now(UTC) - at) > most:
        yield (
            f"The last {what} is {age(old)} old ({_moment(at)} UTC), and one is due every {age(most)}: {command} FILE."
        )


def status(site: Site) -> Status:
    """Looks at the warehouse, and changes nothing. Where it is, only owners are told."""
    contexts = status_of(site.as_reader)
    with site.as_reader.connect("replayhouse status") as connection:
        place = place_of(connection, site.settings)
        return Status(
            place if site.is_for_owner else place._replace(home=None, database=None),
            read_head(connection),
            contexts,
            parked_streams(connection),
            relays(connection),
            all_batches(connection),
            verifications.latest(connection),
            copies.of_before_an_erasure(connection),
            last_backup(connection),
            last_drill(connection),
            Goals(site.settings.backup_max_age, site.settings.drill_max_age),
        )


def who_made(context: str, made_by: str) -> str:
    """What is said of a read model that another version of the program has made."""
    if made_by == "earlier":
        return f"{context} was made by an earlier version of this program: replayhouse project fills its tables anew."
    return f"{context} was made by a newer version of this program, which should be used."


def what_a_copy_shows(copy: Copy) -> str:
    """What is said of a copy elsewhere that was read before the newest erasure."""
    return f"The {copy.named} may show a person who was erased since: {copy.remedy}."


def silence_of(relay: RelayStatus) -> str:
    """What is said of a relay that should have said something by now."""
    return f"Relay {relay.name} has said nothing since {_moment(relay.updated_at)} UTC: it was killed, or hangs."


def what_was_verified(found: Verification) -> str:
    """What the last verification found, and when."""
    when = f"verified {_moment(found.verified_at)} UTC"
    if found.reason is None:
        return f"The log held up to position {found.position:,} when it was {when}."
    return f"The log did not hold from position {found.position:,} on when it was {when}: {found.reason}."


def what_is_backed_up(found: LastBackup) -> str:
    """What is said of the newest backup."""
    how = "encrypted" if found.is_encrypted else "in clear"
    return f"The last backup was made {_moment(found.made_at)} UTC, {how}, up to position {found.position:,}."


def what_a_drill_found(found: LastDrill) -> str:
    """What is said of the newest drill."""
    when, told = _moment(found.drilled_at), found.found
    if told.failure is not None:
        return f"The last drill, {when} UTC, with {told.file}, failed: {told.failure}"
    return f"The last drill, {when} UTC, with {told.file}, had answers after {told.seconds_to_answers:.1f} s."


def age(span: timedelta) -> str:
    """A span of time in its largest unit, rounded down: `26 h`, `8 d`, `40 min`."""
    seconds = int(span.total_seconds())
    if seconds >= 3 * 86400:
        return f"{seconds // 86400} d"
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds // 60} min"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
