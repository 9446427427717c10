"""A forked program is what the installed one is: tests may take the one for the other."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Loaded, Program
from tests.support.forked import AS_INSTALLED, put_on_the_path


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["nonsense", "--json"], ["digest", "sales", "--json"], ["audit", "history", "batch", "é"]],
    ids=" ".join,
)
def test_it_says_and_exits_as_the_installed_one_does(arguments: list[str], loaded: Loaded) -> None:
    assert loaded.program.run(*arguments) == Program(loaded.program.home, AS_INSTALLED).run(*arguments)


def test_in_a_shell_it_has_the_folder_the_streams_and_the_exit_code(loaded: Loaded, tmp_path: Path) -> None:
    programs, home = tmp_path / "bin", loaded.program.home
    programs.mkdir()
    environment = os.environ | put_on_the_path(programs) | {"REPLAYHOUSE_HOME": str(home)}
    command = (
        "replayhouse generate here --orders 3 >told 2>&1; echo $?; ls; replayhouse db url | wc -l; replayhouse nonsense"
    )
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment | {"PATH": f"{programs}:{environment['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["0", "bin", "here", "told", "1"]
    assert (done.returncode, "nonsense" in done.stderr) == (2, True)
