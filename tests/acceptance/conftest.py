"""Fixtures of the tests that run the program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Loaded, Program, empty_warehouse, loaded_warehouse
from tests.support.folders import parent_of_shared, shared_folder
from tests.support.scenes import Scenes, make_scenes, read_scenes


@pytest.fixture(scope="module")
def loaded(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A warehouse with one load, for the tests of a module that change nothing which others look at."""
    with loaded_warehouse(prepared, tmp_path_factory.mktemp("loaded")) as loaded:
        yield loaded


@pytest.fixture
def empty(loaded: Loaded, tmp_path: Path) -> Iterator[Program]:
    """An empty warehouse for one test, in the server of the loaded one."""
    with empty_warehouse(loaded, tmp_path / "home") as program:
        yield program


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Scenes]:
    """The scenes of this session, in a folder that all its processes share; the last one removes it."""
    with shared_folder(parent_of_shared(tmp_path_factory, worker_id), "scenes", make_scenes) as folder:
        yield read_scenes(folder)
