"""Read models under a prefix, beside the live ones: which there are, how they are put in place, how they are removed.

They stand in the schemas `<prefix>_<context>`, `<prefix>_shared` and `<prefix>_mart`, and in a row of
`read_model.prefix`. While one is being made it is called `unfinished_<n>`, and its row has no `made_at`: what a killed
command leaves is found by that.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.locks import GIVEN_UP, QUICK_LOCK
from replayhouse.infra.read_models import forgetting, refolding, versions
from replayhouse.infra.read_models.digests import table_digests, tables_as_json
from replayhouse.infra.read_models.schema import Model, drop_keys, model_of
from replayhouse.infra.read_models.stream_source import log_of
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.projections.business_time import fold_of
from replayhouse.projections.digest import MODULUS, Digest
from replayhouse.projections.sights import SIGHTS
from replayhouse.projections.warehouse import PROJECTIONS

BESIDE_CONTEXTS = ("shared", "mart")
"""The schemas of a warehouse that are no context's."""

_SEEN_BY_ROLES = tuple(sight.schema for sight in SIGHTS)

LONGEST = 40
"""Characters of a prefix: with the name of a context, it must fit into a name of PostgreSQL's."""

_IN_PLACE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05

_FORM = re.compile(r"[a-z][a-z0-9_]*")
TAKEN = re.compile(
    rf"""(?x)  live | r\d+  # what `audit compare` calls other things
    | unfinished(_\d+)?
    | pg(_.*)? | public | information_schema | replayhouse | event_store | read_model
    | ({" | ".join((*BESIDE_CONTEXTS, *_SEEN_BY_ROLES, *CONTEXTS))}) (_r\d+ | _next | _fresh | _gone)?
    """
)
"""Names that a prefix may not have: those of other things of the warehouse, and what looks like one."""

# Who puts a prefix in place and who destroys a key (`refold`) take this one after the other: see there.
_PUTTING_IN_PLACE = "LOCK TABLE read_model.prefix IN ROW EXCLUSIVE MODE"
_NOBODY_ELSE = "LOCK TABLE read_model.prefix IN SHARE ROW EXCLUSIVE MODE"
_LIST = """
    SELECT prefix, position, as_of, occurred_before, contexts, made_at, digest, tables, store, source
    FROM read_model.prefix WHERE made_at IS NOT NULL ORDER BY prefix
"""
_BEGIN = """
    INSERT INTO read_model.prefix (prefix, position, as_of, occurred_before, contexts, store, source)
    SELECT 'unfinished_' || count(*) + 1, %s, %s, %s, %s, %s, %s FROM read_model.prefix WHERE made_at IS NULL
    RETURNING prefix
"""
_UNFINISHED = "SELECT prefix, contexts FROM read_model.prefix WHERE made_at IS NULL"
_CONTEXTS = "SELECT contexts FROM read_model.prefix WHERE prefix = %s AND made_at IS NOT NULL FOR UPDATE"
_FINISH = """
    UPDATE read_model.prefix SET prefix = %s, made_at = clock_timestamp(), tables = %s, digest = %s WHERE prefix = %s
"""
_REFOLDED = "UPDATE read_model.prefix SET tables = %s, digest = %s WHERE prefix = %s"
_FORGET = "DELETE FROM read_model.prefix WHERE prefix = %s"
_EXISTING = "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY 1"
_VIEWS_OF_OTHERS = """
    SELECT DISTINCT format('%%I.%%I', n.nspname, v.relname)
    FROM pg_class AS t
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
    JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class AS v ON v.oid = r.ev_class
    JOIN pg_namespace AS n ON n.oid = v.relnamespace
    WHERE t.relnamespace = ANY(%(schemas)s::text[]::regnamespace[])
        AND v.relnamespace <> ALL(%(schemas)s::text[]::regnamespace[])
    ORDER BY 1
"""
_DROP = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
_RENAME = sql.SQL("ALTER SCHEMA {} RENAME TO {}")


Tables = dict[str, dict[str, dict[str, Any]]]
"""By context and table, `rows` and `digest`, as `rebuild --json` has them."""


class Prefix(NamedTuple):
    """A read model that stands: up to which position, and before which business time, it shows what the log says.

    `as_of` is the recorded time that was asked for, if one was. `digest` is the sum of those of all tables. `store` is
    None, but where it was folded from another log than that of this database: then that log, as far as it is known.
    `source` is that of which it shows the loads; None: of all.
    """

    prefix: str
    position: int
    as_of: datetime | None
    occurred_before: datetime | None
    contexts: tuple[str, ...]
    made_at: datetime
    digest: str
    tables: Tables
    store: str | None
    source: str | None


def prefixes(conn: psycopg.Connection) -> list[Prefix]:
    """All that are complete, by name."""
    rows = conn.execute(_LIST).fetchall()
    return [Prefix(*row)._replace(contexts=tuple(row[4])) for row in rows]


def schema_in(prefix: str, context: str) -> str:
    """Where a context (or `shared`, `mart`) stands under a prefix."""
    return f"{prefix}_{context}"


def refuse_unusable(conn: psycopg.Connection, prefix: str) -> None:
    """Raises UsageError where a prefix is none, or its schemas exist and are not ours."""
    if not _FORM.fullmatch(prefix) or len(prefix) > LONGEST:
        raise UsageError(
            f"'{prefix}' is no prefix for schemas: write small letters, digits and _, a letter first, at most "
            f"{LONGEST} of them, such as before_audit."
        )
    if TAKEN.fullmatch(prefix):
        raise UsageError(f"The prefix '{prefix}' would be taken for something else of the warehouse: choose another.")
    ours = {s for p in prefixes(conn) if p.prefix == prefix for s in _schemas(prefix, p.contexts)}
    wanted = _schemas(prefix, PROJECTIONS)
    if others := [name for (name,) in conn.execute(_EXISTING, [wanted]).fetchall() if name not in ours]:
        raise UsageError(
            f"Under the prefix '{prefix}' there are schemas already that no rebuild has made: {', '.join(others)}. "
            "Choose another prefix."
        )


def _schemas(prefix: str, contexts: Iterable[str]) -> list[str]:
    return [schema_in(prefix, name) for name in (*contexts, *BESIDE_CONTEXTS, *_SEEN_BY_ROLES)]


class Unfinished(NamedTuple):
    """A prefix in the making: what `read_model.prefix` says of it, and its models by context.

    `asked` is what `refolding.newest` gave before the first event was read. `store` and `source` are as those of a
    Prefix.
    """

    prefix: str
    position: int
    occurred_before: datetime | None
    models: Mapping[str, Model]
    asked: int
    store: str | None
    source: str | None


def begin(
    conn: psycopg.Connection,
    contexts: Iterable[str],
    position: int,
    as_of: datetime | None,
    occurred_before: datetime | None,
    store: str | None = None,
    source: str | None = None,
) -> Unfinished:
    """Makes the tables of a prefix to come, with their unknown members, without keys; in one transaction."""
    wanted, asked = list(contexts), refolding.newest(conn)
    with conn.transaction():
        row = conn.execute(_BEGIN, [position, as_of, occurred_before, wanted, store, source]).fetchone()
        assert row is not None  # one row is inserted
        models = {context: model_of(context, schema_in(row[0], context)) for context in wanted}
        for model in models.values():
            model.create(conn)
            for table in model.tables.values():
                drop_keys(conn, table)
    return Unfinished(row[0], position, occurred_before, models, asked, store, source)


def put_in_place(conn: psycopg.Connection, made: Unfinished, prefix: str, tables: dict[str, dict[str, Digest]]) -> None:
    """Gives what was made its prefix, in the place of what had that before: readers see the one or the other.

    `tables` are its digests by context and table. Where keys were destroyed since it was begun, the rows of those
    streams are set right first, and the digests with them. Waits for readers of the former tables 50 ms at a time, up
    to 30 s, then raises Conflicting; so it does where views of others stand on them.
    """

    def step() -> None:
        _drop_if_there(conn, prefix)
        for context, model in made.models.items():
            if made.store is None and (streams := refolding.asked_since(conn, context, made.asked)):
                tables[context] = _refolded(conn, model, streams, made)
                forgetting.refresh(conn, [model])
        told = {context: tables_as_json(of_context) for context, of_context in tables.items()}
        for name in (*made.models, *BESIDE_CONTEXTS, *_SEEN_BY_ROLES):
            old, new = (sql.Identifier(schema_in(p, name)) for p in (made.prefix, prefix))
            conn.execute(_RENAME.format(old, new))
        conn.execute(_FINISH, [prefix, Jsonb(told), _sum_of(told), made.prefix])

    _patiently(conn, prefix, step)


def refold(conn: psycopg.Connection, context: str, streams: Collection[UUID]) -> None:
    """Folds some streams again under every prefix of this log that has the context: a key of theirs is destroyed.

    A prefix that is put in place at the same moment waits for that, and then sets its own rows right.
    """
    conn.execute(_NOBODY_ELSE)
    for known in prefixes(conn):
        if context in known.contexts and known.store is None:
            model = model_of(context, schema_in(known.prefix, context))
            told = dict(known.tables)
            digests = _refolded(conn, model, streams, known)
            told[context] = tables_as_json(digests)
            conn.execute(_REFOLDED, [Jsonb(told), _sum_of(told), known.prefix])


def _refolded(
    conn: psycopg.Connection, model: Model, streams: Collection[UUID], shown: Prefix | Unfinished
) -> dict[str, Digest]:
    """Folds streams again under a prefix; the digests of its tables then. What cannot be folded has no rows.

    Nor have the streams any where the tables are those of an earlier program.
    """
    if versions.has_declared_tables(conn, model):
        fold, part = fold_of(model.projection, shown.occurred_before), log_of(conn, shown.source, shown.position)
        refolding.refold(conn, model, streams, shown.position, fold=fold, source=part)
    else:
        refolding.remove(conn, model, streams)
    return table_digests(conn, model)


def _sum_of(told: Tables) -> str:
    digests = [int(table["digest"], 16) for of_context in told.values() for table in of_context.values()]
    return Digest(0, sum(digests) % MODULUS).hex


def drop(conn: psycopg.Connection, prefix: str) -> None:
    """Removes what stands under a prefix; `conn` in autocommit.

    Raises UsageError where nothing does, Conflicting as `put_in_place`.
    """
    known = [p.prefix for p in prefixes(conn)]
    if prefix not in known:
        there = f"there are {', '.join(known)}" if known else "there is none"
        raise UsageError(f"Nothing stands under the prefix '{prefix}': {there}.")
    _patiently(conn, prefix, lambda: _drop_if_there(conn, prefix))


def _drop_if_there(conn: psycopg.Connection, prefix: str) -> None:
    row = conn.execute(_CONTEXTS, [prefix]).fetchone()
    if row is not None:
        refuse_views_of_others(conn, prefix, row[0])
        _remove(conn, prefix, row[0])


def refuse_views_of_others(conn: psycopg.Connection, prefix: str, contexts: Iterable[str]) -> None:
    """Raises Conflicting where somebody's views would go with the tables of a prefix that stands."""
    existing = [name for (name,) in conn.execute(_EXISTING, [_schemas(prefix, contexts)]).fetchall()]
    views = [name for (name,) in conn.execute(_VIEWS_OF_OTHERS, {"schemas": existing}).fetchall()]
    if views:
        raise Conflicting(
            f"Views of others stand on the tables under '{prefix}': {', '.join(views)}. Drop them first, or choose "
            "another prefix."
        )


def remove_unfinished(conn: psycopg.Connection) -> None:
    """Removes what killed commands have left; the caller knows that none is making any."""
    for prefix, contexts in conn.execute(_UNFINISHED).fetchall():
        abandon(conn, prefix, contexts)


def abandon(conn: psycopg.Connection, unfinished: str, contexts: Iterable[str]) -> None:
    """Removes a prefix that was never put in place."""
    with conn.transaction():
        _remove(conn, unfinished, contexts)


def _remove(conn: psycopg.Connection, prefix: str, contexts: Iterable[str]) -> None:
    schemas = reversed(_schemas(prefix, contexts))
    conn.execute(_DROP.format(sql.SQL(", ").join(map(sql.Identifier, schemas))))
    conn.execute(_FORGET, [prefix])


def _patiently(conn: psycopg.Connection, prefix: str, step: Callable[[], None]) -> None:
    """Does a step in a transaction that waits for locks 50 ms at a time, so that readers never queue behind it."""
    deadline = time.monotonic() + _IN_PLACE_SECONDS
    while True:
        try:
            with conn.transaction():
                conn.execute(QUICK_LOCK)
                conn.execute(_PUTTING_IN_PLACE)
                step()
                return
        except GIVEN_UP as error:
            if time.monotonic() > deadline:
                raise Conflicting(
                    f"Readers of the tables under '{prefix}' have not let go of them for 30 s. Try again when long "
                    "queries have ended."
                ) from error
            time.sleep(_PAUSE_SECONDS)
