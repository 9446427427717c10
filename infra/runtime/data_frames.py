"""Numpy and pandas, which few commands need, and which pyarrow imports wherever they are installed.

That takes half a second, and numpy's threads would keep the process from being forked (infra/runtime/forks.py). Who
folds on columns has numpy without them.
"""

import importlib
import os
import sys

_THREADS = "OPENBLAS_NUM_THREADS"


class _NoDataFrames:
    def __init__(self) -> None:
        self.refused = {"numpy", "pandas"}

    def find_spec(self, fullname: str, path: object, target: object = None, /) -> None:
        """Refuses them. A mark in `sys.modules` would not do: DuckDB takes it for the module."""
        if fullname in self.refused:
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


def leave_data_frames_out() -> None:
    """From now on this process has neither."""
    sys.meta_path.insert(0, _NoDataFrames())


def let_data_frames_in() -> None:
    """From now on this process has what is installed of them, for somebody who looks for them."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NoDataFrames)]


def let_numpy_in() -> None:
    """From now on this process has numpy, with no thread but its own; pandas stays as it was."""
    for finder in sys.meta_path:
        if isinstance(finder, _NoDataFrames):
            finder.refused.discard("numpy")
    said = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        importlib.import_module("numpy")
    finally:
        if said is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = said
