"""What stands in live tables, held against what the log makes, before that takes its place.

A rebuild mends rows that somebody changed by hand; whoever asked for it is told that there were some.
"""

import psycopg

from replayhouse.infra.read_models import checkpoints, versions
from replayhouse.infra.read_models.digests import table_digests
from replayhouse.infra.read_models.rebuild.revisions import NextRevision
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.read_models.schema import model_of


def differing_tables(conn: psycopg.Connection, revision: NextRevision, rebuilt: Rebuilt) -> list[str] | None:
    """The live tables of a context that are not what was folded for the next revision; within a transaction.

    None where they need not be the same: they show another position, are not filled yet, or were made by a program with
    other tables or another fold. Costs a scan, about 2 microseconds a row.
    """
    context = revision.context
    live = checkpoints.projected(conn, context)
    if revision.fills or live is None or live.position != rebuilt.position or not versions.is_current(conn, context):
        return None
    standing = table_digests(conn, model_of(context, context))
    return [name for name, digest in rebuilt.tables.items() if standing.get(name) != digest]
