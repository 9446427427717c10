"""The wheels: `pip install .` gives four packages with their SQL, and a command that starts; the kit has its own."""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "ingest", "projections", "infra")
KIT = ROOT / "infra" / "kafka" / "consumer"
START_COMMAND = """
import sys
sys.path.insert(0, {wheel!r})
from replayhouse import infra
assert infra.__file__.startswith({wheel!r}), infra.__file__
from {module} import {function} as command
sys.argv = ["replayhouse", "--help"]
sys.exit(command())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    with built(ROOT, tmp_path_factory.mktemp("wheel")) as archive:
        yield archive


@contextmanager
def built(project: Path, folder: Path) -> Iterator[zipfile.ZipFile]:
    """The wheel of a project, made in a folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=project,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def entry_point(wheel: zipfile.ZipFile, command: str) -> tuple[str, str]:
    """Module and function that the installed command calls."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    points = ConfigParser()
    points.read_string(wheel.read(name).decode())
    module, _, function = points["console_scripts"][command].partition(":")
    return module, function


def test_the_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """But for the kit for consumers, which they install without the program."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and KIT not in path.parents
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


def test_the_wheel_holds_sql_files(wheel: zipfile.ZipFile) -> None:
    assert any(name.startswith("infra/") and name.endswith(".sql") for name in wheel.namelist())


def test_the_wheel_carries_the_licence_and_the_declared_dependencies(wheel: zipfile.ZipFile) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    required = [line for line in wheel.read(name).decode().splitlines() if line.startswith("Requires-Dist: ")]
    (licence,) = (name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE"))

    assert len(required) == len(declared)
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_installed_command_starts_from_the_wheel_alone(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked as an installation would, away from the repository: no file is found there by accident."""
    wheel.extractall(tmp_path)
    module, function = entry_point(wheel, "replayhouse")
    start = START_COMMAND.format(wheel=str(tmp_path), module=module, function=function)

    answer = subprocess.run(
        [sys.executable, "-I", "-c", start], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr
    assert "demo" in answer.stdout


def test_the_kit_for_consumers_has_a_wheel_of_its_own(tmp_path: Path) -> None:
    """It is typed, carries the licence, and asks for Kafka and pydantic only; PostgreSQL where somebody wants it."""
    with built(KIT, tmp_path) as kit:
        names = kit.namelist()
        held = {name for name in names if ".dist-info/" not in name}
        (metadata,) = (kit.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
        (licence,) = (kit.read(name) for name in names if name.endswith(".dist-info/licenses/LICENSE"))

    package = KIT / "replayhouse_consumer"
    assert held == {f"replayhouse_consumer/{path.name}" for path in package.iterdir() if path.is_file()}
    assert "replayhouse_consumer/py.typed" in held
    assert licence == (ROOT / "LICENSE").read_bytes()
    required = [line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if "Requires-Dist" in line]
    assert {line.split("[")[0].split(">")[0] for line in required if "extra ==" not in line} == {
        "kafka-python",
        "pydantic",
    }
    assert [line for line in required if "extra ==" in line and "postgres" in line]
