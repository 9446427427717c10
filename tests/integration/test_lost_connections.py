"""A connection that is lost in the middle of its work is told by its error, and by nothing else on the terminal."""

import subprocess
import sys

from replayhouse.infra.postgres.connection import Database

LOSES_ITS_CONNECTION = """
import sys
from replayhouse.infra.postgres.connection import Database

database = Database(sys.argv[1])
conn, other = (database.connect("replayhouse test", autocommit=True) for _ in range(2))
try:
    with conn.transaction():
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [conn.info.backend_pid])
        raise LookupError
except LookupError:
    print("lost")
"""


def test_the_driver_says_nothing_of_its_own(database: Database) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOSES_ITS_CONNECTION, database.url], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("lost\n", "")
