"""The lines that the pages show of the kit for consumers keep a table right, as they stand."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import applied
from tests.support.consuming import Log, Publisher
from tests.support.homes import wait_until
from tests.support.pages import python_files_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/consuming.md").read_text(encoding="utf-8")
PAGE_OF_THE_KIT = (ROOT / "consumer/README.md").read_text(encoding="utf-8")
NAME = "paid.py"
LONGEST_S = 120.0


def paid(inbox: Path) -> dict[str, str]:
    with closing(sqlite3.connect(inbox)) as db, suppress(sqlite3.OperationalError):
        return dict(db.execute("SELECT order_id, amount FROM paid"))
    return {}


def test_the_lines_are_few_and_the_same_on_both_pages() -> None:
    source = python_files_of(PAGE)[NAME]
    assert source == python_files_of(PAGE_OF_THE_KIT)[NAME]
    assert sum(1 for line in source.splitlines() if line.strip() and not line.startswith("#")) <= 15


def test_the_lines_keep_a_table_of_what_was_paid(kafka: KafkaSettings, tmp_path: Path) -> None:
    """The address is in the environment, and only the prefix is the test's."""
    applied(kafka, "sales")
    log, publisher = Log(), Publisher(kafka)
    publisher.publish([log.add(1, "OrderPaid", paid="10.10", total="10.00"), log.add(2, "OrderInvoiced")])
    source = python_files_of(PAGE)[NAME]
    ours = source.replace('group="billing"', f'group="billing", prefix="{kafka.prefix}"')
    assert ours != source
    (tmp_path / NAME).write_text(ours, encoding="utf-8")
    inbox = tmp_path / "billing.db"
    environment = {**os.environ, "REPLAYHOUSE_KAFKA_BOOTSTRAP": str(kafka.bootstrap)}
    first, second = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))

    with subprocess.Popen([sys.executable, NAME], cwd=tmp_path, env=environment) as consumer:
        try:
            wait_until(lambda: paid(inbox) == {first: "10.10"})
            publisher.publish([log.add(2, "OrderPaid", paid="7.00", total="7.00"), log.rewound(1, 0)])
            wait_until(lambda: paid(inbox) == {second: "7.00"})
        finally:
            os.kill(consumer.pid, signal.SIGTERM)
        assert consumer.wait(LONGEST_S) == 0
