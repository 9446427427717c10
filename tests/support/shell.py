"""A shell in which commands of pages are run as somebody would type them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.forked import put_on_the_path

TIMEOUT_S = 240

PROGRESS = re.compile(r" \.\.\.$")


class Shell:
    """Runs commands in a folder, with the programs of this environment and a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        programs = folder / "bin"
        programs.mkdir()
        ours |= put_on_the_path(programs)
        path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), ours.get("PATH", os.defpath)))
        self.environment = ours | {"REPLAYHOUSE_HOME": str(self.home), "PATH": path, "PYTHONUTF8": "1"}

    def run(self, command: str) -> tuple[int, list[str]]:
        """What `call` gives of a command of bash."""
        return self.call("bash", "-c", command)

    def call(self, *command: str) -> tuple[int, list[str]]:
        """Exit code and lines told: standard output, then errors; progress, which a terminal wipes out, is left out."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        errors = [line for line in done.stderr.splitlines() if not PROGRESS.search(line)]
        return done.returncode, done.stdout.splitlines() + errors
