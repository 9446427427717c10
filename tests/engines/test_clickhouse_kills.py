"""The installed program is killed while it fills ClickHouse and catches it up, again and again: nothing is lost.

REPLAYHOUSE_CRASH_SEED repeats when it is killed.
"""

import random
import time
from pathlib import Path

from tests.support.cli import Program
from tests.support.crashes import a_seed
from tests.support.forked import AS_INSTALLED, start
from tests.support.prepared import furnish

KILLS = 3


def digests(program: Program, *arguments: str) -> dict[str, dict[str, object]]:
    contexts = program.json("digest", *arguments)["contexts"]
    return {context: told["tables"] for context, told in contexts.items()}


def run_and_kill(program: Program, chance: random.Random, *arguments: str) -> None:
    """Kills it at some moment, each time; in the end it runs through."""
    begun = time.monotonic()
    longest = 8.0
    for _ in range(KILLS):
        with Path("/dev/null").open("w") as nowhere:
            process = start(AS_INSTALLED, arguments, program.environment, stdout=nowhere, stderr=nowhere)
            deadline = time.monotonic() + chance.uniform(0.1, 1.0) * longest
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            if process.poll() is not None:
                longest = max(0.5, 0.8 * (time.monotonic() - begun))
            process.send_signal(9)
            process.wait()
        begun = time.monotonic()
    program.succeed(*arguments)


def test_commands_that_are_killed_and_run_again_come_to_the_same(prepared: Path, tmp_path: Path) -> None:
    seed = a_seed()
    print(f"REPLAYHOUSE_CRASH_SEED={seed}")
    chance = random.Random(seed)
    url = f"chdb://{tmp_path / 'clickhouse'}"
    program = Program(tmp_path / "home", AS_INSTALLED, REPLAYHOUSE_CLICKHOUSE_URL=url)
    furnish(program.home, prepared)
    try:
        for number, until in enumerate((["--until", "2018-01-31"], []), 1):
            program.succeed("generate", tmp_path / f"extract {number}", "--orders", "300", "--seed", "7", *until)
            program.succeed("ingest", tmp_path / f"extract {number}")
            run_and_kill(program, chance, "project", "--to", "clickhouse")
            assert digests(program, "--in", "clickhouse") == digests(program)
        run_and_kill(program, chance, "rebuild", "--to", "clickhouse")
        assert digests(program, "--in", "clickhouse") == digests(program)
    finally:
        program.run("db", "stop")
