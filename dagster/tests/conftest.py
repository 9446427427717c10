"""Fixtures: the program as `--program` names it, warehouses of their own, extracts, a Dagster of the test's own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from warehouses import Program, Warehouse, write_settings

# No machine crashes in a test: what is written is there, whether it is on disk or not.
MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 * 2**30
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

EXTRACTS = {"2017-12": "2017-12-31", "2018-03": "2018-03-31", "2018-06": "2018-06-30"}
"""The date that each shows the marketplace at."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The program stands in another environment."""
    beside = Path(__file__).parents[2] / ".venv/bin/replayhouse"
    parser.addoption("--program", default=str(beside), help="replayhouse, as it is installed")


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Program:
    """The program, as it is installed."""
    path = Path(request.config.getoption("--program"))
    assert path.is_file(), f"There is no {path}: make test-dagster builds it."
    return Program(path)


@pytest.fixture(scope="session")
def prepared(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database is made and empty, and whose server does not run."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    program.succeed(home, "db", "start")
    program.succeed(home, "db", "psql", "--role", "administrator", "-qc", "ALTER SYSTEM SET fsync = off")
    program.succeed(home, "db", "stop")
    return home


@pytest.fixture(scope="session")
def extracts(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with extracts that belong together, each later than the one before."""
    folder = tmp_path_factory.mktemp("extracts")
    for name, until in EXTRACTS.items():
        program.succeed(folder, "generate", folder / name, "--orders", "60", "--seed", "7", "--until", until)
    return folder


@pytest.fixture
def warehouse(program: Program, prepared: Path, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse of the test's own, empty, whose paths have blanks; its server is stopped afterwards."""
    with Warehouse.copied(program, prepared, tmp_path / "my warehouse") as made:
        yield made


@pytest.fixture
def nowhere(program: Program, tmp_path: Path) -> Warehouse:
    """A folder for extracts, and no warehouse: for programs that are none."""
    (tmp_path / "arriving").mkdir()
    return Warehouse(program, tmp_path / "home", tmp_path / "arriving")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """A Dagster of the test's own, with the settings that the page shows."""
    home = tmp_path / "dagster"
    write_settings(home)
    with DagsterInstance.from_config(str(home)) as made:
        yield made
