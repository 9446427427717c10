"""What must hold of the command line before any command runs: it starts light, and its help helps."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from typer.main import get_command

from replayhouse.infra.cli.main import run
from replayhouse.infra.cli.program import app

HEAVY = (
    "confluent_kafka",
    "cryptography",
    "duckdb",
    "holidays",
    "kafka",
    "msgspec",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "pyarrow",
    "pydantic",
    "pydantic_settings",
    "sqlalchemy",
    "structlog",
)
COMMANDS = {
    "demo",
    "generate",
    "ingest",
    "batches",
    "status",
    "project",
    "rebuild",
    "digest",
    "audit history",
    "audit verify",
    "audit lineage",
    "audit keygen",
    "audit checkpoint",
    "audit prove",
    "audit check-proof",
    "quality report",
    "db start",
    "db stop",
    "db url",
    "db psql",
    "db grant",
    "db revoke",
    "db roles",
    "kafka start",
    "kafka stop",
    "kafka status",
    "kafka topics",
}


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each command with its words, groups left out."""
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, words)
        else:
            yield words, command


ALL = dict(commands(get_command(app)))


def test_the_command_line_starts_without_the_heavy_modules() -> None:
    code = f"import sys, replayhouse.infra.cli.program; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []


def test_a_load_whose_read_models_are_left_alone_starts_without_what_makes_them() -> None:
    code = "import sys, replayhouse.infra.application.ingest; print('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_help_loads_neither_them_nor_rich() -> None:
    code = (
        "import sys\n"
        "from replayhouse.infra.cli.main import run\n"
        "code = run(['--help'])\n"
        f"print(code, *sorted(set(sys.modules) & set({(*HEAVY, 'rich')!r})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["0"]


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(ALL) >= COMMANDS


@pytest.mark.parametrize("words", sorted(ALL))
def test_every_help_has_an_example_of_its_command(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words.split(), "--help"]) == 0
    told = capsys.readouterr().out
    after = told.partition("Example")[2]
    assert f"replayhouse {words}" in after, told


@pytest.mark.parametrize("words", sorted(set(ALL) - {"db psql", "serve"}))
def test_every_command_takes_json(words: str) -> None:
    assert "--json" in {option for parameter in ALL[words].params for option in parameter.opts}


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    name, version = capsys.readouterr().out.split()
    assert name == "replayhouse"
    assert version[0].isdigit()


def test_no_command_at_all_is_wrong_usage_and_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Commands:" in shown.err


def test_a_command_reads_files_without_numpy_and_pandas_also_where_they_are_installed() -> None:
    assert all(find_spec(package) for package in ("numpy", "pandas")), "else this test shows nothing"
    reading = "from replayhouse.infra.staging import reader; import sys"
    told = "print(sys.modules.get('numpy'), sys.modules.get('pandas'))"
    for beginning, expected in (
        ("", False),
        ("from replayhouse.infra.runtime.data_frames import leave_data_frames_out; leave_data_frames_out(); ", True),
    ):
        done = subprocess.run(
            [sys.executable, "-c", f"{beginning}{reading}; {told}"], capture_output=True, text=True, check=True
        )
        assert (done.stdout == "None None\n") == expected
