"""A consumer as a process of its own, which may be told to be killed in the middle of handling an event.

    python -m tests.support.consumer_process BOOTSTRAP PREFIX INBOX [DIES_AT]

It counts each payment, and writes each down; killed at the DIES_AT'th, between handling it and the commit.
"""

import os
import signal
import sys
from typing import Any

from replayhouse_consumer import Consumer
from replayhouse_consumer.events import PaymentReceivedV1

TABLES = """
CREATE TABLE IF NOT EXISTS counter (only_row INT PRIMARY KEY, n BIGINT NOT NULL);
INSERT INTO counter VALUES (1, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS seen (event TEXT NOT NULL);
"""


def main() -> None:
    bootstrap, prefix, inbox, *dies = sys.argv[1:]
    dies_at = int(dies[0]) if dies else None
    quick = {"session_timeout_ms": 1000, "heartbeat_interval_ms": 250}
    consumer = Consumer(
        bootstrap, group="g", contexts=["sales"], inbox=inbox, tables=TABLES, prefix=prefix, batch=25, kafka=quick
    )
    handled = 0

    @consumer.on(PaymentReceivedV1, ignore_rewinds=True)
    def happened(event: PaymentReceivedV1, db: Any) -> None:
        nonlocal handled
        handled += 1
        db.execute("UPDATE counter SET n = n + 1")
        db.execute(f"INSERT INTO seen VALUES ('{event.envelope.stream}.{event.envelope.version}')")
        if handled == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if handled == 1:
            print("works", flush=True)

    consumer.run(to_end=dies_at is None)


if __name__ == "__main__":
    main()
