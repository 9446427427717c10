"""Who was erased, as a sealed log tells it."""

import pyarrow.compute as pc

from replayhouse.domain.customer.events import CustomerAnonymized
from replayhouse.infra.sealed_log.reader import SealedLog

_TOPIC = f"customer.{CustomerAnonymized.__name__}.v"


def newest_erasure(log: SealedLog) -> int:
    """The position of the newest event that tells of an erasure; 0 where none does. All of one context is read."""
    newest = 0
    for batch in log.rows("customer"):
        found = batch.filter(pc.starts_with(batch["topic"].dictionary_decode(), _TOPIC))
        if found.num_rows:
            newest = max(newest, pc.max(found["notification_id"]).as_py())
    return newest
