"""What docs/clickhouse.md shows of the engine without a server is what the program does.

Its other commands are run with those of all pages; those in blocks marked `bash` need the engine.
"""

import re
import subprocess
from pathlib import Path

from tests.support.cli import TIMEOUT_S, Program
from tests.support.forked import AS_INSTALLED
from tests.support.pages import BLOCK
from tests.support.prepared import furnish

PAGE = Path(__file__).parents[2] / "docs/clickhouse.md"


def shown() -> list[tuple[str, list[str]]]:
    """The commands of these blocks, each with the lines that the page shows of its output."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block[1] == "bash":
            for line in block[2].splitlines():
                if line.startswith("$ "):
                    found.append((line[2:], []))
                elif line != "...":
                    found[-1][1].append(line)
    return found


def test_the_page_shows_what_the_program_does(prepared: Path, tmp_path: Path) -> None:
    program = Program(tmp_path / "home", AS_INSTALLED)
    furnish(program.home, prepared)
    path = f"{Path(AS_INSTALLED[0]).parent}:{program.environment['PATH']}"
    environment = {**program.environment, "PATH": path, "PWD": str(tmp_path)}
    try:
        for command, output in shown():
            if set_there := re.fullmatch(r"export (\w+)=(.*)", command):
                environment[set_there[1]] = set_there[2].replace("$PWD", str(tmp_path))
                continue
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            told = done.stdout.splitlines()
            assert [line for line in output if line not in told] == [], f"{command}\n{done.stdout}"
    finally:
        program.run("db", "stop")
