"""A home whose database is made and empty, to be copied: making one takes seconds of work, copying it a tenth of one.

It is made once a session, by whichever process of pytest-xdist comes first; the others wait for it. How a database is
made is for tests that begin without one.
"""

import subprocess
from pathlib import Path

import psycopg

from replayhouse.infra.postgres.connection import make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.runtime.settings import Settings

# No machine crashes in a test: what a killed process has written is there, whether it is on disk or not.
UNSYNCED = "ALTER SYSTEM SET fsync = off"


def unsynced(conn: psycopg.Connection) -> None:
    """Makes a server quick, at the price of what a crash of the machine would cost."""
    conn.execute(UNSYNCED)
    conn.execute("SELECT pg_reload_conf()")


def make_prepared(home: Path) -> None:
    """Makes such a home."""
    server = EmbeddedServer(home)
    try:
        database = make_database(Settings(home=home, database_url=None))
        with database.connect(autocommit=True) as conn:
            unsynced(conn)
            prepare(conn)
    finally:
        server.stop()


def furnish(home: Path, prepared: Path) -> None:
    """Gives a new home its database."""
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(prepared / "postgres"), str(home / "postgres")], check=True)
