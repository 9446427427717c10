"""The shortest way through the whole program, as installed: the acceptance test of `make test-quick`."""

from pathlib import Path
from typing import Any

import psycopg

from tests.support.cli import Program
from tests.support.forked import AS_INSTALLED
from tests.support.prepared import furnish


def digests(program: Program) -> Any:
    """The digests of all tables, by context."""
    return {name: told["tables"] for name, told in program.json("digest")["contexts"].items()}


def test_an_extract_is_loaded_shown_rebuilt_and_verified(prepared: Path, tmp_path: Path) -> None:
    program = Program(tmp_path / "home", AS_INSTALLED)
    furnish(program.home, prepared)
    try:
        program.succeed("generate", tmp_path / "extract", "--orders", "30", "--seed", "7")
        told = program.json("ingest", tmp_path / "extract")
        with psycopg.connect(program.succeed("db", "url").out.strip()) as conn:
            shown = conn.execute("SELECT count(*) FROM sales.fact_order").fetchone()
        live = digests(program)
        program.succeed("rebuild")

        assert (told["status"], shown) == ("completed", (30,))
        assert digests(program) == live
        assert program.json("audit", "verify")["valid"]
    finally:
        program.run("db", "stop")
