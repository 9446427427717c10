"""Erasing a person: the keys of their data are destroyed, and the read models follow."""

from dataclasses import dataclass
from uuid import UUID

import psycopg

from replayhouse.infra.application.project import catch_up_all
from replayhouse.infra.application.site import Site
from replayhouse.infra.loads.batches import Loads
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.privacy import copies
from replayhouse.infra.privacy.copies import Copy
from replayhouse.infra.privacy.erasure import Erasure, vacuum
from replayhouse.infra.privacy.erasure import erase as erase_person
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.read_models.forgetting import forget_on_marts
from replayhouse.infra.read_models.marts_shown import marts_of_before_an_erasure
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.infra.runtime.given_texts import read_reason
from replayhouse.infra.runtime.short_ids import read_id
from replayhouse.infra.telemetry.happenings import Happening, happened


@dataclass(frozen=True)
class EraseReport:
    """What `customer erase` answers: what was done, who did it, and why; the latter two if it was not done before.

    `copies` are those outside of the database that may show the person until they are made anew.
    """

    customer: UUID
    erasure: Erasure
    by: str
    reason: str
    copies: list[Copy]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        done = self.erasure
        return {
            "customer": self.customer,
            "status": "erased" if done.is_news else "already erased",
            "erased_at": done.at,
            "position": done.position,
            **({"by": self.by, "reason": self.reason} if done.is_news else {}),
            "quarantined_rows": done.rows,
            "stale_views": done.stale,
            "stale_copies": [copy.document() for copy in self.copies],
        }


def erase(site: Site, customer: str, reason: str) -> EraseReport:
    """Destroys the keys of a person's data for good. Whether that is meant, the caller has asked.

    Raises UsageError where the log knows no such person, or no reason is given; Conflicting while another process
    ingests, or a load is open that may bring the person yet.
    """
    person, why, by = read_id(customer), read_reason(reason), site.settings.actor
    listed = ErasedSubjects(site.settings.home)
    with (
        site.database.connect("replayhouse customer erase", autocommit=True) as connection,
        exclusive(connection, "ingest"),
    ):
        loads = Loads(connection)
        loads.disown()  # nobody is to seal anything for the person with a key that was read before it is destroyed
        site.tell("erasing", 0, 0)
        done = erase_person(connection, person, why, by, listed.add)
        if done is None:
            if loads.open_load() is not None:
                loads.refuse_while_under_way()  # it may bring them yet
            raise UsageError(
                f"The log knows no person {person}. A person's id is the customer_unique_id of the customers file."
            )
        if done.is_news:
            happened(Happening.ERASURE_DONE, rows=done.rows)
        if person not in listed.subjects():  # told by another machine, or before there was a list here
            listed.add(person, done.at, done.position)
        catch_up_all(site)
        marts = marts_of_before_an_erasure(connection)
        views = forget_on_marts(connection, marts)
        done = done._replace(stale=list(dict.fromkeys([*done.stale, *marts, *views])))
        _vacuum(site, connection)
        return EraseReport(person, done, by, why, copies.of_before_an_erasure(connection))


def _vacuum(site: Site, connection: psycopg.Connection) -> None:
    try:
        with translated():
            vacuum(connection)
    except Conflicting as error:
        site.warn(f"What is erased is out of reach; the server frees its space later. {error}")
