"""What a rebuild holds against itself before it is shown: a sample of streams, folded once more from the log."""

import secrets
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.postgres.copy_out import copied_lines
from replayhouse.infra.read_models.rebuild.workers import digests_of
from replayhouse.infra.read_models.schema import Model, qualified
from replayhouse.infra.read_models.stream_source import read_streams
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.digest import NOTHING, digest_of
from replayhouse.projections.projection import columns_without_position

SAMPLE = 100
"""So many events of each context are chosen by chance, and their streams checked."""

_FORMS = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL extra_float_digits = 1"
_SAMPLED = sql.SQL("""
    SELECT DISTINCT found.originator_id
    FROM unnest(%s::bigint[]) AS at(position)
    CROSS JOIN LATERAL (
        SELECT originator_id FROM event_store.{events}
        WHERE notification_id >= at.position ORDER BY notification_id LIMIT 1
    ) AS found
""")
_ROWS = sql.SQL("COPY (SELECT {columns} FROM {table} WHERE position = ANY({positions})) TO STDOUT")


def check(conn: psycopg.Connection, model: Model, position: int) -> None:
    """Compares the rows of some streams in tables that show `position` with what they fold to now.

    Within a transaction. Raises ReplayhouseError, which names the table.
    """
    sample = read_streams(conn, model.projection.context, _sample(conn, model, position), position)
    found = [stream.effective() for stream in sample]
    folded = digests_of(model, (model.projection.fold(stream) for stream in found))
    positions = sql.Literal([stream.position for stream in found])
    conn.execute(_FORMS)
    for name, table in model.tables.items():
        columns = sql.SQL(", ").join(map(sql.Identifier, columns_without_position(table)))
        query = _ROWS.format(columns=columns, table=qualified(table), positions=positions)
        stands = digest_of(line[:-1] for line in copied_lines(conn, query))
        if stands != folded.get(name, NOTHING):
            raise ReplayhouseError(
                f"The self-check has failed: of {len(found):,} streams that were folded once more, the rows in "
                f"{model.projection.context}.{name} are other ones than those that stand in its new table. The live "
                "read model stays as it was. Run replayhouse audit verify, and the same command again."
            )


def _sample(conn: psycopg.Connection, model: Model, position: int) -> list[UUID]:
    query = _SAMPLED.format(events=sql.Identifier(f"{model.projection.context}_events"))
    places = [1 + secrets.randbelow(max(1, position)) for _ in range(SAMPLE)]
    return [stream for (stream,) in conn.execute(query, [places]).fetchall()]
