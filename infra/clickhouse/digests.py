"""The digest of a table as ClickHouse has it, computed there: each row is written as PostgreSQL's COPY writes it.

The definition is in `replayhouse.projections.digest`. A sum of UInt256 wraps at 2^256, as the digest does.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Double, Numeric, Table, Text

from replayhouse.infra.clickhouse import position
from replayhouse.infra.clickhouse.position import Position
from replayhouse.infra.clickhouse.server import Server, quoted
from replayhouse.infra.clickhouse.tables import shown_as
from replayhouse.infra.read_models.digests import ContextDigest
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.projections.digest import Digest
from replayhouse.projections.projection import columns_without_position
from replayhouse.projections.warehouse import PROJECTIONS

_ATTEMPTS = 5

EMPTY = 64 * "0"
"""The hash chain of a log without events."""

_DIGEST = "SELECT count(), sum(reinterpretAsUInt256(reverse(SHA256({line})))) FROM {table}"

_ESCAPES = (
    (r"\\", r"\\\\"),  # the first, for the others bring one
    (r"\b", r"\\b"),
    (r"\t", r"\\t"),
    (r"\n", r"\\n"),
    (r"\v", r"\\v"),
    (r"\f", r"\\f"),
    (r"\r", r"\\r"),
)
"""Each sign and what is written in its place, as literals have them."""

# Where PostgreSQL writes an exponent, from 1e-05 down, with two digits at least: 1.1e-06.
_FLOAT = r"""
    multiIf(
        position(toString({0}), 'e') > 0, replaceRegexpOne(toString({0}), 'e-([0-9])$', 'e-0\\1'),
        {0} != 0 AND abs({0}) < 1e-4, concat(
            replaceRegexpOne(
                replaceRegexpOne(toString({0}), '0\\.0+([1-9])([0-9]*)$', '\\1.\\2'), '\\.$', ''
            ),
            'e-0',
            toString(length(extract(toString({0}), '0\\.(0+)')) + 1)
        ),
        toString({0})
    )
"""
_TIME = r"replaceRegexpOne(toString({0}), '\\.?0+$', '')"


def digests(server: Server, contexts: Sequence[str], *, named: bool) -> dict[str, tuple[ContextDigest, str]]:
    """The digests of what the views of these contexts show, and the hash chain at the position that they show.

    Contexts that were never shown there are left out, unless they were `named`. Raises UsageError where there is none,
    Conflicting where rows are written all the while, or a killed command has left them half written.
    """
    for _ in range(_ATTEMPTS):
        before = position.read(server)
        missing = [context for context in contexts if context not in before]
        if missing and (named or len(missing) == len(contexts)):
            raise UsageError(
                f"{missing[0]} is not at {server.address.place}: replayhouse project --to clickhouse brings it there."
            )
        wanted = [context for context in contexts if context in before]
        found = {c: (_digest(server, c, before[c]), before[c].chain or EMPTY) for c in wanted}
        if position.read(server) == before:
            return found
    raise Conflicting(f"Rows are being written at {server.address.place} all the while: try again.")


def _digest(server: Server, context: str, told: Position) -> ContextDigest:
    if told.writing is not None or not told.is_current(context):
        raise Conflicting(
            f"{context} at {server.address.place} is being written by another command, was left half written by one "
            "that was killed, or was made by another version of this program: run replayhouse project --to clickhouse."
        )
    found = {t.name: digest_of(server, t, server.named(shown_as(t))) for t in PROJECTIONS[context].tables}
    return ContextDigest(told.revision, told.position, found)


def digest_of(server: Server, table: Table, name: str) -> Digest:
    """Rows and digest of a declared table, in the view or table `name` of the database (`FINAL` behind a table)."""
    line = f"concat({', '.join(_fields(table))})"
    [(rows, total)] = server.rows(_DIGEST.format(line=line, table=name))
    return Digest(int(rows), int(total or 0))


def _fields(table: Table) -> list[str]:
    """The expressions of a line: its fields and the tabs between them."""
    fields: list[str] = []
    for name in columns_without_position(table):
        fields += [r"'\t'"] if fields else []
        fields.append(_written(table.columns[name]))
    return [*fields, "''"]  # concat takes two at least


def _written(column: Column[Any]) -> str:
    """A column as text."""
    name = quoted(column.name)
    text = _writer_of(column)(name)
    return rf"ifNull({text}, '\\N')" if column.nullable else text


def _writer_of(column: Column[Any]) -> Callable[[str], str]:
    kind = column.type
    if isinstance(kind, Double):
        return _FLOAT.format
    if isinstance(kind, Numeric):
        scale = kind.scale
        return lambda name: f"toDecimalString({name}, {scale})"
    if isinstance(kind, DateTime):
        return _recorded if kind.timezone else _TIME.format
    if isinstance(kind, Boolean):
        return "left(toString({0}), 1)".format
    return _escaped if isinstance(kind, Text) else "toString({0})".format


def _recorded(name: str) -> str:
    return f"concat({_TIME.format(name)}, '+00')"


def _escaped(name: str) -> str:
    for sign, written in _ESCAPES:
        name = f"replaceAll({name}, '{sign}', '{written}')"
    return name
