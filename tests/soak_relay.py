"""Kills relays and brokers for a long time: `python -m tests.soak_relay [--kills N] [--seed S]`.

Orders are placed all the while. After every few kills a relay publishes the rest, and what is on the topic must be the
log, once and in order. Ends with exit code 1 where it is not, and tells the seed.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from replayhouse.infra.postgres.connection import Database, make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.settings import Settings
from tests.soak import say
from tests.support.brokers import OwnBroker, applied, settings_for
from tests.support.crashes import a_seed
from tests.support.placed_orders import Orders, being_placed
from tests.support.published import complaints
from tests.support.relay_processes import RelayProcess, Relays, Setting

KILLS_A_ROUND = 10
TRANSACTION_SECONDS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak_relay", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="how many relays and brokers to kill; 100 by default")
    parser.add_argument("--seed", type=int, default=None, help="repeats the choice of moments; a new one by default")
    given = parser.parse_args(arguments)
    seed = a_seed() if given.seed is None else given.seed
    say(f"seed {seed}, {given.kills} kills of relays and brokers")
    with tempfile.TemporaryDirectory(prefix="replayhouse-soak-") as folder:
        server, broker = EmbeddedServer(Path(folder, "home")), OwnBroker(Path(folder, "broker"))
        try:
            database = make_database(Settings(home=Path(folder, "home"), database_url=None))
            broker.start()
            return _soak(database, broker, given.kills, random.Random(seed))
        finally:
            broker.stop()
            server.stop()


def _soak(database: Database, broker: OwnBroker, kills: int, chance: random.Random) -> int:
    kafka = applied(settings_for(broker, transaction_seconds=TRANSACTION_SECONDS), "sales")
    relays = Relays(Setting(database.url, kafka))
    with database.connect("replayhouse soak", autocommit=True) as conn:
        orders = Orders(conn)
        for done in range(0, kills, KILLS_A_ROUND):
            with being_placed(database, orders):
                for _ in range(min(KILLS_A_ROUND, kills - done)):
                    _harm(relays.start(), relays, broker, chance)
            relays.run()
            if wrong := complaints(kafka, database, ["sales"]):
                say("\n".join(wrong))
                return 1
            say(f"{min(done + KILLS_A_ROUND, kills)} of {kills}: all is there, once and in order")
    return 0


def _harm(relay: RelayProcess, relays: Relays, broker: OwnBroker, chance: random.Random) -> None:
    """Something happens to a relay that runs, and it is gone in the end."""
    time.sleep(chance.uniform(0.1, 2.0))
    match chance.choice(["killed", "killed", "broker killed", "asleep", "another one"]):
        case "broker killed":
            broker.kill()
            time.sleep(chance.uniform(0.0, 3.0))
            broker.start()
            time.sleep(chance.uniform(0.0, 3.0))
        case "asleep":
            relay.send(signal.SIGSTOP)
            time.sleep(chance.uniform(0.0, 2.5 * TRANSACTION_SECONDS))
            relay.send(signal.SIGCONT)
            time.sleep(chance.uniform(0.0, 1.0))
        case "another one":
            second = relays.start()
            time.sleep(chance.uniform(0.1, 2.0))
            second.kill()
    relay.kill()


if __name__ == "__main__":
    sys.exit(main())
