"""The id of a thing that its source calls by a key of its own: an order by its number, a person by an address.

A mapping makes ids of keys by `id(kind, key)` and `person_id(key)`. The same ids are computed here for each source, and
looked up. No key of a person leaves this module: not in a message, and not in an entry of the access log.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.application.history import kind_named
from replayhouse.infra.application.prepared import prepared
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.audit.named_streams import people_behind, streams_from
from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.loads.batches import Loads
from replayhouse.infra.loads.source_names import known_source, source_names
from replayhouse.infra.runtime.errors import Conflicting, Unknown, UsageError
from replayhouse.infra.runtime.short_ids import IdStart, id_start
from replayhouse.infra.runtime.telling import with_article
from replayhouse.infra.sources.natural_keys import id_of_key, person_id_of_key
from replayhouse.infra.sources.secret import kept_secret

ALIAS = "alias"
"""What a customer is called in one order: no kind of thing with a history, but a key of customer.customer_alias."""

ID_KINDS: dict[str, str] = {
    HistoryKind.ORDER: "order",
    HistoryKind.SHIPMENT: "order",
    HistoryKind.REVIEW: "review",
    HistoryKind.PRODUCT: "product",
    HistoryKind.SELLER: "seller",
    ALIAS: "alias",
}
"""The kind in `id(kind, key)` by which things are looked for where nothing else is said; people by `person_id(key)`."""


class WrittenOtherwise(NamedTuple):
    """A key as a source may write it instead, and what is different then."""

    key: str
    how: str


class KeySearch(NamedTuple):
    """What a key may be of: things of a kind in some sources, by `id` with `id_kind`; without one, by `person_id`."""

    kind: str
    sources: Sequence[str]
    id_kind: str | None
    secret: bytes | None = None

    def found(self, conn: psycopg.Connection, key: str) -> dict[str, UUID]:
        """The thing of that key, by source."""
        ids = {source: self._id(source, key) for source in self.sources}
        looked_up = {source: self._known(conn, one) for source, one in ids.items() if one is not None}
        return {source: known for source, known in looked_up.items() if known is not None}

    def _id(self, source: str, key: str) -> UUID | None:
        if source == BUILT_IN:
            start = id_start(key)
            return start.first if start is not None and start.is_whole else None
        if self.id_kind is not None:
            return id_of_key(source, self.id_kind, key)
        return None if self.secret is None else person_id_of_key(source, key, self.secret)

    def _known(self, conn: psycopg.Connection, one: UUID) -> UUID | None:
        whole = IdStart(one.hex, one, one)
        if self.kind == ALIAS:
            return one if people_behind(conn, whole, 1) else None
        found = streams_from(conn, HistoryKind(self.kind), whole, 1)
        if not found and self.kind == HistoryKind.CUSTOMER and self.id_kind is not None:
            found = people_behind(conn, whole, 1)
        return found[0] if found else None


def id_of(site: Site, kind: str, key: str, source: str | None, id_kind: str | None) -> UUID:
    """The id of the thing that has this key in `source`, or in the only one of the warehouse's sources that has it.

    `id_kind` is the kind that the mapping gives `id`, where that is another one than usual. Of people the secret is
    read as whoever asks: to others than owners the database refuses it. Raises Unknown where no source has the key or
    the warehouse no such source, Conflicting for a person whom a load that is open may bring yet, UsageError where
    several sources have it, Forbidden.
    """
    of = kind if kind == ALIAS else kind_named(kind)
    if of not in ID_KINDS and of != HistoryKind.CUSTOMER:
        raise UsageError(f"{with_article(of).capitalize()} has no key of its source: it is known by its id.")
    with site.as_reader.connect("replayhouse key", autocommit=True) as conn:
        sources = source_names(conn) if source is None else [known_source(conn, source)]
        used = id_kind or ID_KINDS.get(of)
        if of in (HistoryKind.CUSTOMER, ALIAS):
            prepared(site, conn)
        search = KeySearch(of, sources, used, _secret(site, sources) if used is None else None)
        try:
            found = search.found(conn, key)
        except UnicodeEncodeError as error:
            raise UsageError("That is no key: it is not text in UTF-8.") from error
        if not found:
            is_yet_to_come = of == HistoryKind.CUSTOMER and Loads(conn).open_load() is not None
            raise (Conflicting if is_yet_to_come else Unknown)(_none(conn, search, key))
    if len(found) > 1:
        raise UsageError(
            f"The sources {' and '.join(found)} each have {with_article(of)} with this key: --source says which."
        )
    return next(iter(found.values()))


def found_by_key(conn: psycopg.Connection, kind: HistoryKind, key: str, of: str | None = None) -> dict[str, UUID]:
    """The things of a kind, other than people, that a mapping's source calls so, or that one alone: by source."""
    sources = [source for source in source_names(conn) if source != BUILT_IN and of in (None, source)]
    return KeySearch(kind, sources, ID_KINDS[kind]).found(conn, key.encode("utf-8", "replace").decode())


def _secret(site: Site, sources: Sequence[str]) -> bytes | None:
    if set(sources) <= {BUILT_IN}:
        return None
    with site.database.connect("replayhouse key", autocommit=True) as conn:
        return kept_secret(conn)


def _none(conn: psycopg.Connection, search: KeySearch, key: str) -> str:
    """That there is none, where it was looked for, and how it may have to be written."""
    if not search.sources:
        return "This warehouse has no loads, so nothing has a key in it."
    is_person = search.kind == HistoryKind.CUSTOMER
    told = "the key that was given" if is_person else f"the key '{key}'"
    start = f"No {search.kind} has {told} in {' or '.join(search.sources)}."
    for other in _written_otherwise(key):
        if search.found(conn, other.key):
            return f"{start} One has it {other.how}: a key is written as in the source's files."
    looked = f"id('{search.id_kind}', key)" if search.id_kind is not None else "person_id(key)"
    by_mapping = (
        "" if search.sources == [BUILT_IN] else f" It was looked for by what {looked} of a mapping makes of it."
    )
    by_id = " Keys of olist are its ids: 32 hexadecimal digits." if BUILT_IN in search.sources else ""
    yet = " A load is open, which may bring it yet." if Loads(conn).open_load() is not None else ""
    return f"{start}{by_mapping}{by_id}{yet}"


def _written_otherwise(key: str) -> list[WrittenOtherwise]:
    bare = key.strip()
    return [
        WrittenOtherwise(bare, "without the blanks around it"),
        WrittenOtherwise(f"{key} ", "with a blank behind it"),
        WrittenOtherwise(key.lower(), "in small letters"),
        WrittenOtherwise(key.upper(), "in capitals"),
        WrittenOtherwise(bare.lower(), "in small letters, without the blanks around it"),
        WrittenOtherwise(f"#{bare}", "with # before it"),
        WrittenOtherwise(bare.removeprefix("#"), "without the # before it"),
    ]
