"""The records that a load was the first to keep apart, as the log tells of them."""

from uuid import UUID

import psycopg

_BY_RULE = """
SELECT convert_from(state, 'UTF8')::jsonb ->> 'rule' AS rule, count(*)
FROM event_store.quality_events
WHERE batch_id = %s AND topic LIKE 'quality.RowQuarantined.%%'
GROUP BY rule
ORDER BY count(*) DESC, rule
"""


def kept_apart_by_rule(connection: psycopg.Connection, batch_id: UUID) -> dict[str, int]:
    """How many they are by the rule that they broke, the most frequent first."""
    return dict(connection.execute(_BY_RULE, [batch_id]).fetchall())
