"""The tables of the log as the migrations make them, and how those of a database differ from these.

Whoever may do anything in a database can put something else in the place of a table: a view that leaves rows out, one
with rules or row security, one whose triggers are off. What the tables hold is verified by hashes; what they are is
compared here. It stands once, in FACTS, which a test holds against a freshly migrated database, and is never taken from
the database that is looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import psycopg

from replayhouse.domain.contexts import CONTEXTS

_EVENTS = tuple(f"{context}_events" for context in CONTEXTS)
_READ = (*_EVENTS, "commit", "head")
_PLAIN_INDEX = re.compile(r'CREATE INDEX ("(?:[^"]|"")+"|\w+) ON event_store\.\w+ USING btree \(\w+(, \w+)*\)')
"""Of columns, in PostgreSQL's own order: somebody's aid to a query, which keeps no row out and runs nothing."""
_MAKES_ROWS = {"is", "column", "rule", "policy", "child", "parent"}
"""The parts of a table that decide what is read from it, but for a column more; all others guard what is written."""


class Fact(NamedTuple):
    """One thing that is so of a table: what it is altogether, or the definition of a part with a name."""

    table: str
    part: str
    name: str
    definition: str


class Difference(NamedTuple):
    """How a table is not as the migrations made it; where it `spoils_reading`, what stands there is not known."""

    why: str
    spoils_reading: bool


# --- as the migrations make them --------------------------------------------------------------------------------


def _table(name: str, columns: Mapping[str, str], nullable: Iterable[str] = ()) -> Iterator[Fact]:
    yield Fact(name, "is", "", "a table")
    for number, (column, definition) in enumerate(columns.items(), 1):
        yield Fact(name, "column", column, f"number {number}, {definition}")
        if column not in nullable:
            yield Fact(name, "NOT NULL of", column, "")


def _key(table: str, name: str, kind: str, columns: str) -> Iterator[Fact]:
    yield Fact(table, "constraint", name, f"{kind} ({columns})")
    yield _index(table, name, f"({columns})", "UNIQUE INDEX")


def _index(table: str, name: str, columns: str, kind: str = "INDEX") -> Fact:
    return Fact(table, "index", name, f"CREATE {kind} {name} ON event_store.{table} USING btree {columns}")


def _trigger(table: str, name: str, when: str, each: str, function: str) -> Iterator[Fact]:
    fires = f"BEFORE {when} ON event_store.{table} FOR EACH {each} EXECUTE FUNCTION event_store.{function}"
    yield Fact(table, "trigger", name, f"CREATE TRIGGER {name} {fires}")
    yield Fact(table, "state of the trigger", name, "always enabled")


def _function(name: str, source: str) -> Fact:
    return Fact(name, "is", "", f"a function in plpgsql that takes () and gives trigger, source {source}")


def _append_only(table: str) -> Iterator[Fact]:
    return _trigger(table, "append_only", "DELETE OR UPDATE OR TRUNCATE", "STATEMENT", "refuse_change()")


_STORED = {
    "originator_id": "uuid",
    "originator_version": "bigint",
    "topic": "text",
    "state": "bytea",
    "notification_id": "bigint",
    "batch_id": "uuid",
    "source": "text",
    "leaf": "bytea",
}
_COMMITTED = {
    "last_position": "bigint",
    "first_position": "bigint",
    "batch_id": "uuid",
    "recorded_at": "timestamp with time zone",
    "root": "bytea",
    "chain": "bytea",
}
_HEAD = {
    "position": "bigint",
    "recorded_at": "timestamp with time zone",
    "chain": "bytea",
    "one_row": "boolean, by default true",
}
_KEYS_STAY = (
    "'A key is destroyed by setting it to null. Its row stays: a subject without one has lost its key.'"  # of 0001
)


def _facts() -> Iterator[Fact]:
    for table in _EVENTS:
        yield from _table(table, _STORED, nullable=("batch_id", "source"))
        yield from _key(table, f"{table}_pkey", "PRIMARY KEY", "originator_id, originator_version")
        yield from _key(table, f"{table}_notification_id_key", "UNIQUE", "notification_id")
        yield from _append_only(table)
    erasures = "(originator_id) WHERE (topic ~~ 'customer.CustomerAnonymized.%'::text)"
    yield _index("customer_events", "customer_erasure", erasures)
    yield from _table("commit", _COMMITTED, nullable=["batch_id"])
    yield from _key("commit", "commit_pkey", "PRIMARY KEY", "last_position")
    yield Fact("commit", "constraint", "commit_check", "CHECK ((first_position <= last_position))")
    yield _index("commit", "commit_by_batch", "(batch_id, first_position) WHERE (batch_id IS NOT NULL)")
    yield from _append_only("commit")
    yield from _table("head", _HEAD)
    yield from _key("head", "head_pkey", "PRIMARY KEY", "one_row")
    yield Fact("head", "constraint", "head_one_row_check", "CHECK (one_row)")
    yield from _table("store", {"store_id": "uuid, by default gen_random_uuid()"})
    yield from _key("store", "store_pkey", "PRIMARY KEY", "store_id")
    yield _index("store", "store_is_one_row", "((true))", "UNIQUE INDEX")
    yield from _table("subject_key", {"subject_id": "uuid", "key": "bytea"}, nullable=["key"])
    yield from _key("subject_key", "subject_key_pkey", "PRIMARY KEY", "subject_id")
    yield from _trigger("subject_key", "only_destroyed", "UPDATE", "ROW", "refuse_other_key()")
    yield from _trigger("subject_key", "append_only", "DELETE OR TRUNCATE", "STATEMENT", f"refuse_change({_KEYS_STAY})")
    yield _function("refuse_change", "483fbc890e7afc91b502fa3fb505f01d9010c001d08986c3658001d3af4fd334")
    yield _function("refuse_other_key", "12487e28d9688fd3e3e83b3088e11a08696a47ce468133ca02f598d62574c602")
    # Nothing of ours reads this view, and people do.
    of_each = (f"SELECT '{c}'::text AS context, {', '.join(_STORED)} FROM event_store.{c}_events" for c in CONTEXTS)
    yield Fact("log", "is", "", "a view")
    yield Fact("log", "query", "", " UNION ALL ".join(of_each) + ";")


FACTS = tuple(_facts())
ALL_EVENTS = " UNION ALL ".join(
    f"SELECT text '{context}' AS context, {', '.join(_STORED)} FROM event_store.{context}_events"
    for context in CONTEXTS
)
"""What the view `log` shows, from the tables themselves: it may have become another view."""

_NAMES = sorted({fact.table for fact in FACTS})


# --- as they are ------------------------------------------------------------------------------------------------

_LOCK = f"LOCK TABLE {', '.join(f'event_store.{table}' for table in _READ)} IN ACCESS SHARE MODE"
OWN_NAMES = "SET LOCAL search_path = pg_catalog, pg_temp"
"""For the transaction at hand: functions and operators are PostgreSQL's own, whatever else has their names."""

# What goes without saying is null, so that it is left out of a definition. Servers from PostgreSQL 18 on have
# constraints for NOT NULL; triggers of foreign keys, which a table of somebody else may have on ours, are PostgreSQL's.
_DESCRIBED = """
WITH described AS (
    SELECT c.* FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'event_store' AND c.relname = ANY(%(names)s) AND c.relkind NOT IN ('i', 'I', 'S', 't', 'c')
), columns AS (
    SELECT c.relname, c.relkind, a.* FROM described AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
), triggers AS (
    SELECT c.relname, t.* FROM described AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid
    JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
    WHERE NOT (t.tgisinternal AND p.pronamespace = 'pg_catalog'::regnamespace)
)
SELECT c.relname, 'is', '', concat_ws(' with ',
    CASE WHEN c.relispartition THEN 'a partition' ELSE coalesce(
        '{"r": "a table", "v": "a view", "m": "a materialised view", "f": "a foreign table",
            "p": "a partitioned table"}'::jsonb ->> c.relkind::text, 'a relation of another kind') END,
    CASE WHEN c.relkind = 'r' AND a.amname <> 'heap' THEN 'the access method ' || a.amname END,
    CASE WHEN c.relpersistence <> 'p' THEN 'nothing that survives a crash' END,
    CASE WHEN c.relrowsecurity OR c.relforcerowsecurity THEN 'row level security' END,
    CASE WHEN c.reloftype <> 0 THEN 'a type of its own' END)
FROM described AS c LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
UNION ALL
SELECT a.relname, 'column', a.attname, concat_ws(', ',
    'number ' || row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN 'collated otherwise' END,
    CASE WHEN a.attidentity <> '' THEN 'an identity' END,
    CASE WHEN a.attgenerated <> '' THEN 'generated' END,
    'by default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid))
FROM columns AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.relkind <> 'v'
UNION ALL
SELECT a.relname, 'NOT NULL of', a.attname, '' FROM columns AS a
WHERE a.attnotnull AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND a.attnum = ANY(k.conkey) AND NOT k.convalidated)
UNION ALL
SELECT c.relname, 'constraint', k.conname, pg_catalog.pg_get_constraintdef(k.oid)
FROM described AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid WHERE k.contype NOT IN ('n', 't')
UNION ALL
SELECT c.relname, 'index', i.relname, concat_ws(', ', pg_catalog.pg_get_indexdef(x.indexrelid),
    CASE WHEN NOT (x.indisvalid AND x.indisready AND x.indislive) THEN 'not valid' END)
FROM described AS c JOIN pg_catalog.pg_index AS x ON x.indrelid = c.oid
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
UNION ALL
SELECT t.relname, told.part, t.tgname, told.definition
FROM triggers AS t, LATERAL (VALUES ('trigger', pg_catalog.pg_get_triggerdef(t.oid)), ('state of the trigger',
    CASE t.tgenabled WHEN 'A' THEN 'always enabled' WHEN 'D' THEN 'disabled' ELSE 'not always enabled' END)
) AS told (part, definition)
UNION ALL
SELECT c.relname, 'rule', r.rulename, pg_catalog.pg_get_ruledef(r.oid)
FROM described AS c JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = c.oid
WHERE c.relkind <> 'v' OR r.rulename <> '_RETURN'
UNION ALL
SELECT c.relname, 'policy', p.polname, '' FROM described AS c JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid
UNION ALL
SELECT c.relname, 'child', h.inhrelid::regclass::text, ''
FROM described AS c JOIN pg_catalog.pg_inherits AS h ON h.inhparent = c.oid
UNION ALL
SELECT c.relname, 'parent', h.inhparent::regclass::text, ''
FROM described AS c JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid
UNION ALL
SELECT c.relname, 'query', '', regexp_replace(btrim(regexp_replace(
    pg_catalog.pg_get_viewdef(c.oid), '\\s+', ' ', 'g')), '\\m[a-z]+_events\\.', '', 'g')
FROM described AS c WHERE c.relkind = 'v'
UNION ALL
SELECT p.proname, 'is', '', concat_ws(', ', format('a function in %%s that takes (%%s) and gives %%s', l.lanname,
        pg_catalog.pg_get_function_identity_arguments(p.oid), p.prorettype::regtype),
    CASE WHEN p.prosecdef THEN 'with the rights of its owner' END, 'with the settings ' || p.proconfig::text,
    'source ' || encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'))
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = 'event_store' AND p.proname = ANY(%(names)s)
"""


def facts_of(conn: psycopg.Connection) -> Iterator[Fact]:
    """What is so of the tables of the log in a database, in a transaction with OWN_NAMES."""
    with conn.cursor() as cursor:
        for row in cursor.execute(_DESCRIBED, {"names": _NAMES}):
            yield Fact(*row)


def differences(conn: psycopg.Connection) -> list[Difference]:
    """In what ways the tables of the log are not as the migrations made them; those that spoil reading come first.

    The first thing that a transaction does: until it ends the tables stay what they are, and it sees functions and
    operators of PostgreSQL's own only.
    """
    refused = None
    try:
        with conn.transaction():
            conn.execute(_LOCK.encode())
    except psycopg.ProgrammingError as error:  # one of them is none
        refused = error
    conn.execute(OWN_NAMES)
    found = sorted(_compared(facts_of(conn)), key=lambda difference: not difference.spoils_reading)
    if refused is not None and not (found and found[0].spoils_reading):
        raise refused
    return found


def _compared(found: Iterable[Fact]) -> Iterator[Difference]:
    expected = {fact[:3]: fact for fact in FACTS}
    there = {fact[:3]: fact for fact in found}
    missing = {fact.table for fact in FACTS if fact.part == "is"} - {fact.table for fact in there.values()}
    for place, fact in expected.items():
        if fact.table in missing:
            if fact.part == "is":
                yield _difference(fact, f"event_store.{fact.table} is missing")
        elif place not in there:
            yield _difference(fact, f"event_store.{fact.table} lacks its {fact.part} {fact.name}".rstrip())
        elif fact != (other := there[place]):
            yield _difference(fact, _said(fact, other))
    for place, fact in there.items():
        if place not in expected and not (fact.part == "index" and _PLAIN_INDEX.fullmatch(fact.definition)):
            article = "an" if fact.part == "index" else "a"
            made = f"{article} {fact.part} {fact.name}".rstrip()
            more = _difference(fact, f"event_store.{fact.table} has {made} that no migration made")
            yield more._replace(spoils_reading=more.spoils_reading and fact.part != "column")


def _said(fact: Fact, other: Fact) -> str:
    if fact.part == "is":
        return f"event_store.{fact.table} is {other.definition}, and not {fact.definition}"
    part = f"the {fact.part} {fact.name}".rstrip()
    return f"{part} of event_store.{fact.table} is not as it was made: {other.definition}"


def _difference(fact: Fact, why: str) -> Difference:
    return Difference(why, fact.table in _READ and fact.part in _MAKES_ROWS)
