"""What holds for every test: how hypothesis searches, and that nothing is skipped where it counts; and the fixtures.

What a fixture needs is imported when the first test asks for it, so that a unit test starts without databases and
brokers. What gives the fixtures, and what tests do with them, lives in `tests/support`.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.folders import MEMORY, has_memory, parent_of_shared, shared_folder

if TYPE_CHECKING:
    import psycopg

    from replayhouse.infra.kafka.broker.node import Broker
    from replayhouse.infra.postgres.connection import Database
    from replayhouse.infra.postgres.embedded import EmbeddedServer
    from replayhouse.infra.runtime.kafka_settings import KafkaSettings
    from tests.support.brokers import OwnBroker
    from tests.support.secure_brokers import SecureBroker

CI = os.environ.get("CI") == "true"

# These need the environment of `make test-engines`, which names the folder: that brings it back.
collect_ignore = ["engines"]

# Random on purpose: each run looks elsewhere. A failure prints the line that repeats it (print_blob), and the
# seed in the header of the run repeats the order of the tests. Nothing is too slow: machines differ in speed.
for profile, examples in (("dev", 50), ("ci", 100)):
    settings.register_profile(
        profile,
        derandomize=False,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
        max_examples=examples,
    )
settings.load_profile("ci" if CI else "dev")

# What is compiled is kept, for this process and those that it starts, also where the machine would have it otherwise:
# else each of hundreds of processes compiles all that it imports.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False

# Tests interrupt what they start, also where a shell had this session ignore that, as it does in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Folders of tests are as quick as those of their servers; those of tests that pass are removed (pyproject.toml).
if has_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Whoever has a collector of OpenLineage is not told of tests, but by those that name one.
for name in [name for name in os.environ if name.startswith("OPENLINEAGE_")]:
    del os.environ[name]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a skipped test, or one that is allowed to fail, turns the whole session into a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not CI or reporter is None:  # the workers have no reporter; their reports arrive in the one session that has
        return
    passed_over = [report.nodeid for outcome in ("skipped", "xfailed") for report in reporter.stats.get(outcome, ())]
    if passed_over:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.ensure_newline()
        reporter.section("skipped tests fail the session when CI=true", sep="=", red=True)
        for nodeid in passed_over:
            reporter.line(nodeid)


# --- databases ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """A home whose database is made and empty, and whose server does not run; all processes of the session share it."""
    from tests.support.prepared import make_prepared

    with shared_folder(parent_of_shared(tmp_path_factory, worker_id), "prepared", make_prepared) as home:
        yield home


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> "Iterator[EmbeddedServer]":
    """The embedded server of this test process, or the one that REPLAYHOUSE_TEST_SERVER names.

    Nobody connects to its database `replayhouse`, which is copied.
    """
    from tests.support.databases import OUTSIDE, outside_server, running_server

    url = os.environ.get(OUTSIDE)
    with outside_server(url) if url else running_server(request.getfixturevalue("prepared")) as found:
        yield found


@pytest.fixture
def database(server: "EmbeddedServer") -> "Iterator[Database]":
    """A database of its own for the test, with the schema and no events."""
    from tests.support.databases import copied

    with copied(server) as copy:
        yield copy


@pytest.fixture
def conn(database: "Database") -> "Iterator[psycopg.Connection]":
    """A connection to the test's database, in autocommit, as the database's superuser."""
    with database.connect("replayhouse test", autocommit=True) as connection:
        yield connection


@pytest.fixture
def may_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the test loads comes from a source that may not know promises, days to ship by and sellers."""
    from tests.support.unknown_facts import let_be_unknown

    let_be_unknown(monkeypatch)


# --- brokers --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def broker() -> "Iterator[Broker]":
    """The Kafka broker of this test process; nobody may harm it."""
    from tests.support.brokers import running_broker

    with running_broker() as shared:
        yield shared


@pytest.fixture
def kafka(broker: "Broker") -> "KafkaSettings":
    """Settings for the shared broker, with a prefix that no other test has; no topics are there yet."""
    from tests.support.brokers import settings_for

    return settings_for(broker)


@pytest.fixture
def own_broker() -> "Iterator[OwnBroker]":
    """A running broker of the test's own, which it may harm."""
    from tests.support.brokers import running_broker_to_harm

    with running_broker_to_harm() as own:
        yield own


@pytest.fixture(scope="module")
def secure_broker() -> "Iterator[SecureBroker]":
    """A running broker that asks for TLS and a password; the tests of a module share it."""
    from tests.support.secure_brokers import running_secure_broker

    with running_secure_broker() as secure:
        yield secure
