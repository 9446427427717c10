"""Rows with personal columns that commands show: they are noted in the access log first."""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from replayhouse.infra.application.access import note_access
from replayhouse.infra.application.site import Site
from replayhouse.projections.sights import relations


def note_rows(site: Site, command: str, what: str, table: str, keys: Iterable[Iterable[object]] | None) -> None:
    """Notes that rows of a table are about to be shown, `what` of them; nothing where no column of it is personal.

    The table is named with its schema. `keys` have the ids that it is about, None of rows that are anybody's. Raises
    what `note_access` does.
    """
    if shows_people(table):
        subjects = [] if keys is None else ids_in(keys)
        note_access(site, command, f"{what} {table}", subjects)


def ids_in(keys: Iterable[Iterable[object]]) -> set[UUID]:
    """The ids among the values of keys, also of such as are written out."""
    return {found for key in keys for value in key if (found := _id(value)) is not None}


def shows_people(table: str) -> bool:
    """Whether a table, view or mart has personal columns, wherever it stands: live, or under a prefix.

    What is none of the program's may have any.
    """
    return _personal().get(table.rpartition(".")[2], True)


@cache
def _personal() -> dict[str, bool]:
    return {relation.name: bool(relation.personal) for relation in relations()}


def _id(value: object) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(str(value)) if len(str(value)) in (32, 36) else None
    except ValueError:
        return None
