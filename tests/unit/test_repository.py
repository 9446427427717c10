"""What must hold for the files of the repository themselves, whatever they say."""

import ast
import itertools
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from replayhouse.infra.clickhouse.server import OLDEST_SERVER

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-engines.lock")
LOCK_OF_RELEASES = "requirements-release.lock"
LOCK_OF_DAGSTER = "requirements-dagster.lock"

PACKAGE_HOST = re.compile(
    r"\b[\w.-]*(?:pypi|pythonhosted|artifactory|nexus|devpi|npmjs|registry|mirror)[\w.-]*"
    r"\.(?:org|com|io|net|dev|internal|local|lan|corp)\b"
    r"|--(?:extra-)?index-url|--find-links|--trusted-host",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(  # the image of Kafka has its programs in /opt/kafka/bin, wherever it runs
    r"(?<![\w.~}/-])/(?:home|Users|root|work|workspace|mnt|opt(?!/kafka/bin)|srv)/[\w.-]+|\b[A-Z]:\\\\?Users"
)
PASSED_OVER = re.compile(r"pytest\.(?:skip|xfail|importorskip)|mark\.(?:skip|xfail)|unittest\.skip|\bSkipTest\b")

# What each package may import beside the standard library.
ALLOWED_IMPORTS = {
    "domain": {"replayhouse.domain"},
    "ingest": {"replayhouse.domain", "replayhouse.ingest", "pydantic", "pydantic_core"},
    "projections": {"replayhouse.domain", "replayhouse.projections", "sqlalchemy", "holidays"},
    "consumer/replayhouse_consumer": {
        "replayhouse_consumer",
        "kafka",
        "pydantic",
        "pydantic_core",
        "psycopg",
    },
    "dagster/replayhouse_dagster": {"replayhouse_dagster", "dagster", "pydantic"},
}


def repository_files() -> Iterator[Path]:
    """Every file that git would take: all but the folders that .gitignore names."""
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.endswith("/")}
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders if name not in ignored and name != ".git"]
        yield from (Path(folder, name) for name in files if name != ".git" and not name.endswith(".pyc"))


def lines_that_match(pattern: re.Pattern[str], files: Iterator[Path]) -> list[str]:
    """`path:line: text` of each match; files that are not text are passed by."""
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        place = path.relative_to(ROOT)
        found += [f"{place}:{number}: {line}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def modules(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def locked(lock: str) -> dict[str, list[Requirement]]:
    """What a lock file pins, by the name of the package: one version, or one for each marker."""
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if line and not line.startswith(" "):
            requirement = Requirement(line.removesuffix("\\"))
            pins.setdefault(requirement.name, []).append(requirement)
    return pins


def declared(*groups: str, program: bool = True, of: str = ".") -> list[Requirement]:
    """The dependencies that a pyproject.toml asks for: the program's, unless they are not wanted, and the groups'."""
    pyproject: dict[str, Any] = tomllib.loads((ROOT / of / "pyproject.toml").read_text())
    entries = list(pyproject["project"]["dependencies"]) if program else []
    for group in groups:
        entries += [entry for entry in pyproject["dependency-groups"][group] if isinstance(entry, str)]
    return [Requirement(entry) for entry in entries]


def unanswered(wanted: Sequence[Requirement], lock: str) -> list[str]:
    """The dependencies of which a lock pins none, or none that will do."""
    pins = locked(lock)
    return [
        str(one)
        for one in wanted
        if one.name not in pins
        or not all(one.specifier.contains(next(iter(pin.specifier)).version) for pin in pins[one.name])
    ]


def imported_names(path: Path) -> Iterator[str]:
    """Full dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (PACKAGE_HOST, "https://packages.mirror-7.example.internal/simple"),
        (PACKAGE_HOST, "pip install --index" + "-url=there replayhouse"),
        (MACHINE_PATH, 'SAMPLE = "/' + 'home/somebody/olist"'),
        (MACHINE_PATH, "see /" + "mnt/disk"),
        (PASSED_OVER, "@pytest.mark" + ".skipif(True)"),
    ],
)
def test_the_patterns_below_find_what_they_are_made_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_no_file_names_a_package_host() -> None:
    """Where packages come from is the configuration of the machine that installs them."""
    here = Path(__file__)
    assert lines_that_match(PACKAGE_HOST, (path for path in repository_files() if path != here)) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_that_match(MACHINE_PATH, repository_files()) == []


def test_no_test_is_marked_to_be_passed_over() -> None:
    assert lines_that_match(PASSED_OVER, iter(modules("tests", "dagster"))) == []


def test_nothing_imports_a_test_module() -> None:
    """What several tests need stands in tests/support: a test module can be read, moved and deleted by itself."""
    importing = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("tests", "bench", "consumer", "dagster")
        for name in imported_names(path)
        if re.match(r"tests\.(?:.*\.)?(?:test_\w+|conftest)(?:\.|$)", name)
    ]
    assert importing == []


def test_a_fixture_stands_in_a_conftest_file_or_in_the_test_module_that_uses_it() -> None:
    """So that tests find it by its name, and nothing is imported for pytest's sake."""
    places = (path for path in modules("tests") if path.name != "conftest.py" and not path.name.startswith("test_"))
    assert lines_that_match(re.compile(r"@pytest\.fixture"), places) == []


def test_the_templates_of_tests_are_tests_that_run() -> None:
    """Each is quoted word for word from the file that it names, and each kind of test has one."""
    quoted = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", (ROOT / "tests/README.md").read_text(), re.M | re.S)
    assert {path.split("/")[1] for path, _ in quoted} == {"unit", "integration", "acceptance"}
    assert [path for path, text in quoted if text not in (ROOT / path).read_text(encoding="utf-8")] == []
    assert [path for path, text in quoted if not text.startswith("def test_")] == []


def test_the_page_of_the_tests_names_what_there_is() -> None:
    page = (ROOT / "tests/README.md").read_text(encoding="utf-8")
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert set(re.findall(r"`(\w+)/`", page)) == folders
    named = re.findall(r"`((?:support|acceptance)/[\w./]+)`", page)
    assert [path for path in named if not (ROOT / "tests" / path).exists()] == []
    fixtures = r"@pytest\.fixture[^\n]*\ndef (\w+)"
    places = ("tests/conftest.py", "tests/acceptance/conftest.py")
    made = {name for place in places for name in re.findall(fixtures, (ROOT / place).read_text(encoding="utf-8"))}
    assert made
    assert [name for name in made if f"`{name}`" not in page] == []


def test_every_module_says_what_lives_in_it() -> None:
    """Empty files that only make a package are let be."""
    silent = [
        str(path.relative_to(ROOT))
        for path in modules("domain", "ingest", "projections", "infra", "consumer", "dagster", "bench")
        if (tree := ast.parse(path.read_text(encoding="utf-8"))).body and not ast.get_docstring(tree)
    ]
    assert silent == []


def test_nothing_reaches_a_terminal_but_by_the_one_way_that_makes_it_legible() -> None:
    """Of the commands, only infra/cli/streams.py writes, and only infra/cli/output.py has rich draw for it."""
    past = re.compile(r"\b(?:print|typer\.(?:echo|secho|confirm|prompt|style)|sys\.(?:stdout|stderr)\.write)\(")
    ways = {"streams.py", "output.py"}
    paths = [path for path in modules("infra") if path.name not in ways and "contracts" not in path.parts]
    assert lines_that_match(past, iter(paths)) == []
    rich = [path for path in paths if any(name.partition(".")[0] == "rich" for name in imported_names(path))]
    assert rich == []


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        (r"PGCOPY", "infra/postgres/binary_copy.py"),
        (r"\\xff\\xff\\xff\\xff", "infra/postgres/binary_copy.py"),
        (r"\benable_\w+ = off", "infra/postgres/planner.py"),
        (r"\bmax_parallel_workers_per_gather = ", "infra/postgres/planner.py"),
    ],
)
def test_what_stands_in_one_place_stands_nowhere_else(pattern: str, place: str) -> None:
    found = lines_that_match(re.compile(pattern), iter(modules("infra")))
    assert {line.partition(":")[0] for line in found} == {place}


def test_commands_enter_by_use_cases_and_take_classes_only_of_the_adapters() -> None:
    """Those are the types of answers, and the words that options take: what does something is a use case's to call."""
    own = tuple(f"replayhouse.infra.{room}." for room in ("cli", "application", "runtime", "telemetry", "web"))
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("infra/cli")
        for name in imported_names(path)
        if name.startswith("replayhouse.infra.") and not name.startswith(own)
        if not name.rpartition(".")[2][0].isupper()
    ]
    assert found == []
    assert (
        lines_that_match(
            re.compile(r"\.connect\(|^\s*(?:from|import) psycopg|\bSELECT (?!count\(\*\) FROM sales\.fact_order)"),
            iter(modules("infra/cli")),
        )
        == []
    )


@pytest.mark.parametrize("package", ALLOWED_IMPORTS)
def test_a_package_imports_only_what_the_architecture_allows(package: str) -> None:
    """Complete where import-linter needs a list: anything that is not named here is refused."""
    allowed = sys.stdlib_module_names | ALLOWED_IMPORTS[package]
    strangers = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported_names(path)
        if not allowed & {name.partition(".")[0], ".".join(name.split(".")[:2])}
    ]
    assert strangers == []


def test_projections_describe_tables_and_never_connect() -> None:
    connecting = re.compile(r"sqlalchemy\.(?:engine|orm|ext|pool|create_\w*engine)\b")
    found = [name for path in modules("projections") for name in imported_names(path) if connecting.match(name)]
    assert found == []


@pytest.mark.parametrize("lock", [*LOCKS, LOCK_OF_RELEASES, LOCK_OF_DAGSTER])
def test_every_locked_package_has_hashes_and_nothing_has_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())

    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+", entry)] == []
    assert set(re.findall(r"--[a-z-]+", text)) == {"--hash"}
    assert "://" not in text


@pytest.mark.parametrize(
    ("lock", "groups"),
    [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"]), (LOCKS[2], ["build", "dev", "engines"])],
)
def test_the_lock_answers_every_declared_dependency(lock: str, groups: list[str]) -> None:
    assert unanswered(declared(*groups), lock) == [], "run `make lock`"


def test_the_lock_of_releases_answers_its_group_without_the_program() -> None:
    wanted = declared("release", program=False)
    assert wanted
    assert unanswered(wanted, LOCK_OF_RELEASES) == [], "run `make lock`"
    assert "psycopg" not in locked(LOCK_OF_RELEASES)


def test_the_lock_of_dagster_answers_its_adapter_without_the_program() -> None:
    wanted = declared("dev", of="dagster")
    assert {"dagster", "dagster-webserver"} <= {one.name for one in wanted}
    assert unanswered(wanted, LOCK_OF_DAGSTER) == [], "run `make lock`"
    assert "psycopg" not in locked(LOCK_OF_DAGSTER)


@pytest.mark.parametrize(("fewer", "more"), list(itertools.pairwise(LOCKS)))
def test_the_program_runs_on_the_versions_that_were_tested(fewer: str, more: str) -> None:
    run, tested = locked(fewer), locked(more)
    assert {name: pins for name, pins in run.items() if tested.get(name) != pins} == {}


def test_the_composed_postgres_keeps_its_data_and_its_secrets() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    postgres = compose["services"]["postgres"]

    assert postgres["image"] == "postgres:18"
    assert postgres["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert "pg_isready" in postgres["healthcheck"]["test"]
    assert all(port.startswith("127.0.0.1:") for port in postgres["ports"])
    (volume,) = postgres["volumes"]
    name, _, folder = volume.partition(":")
    assert name in compose["volumes"]
    assert folder == "/var/lib/postgresql"  # 18 keeps its data below here, no longer in `data`


def test_the_composed_kafka_is_the_version_of_the_pom_on_this_machine_only_and_makes_no_topic_by_itself() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    kafka, pom = compose["services"]["kafka"], (ROOT / "infra/kafka/broker/pom.xml").read_text()
    (version,) = set(re.findall(r"<artifactId>kafka[\w.-]*</artifactId>\s*<version>(.+?)</version>", pom))
    settings = {name.removeprefix("KAFKA_"): value for name, value in kafka["environment"].items()}

    assert kafka["image"] == f"apache/kafka:{version}"
    assert settings["PROCESS_ROLES"] == "broker,controller"
    assert settings["AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert {value for name, value in settings.items() if "REPLICATION_FACTOR" in name or "MIN_ISR" in name} == {"1"}
    (port,) = kafka["ports"]
    outside, _, inside = port.rpartition(":")
    assert outside.startswith("127.0.0.1:")
    assert settings["ADVERTISED_LISTENERS"].startswith(f"CLIENTS://{outside},"), (
        "clients are sent where it is published"
    )
    assert settings["LISTENERS"].startswith(f"CLIENTS://:{inside},")
    (volume,) = kafka["volumes"]
    assert volume == f"kafka:{settings['LOG_DIRS']}"
    assert "kafka" in compose["volumes"]
    assert kafka["healthcheck"]["test"][-1] in settings["LISTENERS"], "asked at a listener that stays inside"


def test_the_composed_clickhouse_is_pinned_stays_away_unless_asked_for_and_is_on_this_machine_only() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    clickhouse = compose["services"]["clickhouse"]
    page = (ROOT / "docs/clickhouse.md").read_text(encoding="utf-8")

    assert clickhouse["profiles"] == ["clickhouse"]
    version = tuple(map(int, clickhouse["image"].removeprefix("clickhouse/clickhouse-server:").split(".")))
    assert version >= tuple(map(int, OLDEST_SERVER.split(".")))
    assert f"ClickHouse {OLDEST_SERVER} or newer" in page
    assert all(port.startswith("127.0.0.1:") for port in clickhouse["ports"])
    (volume,) = clickhouse["volumes"]
    assert volume.partition(":")[0] in compose["volumes"]
