"""Fixtures of the tests that run the program."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.cli import Loaded, Program, copy_of_loaded, empty_warehouse, make_loaded
from tests.support.folders import parent_of_shared, shared_folder
from tests.support.scenes import Scenes, make_scenes, read_scenes


@pytest.fixture(scope="session")
def one_load(prepared: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """A folder with a warehouse that has one load, to be copied; all processes of the session share it."""
    make = partial(make_loaded, prepared=prepared)
    with shared_folder(parent_of_shared(tmp_path_factory, worker_id), "one-load", make) as folder:
        yield folder


@pytest.fixture(scope="module")
def loaded(one_load: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A warehouse with one load, for the tests of a module that change nothing which others look at."""
    with copy_of_loaded(one_load, tmp_path_factory.mktemp("loaded") / "home") as loaded:
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
