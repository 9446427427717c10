"""The access log: what is read in clear is noted first, and who read what about somebody can be asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.privacy import access_log
from replayhouse.infra.privacy.access_log import Access
from replayhouse.infra.privacy.mentions import names_of, rows_naming, texts_of_rows
from replayhouse.infra.runtime.errors import Forbidden, ReplayhouseError, UsageError
from replayhouse.infra.runtime.identity import Asked
from replayhouse.infra.runtime.short_ids import read_id


@dataclass(frozen=True)
class AccessReport:
    """What `customer access` answers: the newest entries about a person, and about what is theirs."""

    customer: UUID
    entries: Sequence[Access]

    def document(self) -> list[dict[str, object]]:
        """As JSON shows it: the entries."""
        return [entry.document() for entry in self.entries]


def asking(site: Site) -> Asked:
    """On whose behalf the site works. Raises Forbidden where nobody is known to ask."""
    if site.asked is None:
        raise Forbidden("It is not known who asks, so nothing personal is read.")
    return site.asked


def noted(site: Site, command: str, resource: str, subjects: Iterable[UUID], *, is_record: bool = False) -> bool:
    """Whether whoever asks may see personal fields of these subjects; so it is noted that they are about to be read.

    `is_record`: it is the texts of quarantined records, which stewards see too. See note_access.
    """
    by = asking(site).by
    if not (by.sees_records if is_record else by.sees_people):
        return False
    note_access(site, command, resource, subjects)
    return True


def note_access(site: Site, command: str, resource: str, subjects: Iterable[UUID]) -> None:
    """Notes that personal fields of these subjects are about to be read in clear.

    The entry is committed on a connection of its own: whatever becomes of the reading, it stays. Raises a
    ReplayhouseError where it cannot be written, and then nothing is to be read. `command` is what it is read for,
    where nobody says.
    """
    asked = asking(site)
    asked = asked._replace(purpose=asked.purpose or command)
    try:
        with translated(), site.as_program.connect("replayhouse access", autocommit=True) as conn:
            access_log.write(conn, asked, resource, subjects)
    except ReplayhouseError as error:
        told = "Nothing personal was read, for who reads it could not be written into the access log."
        raise type(error)(f"{told} {error}", then=error.then) from error


def access(site: Site, customer: str, limit: int) -> AccessReport:
    """Who was shown what about a person, the newest entries first. Raises UsageError for what is no id, or no limit."""
    person = read_id(customer)
    if limit < 1:
        raise UsageError(f"The limit is {limit:,}: it must be 1 or more.")
    with site.database.connect("replayhouse customer access") as conn:
        names = names_of(conn, [person], lambda: texts_of_rows(conn))
        rows = rows_naming(names.ids, lambda: texts_of_rows(conn))
        subjects = {person, *map(UUID, names.ids), *names.orders, *names.reviews, *rows}
        return AccessReport(person, access_log.about(conn, subjects, limit))
