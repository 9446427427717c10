"""Work on one or two connections at once, each connection in a thread: the driver waits outside of Python's lock."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

Lane = Callable[[psycopg.Connection], None]


def side_by_side(url: str, lanes: Sequence[Lane]) -> None:
    """Runs each lane on a connection of its own, in one transaction that is committed at its end."""

    def run(lane: Lane) -> None:
        with psycopg.connect(url) as connection:
            lane(connection)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for _ in pool.map(run, lanes):
            pass
