"""What is exported: which schemas stand for the contexts, up to which position, and what their rows follow from.

`made_of` tells rows apart without reading them: where it is the same as before, so are they. It names the program's
fold and tables, the newest event that is shown, the chain of the commit that holds it (a log that went on from an
earlier backup has other events at the same positions), and the last erasure that had rows folded anew.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from replayhouse.infra.event_store.commits import commits_after, newest_before
from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.event_store.merkle import GENESIS
from replayhouse.infra.read_models import marts_shown, refolding
from replayhouse.infra.read_models.prefixes import Prefix, schema_in
from replayhouse.infra.read_models.rebuild.revisions import ListedRevision, listed, schema_of
from replayhouse.infra.read_models.snapshots.moments import LIVE
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.warehouse import PROJECTIONS

_LIVE = """
    SELECT p.context, p.revision, p.position,
        (SELECT coalesce(max(seq), 0) FROM read_model.refold AS r WHERE r.context = p.context),
        (
            SELECT coalesce(md5(string_agg(originator_id || ' ' || folded_to, ',' ORDER BY originator_id)), '')
            FROM read_model.parked AS s WHERE (s.context, s.revision) = (p.context, p.revision)
        )
    FROM read_model.projection AS p
    WHERE p.context = ANY(%s)
"""
_NEWEST = sql.SQL("SELECT coalesce(max(notification_id), 0) FROM {} WHERE notification_id <= %s")


class Shown(NamedTuple):
    """A context as it is exported: the schema where it stands, and what its rows follow from.

    No revision: it is folded for the occasion. `position` is up to where it shows events.
    """

    schema: str
    revision: int | None
    position: int
    made_of: Mapping[str, Any]


class Source(NamedTuple):
    """All that is exported. `mart` is None where there are no marts, as without all contexts.

    `position` is the lowest of the contexts, `chain` that up to there, None within a commit. `read_at` is where the
    log ended when the rows were read, or before: keys that were destroyed later are not told by them.
    """

    moment: str
    occurred_before: datetime | None
    contexts: Mapping[str, Shown]
    shared: str
    mart: str | None
    marts_made_of: Mapping[str, Any]
    position: int
    chain: str | None
    read_at: int

    @property
    def schemas(self) -> dict[str, str]:
        """Where everything stands, by its name in the export."""
        of_contexts = {context: shown.schema for context, shown in self.contexts.items()}
        return {**of_contexts, "shared": self.shared, **({} if self.mart is None else {"mart": self.mart})}


def live(conn: psycopg.Connection, contexts: Sequence[str]) -> Source:
    """The live read models, as the transaction at hand sees them."""
    rows = {context: rest for context, *rest in conn.execute(_LIVE, [list(contexts)]).fetchall()}
    shown = {}
    for context in contexts:
        revision, position, refolded, parked = rows[context]
        newest = _newest(conn, context, position)
        made_of = {
            **_made_by(context),
            "revision": revision,
            "newest": newest,
            "chain": _chain_beyond(conn, newest),
            "refolded": refolded,
            "parked": parked,
        }
        shown[context] = Shown(context, revision, position, made_of)
    noted = marts_shown.noted(conn) if shown.keys() == PROJECTIONS.keys() else None
    head = read_head(conn).position
    if noted is None:
        return _source(conn, LIVE, shown, "shared", None, {}, head)
    of_marts = {"definition": noted.definition, "made_at": noted.made_at.isoformat()}
    # Marts may not know of an erasure yet, which the tables know of.
    read_at = head if noted.erasures == refolding.erasures(conn) else min(head, noted.position)
    return _source(conn, LIVE, shown, "shared", "mart", of_marts, read_at)


def under(conn: psycopg.Connection, known: Prefix, contexts: Sequence[str]) -> Source:
    """What stands under a prefix. Raises UsageError where it has not all contexts, or is of another log."""
    if known.store is not None:
        raise UsageError(f"What stands under the prefix '{known.prefix}' was folded from another log than this one.")
    _refuse_missing(known.prefix, known.contexts, contexts)
    made_of = {"prefix": known.prefix, "made_at": known.made_at.isoformat(), "digest": known.digest}
    shown = {context: Shown(schema_in(known.prefix, context), None, known.position, made_of) for context in contexts}
    mart = schema_in(known.prefix, "mart") if shown.keys() == PROJECTIONS.keys() else None
    found = _source(
        conn, known.prefix, shown, schema_in(known.prefix, "shared"), mart, made_of, read_head(conn).position
    )
    return found._replace(occurred_before=known.occurred_before)


def of_revision(conn: psycopg.Connection, name: str, schemas: Mapping[str, str], contexts: Sequence[str]) -> Source:
    """A revision that is kept, in the schemas of its contexts; calendar and marts are made for the occasion."""
    _refuse_missing(name, schemas, contexts)
    known = {_schema(one): one for one in listed(conn, contexts) if one.status in ("live", "kept")}
    refolded = refolding.newest(conn)
    shown = {}
    for context in contexts:
        one = known[schemas[context]]
        chain = _chain_beyond(conn, one.position or 0)
        made_of = {"revision": one.revision, "position": one.position, "chain": chain, "refolded": refolded}
        shown[context] = Shown(schemas[context], one.revision, one.position or 0, made_of)
    return _source(
        conn,
        name,
        shown,
        "",
        "" if shown.keys() == PROJECTIONS.keys() else None,
        {"definition": marts_shown.definition(), "of": {context: one.made_of for context, one in shown.items()}},
        read_head(conn).position,
    )


def as_of(conn: psycopg.Connection, moment: str, position: int, contexts: Sequence[str]) -> Source:
    """The log up to a position, which is folded for the occasion: no schema is known yet."""
    made_of = {"position": position, "chain": _chain_beyond(conn, position), "refolded": refolding.newest(conn)}
    shown = {context: Shown("", None, position, {**_made_by(context), **made_of}) for context in contexts}
    marts_made_of = {"definition": marts_shown.definition(), **made_of}
    mart = "" if shown.keys() == PROJECTIONS.keys() else None
    return _source(conn, moment, shown, "", mart, marts_made_of, read_head(conn).position)


def standing_under(source: Source, unfinished: str, *, is_folded: bool) -> Source:
    """The same, once what was not known where to stand does so under an unfinished prefix."""
    contexts = {
        context: shown._replace(schema=schema_in(unfinished, context)) if is_folded else shown
        for context, shown in source.contexts.items()
    }
    mart = None if source.mart is None else schema_in(unfinished, "mart")
    return source._replace(contexts=contexts, shared=schema_in(unfinished, "shared"), mart=mart)


def _source(
    conn: psycopg.Connection,
    moment: str,
    shown: Mapping[str, Shown],
    shared: str,
    mart: str | None,
    marts_made_of: Mapping[str, Any],
    read_at: int,
) -> Source:
    position = min(one.position for one in shown.values())
    return Source(
        moment,
        None,
        shown,
        shared,
        mart,
        marts_made_of if mart is not None else {},
        position,
        chain_at(conn, position),
        read_at,
    )


def chain_at(conn: psycopg.Connection, position: int) -> str | None:
    """The chain up to a position, 64 hexadecimal digits; None where that lies within a commit."""
    if position == 0:
        return GENESIS.hex()
    commits = newest_before(conn, position + 1, 1)
    return commits[0].chain.hex() if commits and commits[0].last == position else None


def _chain_beyond(conn: psycopg.Connection, position: int) -> str | None:
    """The chain of the commit that holds a position: it tells all events up to there from those of any other log."""
    if position == 0:
        return GENESIS.hex()
    commits = commits_after(conn, position - 1, at_most=1)
    return commits[0].chain.hex() if commits else None


def _made_by(context: str) -> dict[str, Any]:
    made = PROJECTIONS[context]
    return {"fold": made.version, "fingerprint": made.fingerprint}


def _newest(conn: psycopg.Connection, context: str, position: int) -> int:
    row = conn.execute(_NEWEST.format(sql.Identifier("event_store", f"{context}_events")), [position]).fetchone()
    assert row is not None  # aggregates always give a row
    return int(row[0])


def _refuse_missing(name: str, there: Mapping[str, str] | Sequence[str], contexts: Sequence[str]) -> None:
    if missing := [context for context in contexts if context not in there]:
        raise UsageError(f"'{name}' has no context {missing[0]}: it has {', '.join(there)}. Name those.")


def _schema(one: ListedRevision) -> str:
    return one.context if one.status == "live" else schema_of(one.context, one.revision)
