"""Puts small changes into the program, one at a time, and says which the unit tests notice: `python -m tests.mutants`.

`[--seed S] [--count N] [--jobs J] [--only FOLDER]`. A change is drawn by chance from all that can be made: a comparison
or its boundary, `and` and `or`, `not`, `+` and `-`, a number, a text, true and false, a result. The files stay as they
are: a change exists in a process of its own, which imports the changed text in the place of the file's. Ends with exit
code 1 if fewer than 98 of 100 are noticed, and prints each that is not, as a diff.

`tests/support/small_changes.py` says what is left out, because it changes nothing that a test could ask.
"""

import argparse
import ast
import importlib
import os
import pickle
import random
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest
from hypothesis import settings

from tests.support.small_changes import (
    ROOT,
    Change,
    Place,
    change_functions,
    changes_of,
    functions_changed,
    import_changed,
)

FOLDERS = ("domain", "projections", "ingest/translate")
"""Where changes are made."""

TESTS = "tests/unit"
"""Where the tests stand that are to notice them: the files that import what may be changed."""

ENOUGH = 0.98
"""The share of changes that must be noticed."""

HEAVY = ("duckdb", "holidays", "hypothesis.strategies", "jsonschema", "msgspec", "pyarrow", "pydantic", "sqlalchemy")
"""Imported once, before the processes part: none of them imports anything of ours."""

LARGEST_PROCESS = 8 << 30
SECONDS_AT_LEAST = 30


# --- the tests ----------------------------------------------------------------------------------------------------


def files_with_tests() -> list[str]:
    """The files with tests that import something of the folders, themselves or by a module of the tests."""
    changed = tuple(folder.split("/")[0] for folder in FOLDERS)
    files = sorted((ROOT / TESTS).glob("test_*.py"))
    return [str(path.relative_to(ROOT)) for path in files if _imports(path, changed, set())]


def _imports(path: Path, packages: tuple[str, ...], seen: set[Path]) -> bool:
    if path in seen or not path.is_file():
        return False
    seen.add(path)
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if any(part in packages for part in parts[:2]) or (
                parts[0] == "tests" and _imports(ROOT.joinpath(*parts).with_suffix(".py"), packages, seen)
            ):
                return True
    return False


class Watch:
    """A plugin: runs the tests in an order, up to the first that fails; notes how long they took, and what they called.

    With `instead` the tests are collected, and what is to be done with them is up to that.
    """

    def __init__(self, order: Sequence[str] = (), instead: Callable[["Watch"], None] | None = None) -> None:
        self.order, self._instead = order, instead
        self.items: list[pytest.Item] = []
        self.durations: dict[str, float] = {}
        self.calls: dict[str, set[Place]] = {}
        self.failed = ""

    def pytest_sessionstart(self) -> None:
        settings.register_profile("mutants", settings.get_profile("dev"), database=None)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = session.items
        if self._instead is not None and not self.failed:
            self._instead(self)
        elif not self.failed:
            self.run()
        return True

    def run(self, notes_calls: bool = False) -> None:
        """Runs the tests that have a place in the order, or all if there is none."""
        places = {test: place for place, test in enumerate(self.order)}
        items = sorted(
            (item for item in self.items if not places or item.nodeid in places),
            key=lambda item: places.get(item.nodeid, 0),
        )
        for item, following in zip(items, [*items[1:], None], strict=True):
            if notes_calls:
                self.note_calls(item.nodeid)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return

    def note_calls(self, test: str) -> None:
        """From here on, which functions are called is noted as of this test."""
        called = self.calls.setdefault(test, set())

        def trace(frame: FrameType, event: str, argument: object) -> None:
            code = frame.f_code
            path = _path_to_note(code.co_filename)
            if path is not None:
                called.add((path, code.co_firstlineno))

        sys.settrace(trace)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.durations[report.nodeid] = self.durations.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


@cache
def _path_to_note(name: str) -> str | None:
    """The file by its real path, if changes are made in it."""
    path = Path(name).resolve()
    return str(path) if any(path.is_relative_to(ROOT / folder) for folder in FOLDERS) else None


def _run_tests(files: Sequence[str], watch: Watch) -> None:
    plugins = [f"no:{name}" for name in ("randomly", "xdist", "cacheprovider", "terminal", "logging", "faulthandler")]
    options = [option for plugin in plugins for option in ("-p", plugin)]
    alone = ["-o", "addopts=", "-o", "timeout=0", "--capture=sys", "--hypothesis-seed=0"]
    code = pytest.main([*options, *alone, *files], plugins=[watch])
    if code != 0:
        watch.failed = watch.failed or f"none: pytest ended with {code}"


# --- the processes ------------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What came of the tests: the first that failed, empty if none did; how long each took, and what it called."""

    failed: str
    durations: dict[str, float]
    calls: dict[str, set[Place]]


def start(work: Callable[[], object], limit: int) -> int:
    """Starts a process, silent and with so many seconds of processor time; `ended` has what its work gave."""
    process = os.fork()
    if process:
        return process
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_PROCESS, LARGEST_PROCESS))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        _notes_of(os.getpid()).write_bytes(pickle.dumps(work()))
    finally:
        os._exit(0)


def ended(process: int) -> Run:
    """What a process found that has ended; one that found nothing did not come to its end."""
    notes = _notes_of(process)
    if not notes.exists():
        return Run("none: the process was ended", {}, {})
    found: Run = pickle.loads(notes.read_bytes())
    notes.unlink()
    return found


def _notes_of(process: int) -> Path:
    return Path(tempfile.gettempdir(), f"{process}.run")


class Trial:
    """Runs the tests on one change after the other, some at a time, and tells of each."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._files = jobs, files_with_tests()
        self._unchanged = Run("", {}, {})
        self._limit = 3_600
        self._quickest: list[str] = []
        self._noticed_by: dict[Path, list[str]] = {}

    def survivors(self, changes: Sequence[Change]) -> list[Change]:
        """Those changes that no test notices."""
        said = Path(tempfile.gettempdir(), "said")
        process = os.fork()
        if not process:  # which imports what must not be imported yet here
            try:
                _run_tests(self._files, Watch(instead=partial(self._try_quickly, changes, said)))
            finally:
                os._exit(0)
        os.waitpid(process, 0)
        unchanged, self._noticed_by, left = pickle.loads(said.read_bytes())
        self._know(unchanged)

        def tested(change: Change) -> Run:
            import_changed(change)
            watch = Watch(self._order_for(change, self._quickest))
            _run_tests(self._files, watch)
            return Run(watch.failed, {}, {})

        return self._not_noticed(left, tested, "SURVIVED")

    def _try_quickly(self, changes: Sequence[Change], said: Path, watch: Watch) -> None:
        """With all imported, tries those within functions; says which are left, to be imported for certainty."""

        def unchanged() -> Run:
            watch.run(notes_calls=True)
            sys.settrace(None)
            return Run(watch.failed, watch.durations, watch.calls)

        process = start(unchanged, self._limit)
        os.waitpid(process, 0)
        self._unchanged = ended(process)
        if self._unchanged.failed:
            said.write_bytes(pickle.dumps((self._unchanged, {}, [])))
            return
        self._know(self._unchanged)

        def tested(change: Change) -> Run:
            change_functions(change)
            watch.order = self._order_for(change, self._tests_of(functions_changed(change)))
            if watch.order:
                watch.run()
            return Run(watch.failed, {}, {})

        left = self._not_noticed([change for change in changes if change.is_within_function], tested, "not yet ")
        others = [change for change in changes if not change.is_within_function]
        said.write_bytes(pickle.dumps((self._unchanged, self._noticed_by, [*left, *others])))

    def _tests_of(self, functions: set[Place]) -> list[str]:
        """The tests in files that call these functions: what one test has called another may have kept."""
        files = {test.split("::")[0] for test, called in self._unchanged.calls.items() if called & functions}
        return [test for test in self._quickest if test.split("::")[0] in files]

    def _know(self, unchanged: Run) -> None:
        if unchanged.failed:
            sys.exit(f"a test fails without any change: {unchanged.failed}")
        self._unchanged = unchanged
        self._limit = max(SECONDS_AT_LEAST, round(5 * sum(unchanged.durations.values())))
        self._quickest = sorted(unchanged.durations, key=lambda test: unchanged.durations[test])

    def _not_noticed(self, changes: Sequence[Change], tested: Callable[[Change], Run], word: str) -> list[Change]:
        waiting, running, survivors = list(reversed(changes)), dict[int, Change](), list[Change]()
        while waiting or running:
            while waiting and len(running) < self._jobs:
                change = waiting.pop()
                running[start(partial(tested, change), self._limit)] = change
            process, _ = os.wait()
            change = running.pop(process)
            failed = ended(process).failed
            if failed:
                self._noticed_by.setdefault(change.path, []).append(failed)
            else:
                survivors.append(change)
            print(f"{'noticed ' if failed else word} {change.shown()}\n    {failed}", flush=True)
        return survivors

    def _order_for(self, change: Change, tests: Sequence[str]) -> list[str]:
        """First those that noticed another change of the same file, the newest first, then the quickest."""
        newest = [test for test in reversed(self._noticed_by.get(change.path, [])) if test in set(tests)]
        return list(dict.fromkeys([*newest, *tests]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tests on as many changes as asked; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="how many changes to make; 100 by default, 0: all")
    parser.add_argument("--seed", type=int, default=None, help="makes the same changes again; new ones by default")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at a time; 2 by default")
    parser.add_argument("--only", default="", help="changes files whose path contains this text, and no others")
    given = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    possible = [change for folder in FOLDERS for change in changes_of(folder) if given.only in str(change.path)]
    count = min(given.count or len(possible), len(possible))
    print(f"seed {seed}: {count} of {len(possible)} changes", flush=True)
    for name in HEAVY:
        importlib.import_module(name)
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory(prefix="replayhouse-mutants-") as folder:
        tempfile.tempdir = folder
        survivors = Trial(given.jobs).survivors(random.Random(seed).sample(possible, count))
    print(f"\nseed {seed}: {count - len(survivors)} of {count} changes noticed")
    print("\n".join(["not noticed:", *(change.shown() for change in survivors)] if survivors else []), flush=True)
    return 0 if count - len(survivors) >= ENOUGH * count else 1


if __name__ == "__main__":
    sys.exit(main())
