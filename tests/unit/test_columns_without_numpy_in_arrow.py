"""Columns answer where pyarrow was imported before numpy was let in: so it is in a rebuild, and in a replay."""

import subprocess
import sys

import pytest

ASKED = """
from replayhouse.infra.runtime.data_frames import leave_data_frames_out
leave_data_frames_out()
import pyarrow
from replayhouse.infra.columns.numbers import Ints
from replayhouse.infra.columns.values import Split, Texts, Uuids
import numpy as np

try:
    pyarrow.array([1]).to_numpy()
except ImportError:
    print("pyarrow has no numpy")
print(bool(Texts(np.array(["a", "bé"], object))), bool(Texts(np.array(["", ""], object))))
try:
    bool(Texts(np.array(["a", ""], object)))
except Split as split:
    print(split.labels.tolist())
print(Texts.joined([Ints(np.array([1, 2])), "-", Uuids(np.array([b"0" * 36] * 2, "S36"))]).tolist()[1][:3])
"""


def test_a_column_answers_whether_or_not_arrow_knows_numpy() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (
        ["pyarrow has no numpy", "True False", "[True, False]", "2-0"],
        "",
    )


@pytest.mark.parametrize("room", ["columns.stored", "read_models.column_folding", "read_models.sealed_source"])
def test_what_folds_on_columns_lets_numpy_in(room: str) -> None:
    """Commands leave it out at their start; who folds may come to any of these first."""
    asked = f"""
from replayhouse.infra.runtime.data_frames import leave_data_frames_out
leave_data_frames_out()
import replayhouse.infra.{room}
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
