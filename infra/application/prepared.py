"""Read models that are there for whoever asks: where they are missing, the program makes them, whoever that is."""

import psycopg

from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models.preparing import is_prepared, prepare


def prepared(site: Site, conn: psycopg.Connection) -> None:
    """Makes the read models that are not there yet, as `prepare` does; `conn` is only asked whether some are not."""
    if not is_prepared(conn):
        with site.as_program.connect("replayhouse prepare", autocommit=True) as own:
            prepare(own)
