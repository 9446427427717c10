"""The archives: wheel, sdist and editable installs have one package, with its SQL; the kit has a wheel of its own."""

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "ingest", "projections", "infra")
KIT = ROOT / "consumer"
ADAPTER = ROOT / "dagster"


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


def test_the_wheel_holds_one_package_with_every_file_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Nothing of ours stands at the top of site-packages but `replayhouse`."""
    public = ROOT / "src" / "replayhouse"
    expected = {f"replayhouse/{path.name}" for path in public.iterdir() if path.is_file()} | {
        f"replayhouse/{path.relative_to(ROOT).as_posix()}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected
    assert any(name.endswith(".sql") for name in expected)


def test_the_sdist_makes_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """The links of the checkout are followed: an archive of the sources holds the files themselves."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(tmp_path)
    with built(tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path / "wheel") as of_sources:
        assert sorted(of_sources.namelist()) == sorted(wheel.namelist())


def test_the_wheel_carries_the_licence_and_the_declared_dependencies(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared, extras = project["dependencies"], project["optional-dependencies"]
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    required = [line for line in wheel.read(name).decode().splitlines() if line.startswith("Requires-Dist: ")]
    (licence,) = (name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE"))

    optional = [line for line in required if "extra ==" in line]
    assert len(required) - len(optional) == len(declared)
    assert len(optional) == sum(map(len, extras.values()))
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


HOSTILE = "raise ImportError('somebody else has a package of this name')"


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment, which finds what we depend on, as installed here, and nothing of ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    here = Path(pytest.__file__).parents[1]
    for path in here.iterdir():
        if "replayhouse" not in path.name and path.suffix != ".pth":
            (site / path.name).symlink_to(path)
    return folder / "bin" / "python"


def test_the_installed_command_starts_beside_packages_of_the_same_names(
    wheel: zipfile.ZipFile, empty_environment: Path, tmp_path: Path
) -> None:
    """As installed, away from the repository, where others have a `domain` and an `infra` before us on the path."""
    (site,) = empty_environment.parents[1].glob("lib/python3*/site-packages")
    wheel.extractall(site)
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(HOSTILE)
    module, function = entry_point(wheel, "replayhouse")
    code = (
        f"import sys, replayhouse; from {module} import {function} as command\n"
        "print(replayhouse.__file__, file=sys.stderr); sys.argv = ['replayhouse', '--help']; sys.exit(command())"
    )

    answer = subprocess.run(
        [str(empty_environment), "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.strip() == str(site / "replayhouse" / "__init__.py")
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


def test_the_adapter_for_dagster_has_a_wheel_of_its_own(tmp_path: Path) -> None:
    """It is typed, carries the licence and what it knows of the warehouse, and asks for Dagster only."""
    with built(ADAPTER, tmp_path) as adapter:
        names = adapter.namelist()
        (metadata,) = (adapter.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
        (licence,) = (adapter.read(name) for name in names if name.endswith(".dist-info/licenses/LICENSE"))

    package = ADAPTER / "replayhouse_dagster"
    held = {name for name in names if ".dist-info/" not in name}
    assert held == {f"replayhouse_dagster/{path.name}" for path in package.iterdir() if path.is_file()}
    assert {"replayhouse_dagster/py.typed", "replayhouse_dagster/warehouse.json"} <= held
    assert licence == (ROOT / "LICENSE").read_bytes()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    assert [line.split(": ")[1].split(">")[0].split("<")[0] for line in required] == ["dagster"]
