"""Which loads are large: those are shared by processes, and run on columns. Nothing heavy is imported to find out."""

import sys
from contextlib import suppress
from pathlib import Path

from replayhouse.infra.runtime.column_folds import are_wanted
from replayhouse.infra.runtime.data_frames import let_numpy_in

LARGE_FROM_BYTES = 1_000_000
"""The work of a smaller extract is too little to be shared, or to wait for numpy."""


def is_large(path: Path) -> bool:
    """Whether an extract is large, more or less: a packed one is several times as large as it looks."""
    size = 0
    with suppress(OSError):  # who opens it says what the matter is
        for file in path.iterdir() if path.is_dir() else [path]:
            size += file.stat().st_size
    return size >= LARGE_FROM_BYTES


def run_on_columns(path: Path) -> bool:
    """Whether a load is to run on columns. If so, numpy is there from now on.

    Pyarrow looks for numpy once, when it is imported: where it has found none, there are no columns.
    """
    if not are_wanted() or not is_large(path) or ("pyarrow" in sys.modules and "numpy" not in sys.modules):
        return False
    let_numpy_in()
    return True
