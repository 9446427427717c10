"""What holds for every test: how hypothesis searches, and that nothing is skipped where it counts."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.prepared import MEMORY, has_memory, prepared, until_the_end

__all__ = ["prepared", "until_the_end"]

CI = os.environ.get("CI") == "true"

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

# Folders of tests are as quick as those of their servers; those of tests that pass are removed (pyproject.toml).
if has_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


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
