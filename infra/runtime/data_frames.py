"""Numpy and pandas, which no command needs, and which pyarrow imports wherever they are installed.

That takes half a second, and numpy's threads would keep the process from being forked (infra/runtime/forks.py).
"""

import sys


class _NoDataFrames:
    def find_spec(self, fullname: str, path: object, target: object = None, /) -> None:
        """Refuses them. A mark in `sys.modules` would not do: DuckDB takes it for the module."""
        if fullname in ("numpy", "pandas"):
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


def leave_data_frames_out() -> None:
    """From now on this process has neither."""
    sys.meta_path.insert(0, _NoDataFrames())


def let_data_frames_in() -> None:
    """From now on this process has what is installed of them, for somebody who looks for them."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NoDataFrames)]
