"""The columns of the files of a segment, and how their rows are grouped."""

from uuid import UUID

import pyarrow as pa

ID = pa.binary(16)
ORDER = [("originator_id", "ascending"), ("originator_version", "ascending")]
"""How the rows of a file of events are sorted."""

EVENTS = pa.schema(
    [
        pa.field("originator_id", ID, nullable=False),
        pa.field("originator_version", pa.int64(), nullable=False),
        pa.field("notification_id", pa.int64(), nullable=False),
        pa.field("topic", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("state", pa.binary(), nullable=False),
        pa.field("batch_id", ID),
        pa.field("source", pa.string()),
    ]
)
COMMITS_SCHEMA = pa.schema(
    [
        pa.field("first_position", pa.int64(), nullable=False),
        pa.field("last_position", pa.int64(), nullable=False),
        pa.field("batch_id", ID),
        pa.field("recorded_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("root", pa.binary(32), nullable=False),
        pa.field("chain", pa.binary(32), nullable=False),
    ]
)

ROWS_A_GROUP = 4_096
BYTES_A_GROUP = 32 * 2**20
"""A row group holds no more of either, but for one row that is larger: whoever reads one holds no more than that."""


def scalar_of(value: UUID) -> pa.Scalar:
    """An id as its columns have it."""
    return pa.scalar(value.bytes, ID)
