"""The recipe of docs/spark.md for Dask: an engine in a dozen lines, with the digests of live tables."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.pages import python_files_of
from tests.support.replaying import Played, files_of

ROOT = Path(__file__).parents[2]
RECIPE = "replay_by_dask.py"


def test_the_recipe_folds_what_is_live(history: Played, tmp_path: Path) -> None:
    text = python_files_of((ROOT / "docs/spark.md").read_text(encoding="utf-8"))[RECIPE]
    (tmp_path / RECIPE).write_text(text, encoding="utf-8")
    (tmp_path / "sealed").symlink_to(history.sealed)

    done = subprocess.run(
        [sys.executable, RECIPE],
        cwd=tmp_path,
        env=os.environ | {"REPLAYHOUSE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    live = history.digests()["sales"]
    assert done.stdout.splitlines() == [f"{name} {told['rows']} {told['digest']}" for name, told in live.items()]
    assert "manifest.json" in files_of(tmp_path / "rows")
