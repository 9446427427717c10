"""What README and docs show is what the program does: their commands are run, and their output is compared.

Each page is run by itself, from top to bottom, in an empty folder and an empty warehouse:

* In blocks marked `console` or `sh`, a line that begins with `$ ` is a command, `> ` goes on with it, and what follows
  is its output. A line `...` stands for any number of lines; a command without output is only run.
* A command must exit with 0, or with what the page shows for `echo $?` right after it.
* A block marked `python` whose first line is a comment with a file name is written to that file for the commands.
* `replayhouse` is the program as it is, forked from a process that has imported it (see `tests.support.forked`).
* In README.md and docs/python.md the other blocks marked `python` are run in order, in one process; a block marked
  `text` right after one is what it prints. Their warehouse stands in the folder `warehouse`.
* `make TARGET` is not run; its target must exist, and if output is shown, that is the output of the target's command.

What differs from run to run (recorded times, seconds, the hash chain, which holds both) is not compared.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from replayhouse.domain.quality.rules import RULES, TARGETS, WEIGHTS, Rule, Severity
from replayhouse.infra.kafka.broker.node import trial_broker
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.runtime.metrics_settings import MetricsSettings
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.web_settings import WebSettings
from replayhouse.infra.staging.checks import queries
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.folders import quick_folder
from tests.support.pages import BLOCK, Command, Snippet, commands_of, python_files_of, snippets_of
from tests.support.prepared import furnish
from tests.support.quick_java import use_quick_java
from tests.support.shell import Shell

ROOT = Path(__file__).parents[2]
RUN = (
    "README.md",
    *(
        f"docs/{page}.md"
        for page in (
            "tour",
            "answers",
            "event-store",
            "ingest",
            "sources",
            "woocommerce",
            "shopify",
            "retraction",
            "read-models",
            "time-travel",
            "quality",
            "personal-data",
            "operations",
            "backups",
            "upkeep",
            "telemetry",
            "audit",
            "proof-format",
            "kafka",
            "consuming",
            "kafka-proof",
            "sealed-log",
            "export",
            "replay",
            "dbt",
            "clickhouse",
            "runbooks/incident",
            "lineage",
        )
    ),
)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")))
ANY_LINES = "(?:.*\n)*"
CHANGING = (
    (re.compile(r"\b127\.0\.0\.1:[23]\d{4}\b"), "<broker>"),
    (re.compile(r"\b20[2-9]\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00(?::00)?)?"), "<recorded time>"),
    (re.compile(r"\b\d+\.\d+ s\b"), "<seconds>"),
    (re.compile(r'(?<="seconds": )\d+\.\d+'), "<seconds>"),
    (re.compile(r'(?<="process": )\d+'), "<process>"),
    (re.compile(r'((?:chain"?:? "?|position [\d,]+, ))[0-9a-f]{64}'), r"\1<chain>"),
    (re.compile(r"^(quality\.\w+ .*)[0-9a-f]{64}$"), r"\1<digest>"),
    (re.compile(r"(?<=UTC, )position [\d,]+$"), "<position>"),
    (re.compile(r"^(sales|fulfillment|customer|marketplace) +[\d,]+(?=(?: +[\d,]+){5}$)"), r"\1 <position>"),
    (re.compile(r"^(sales|fulfillment|customer|marketplace)( +[\d,]+) +[\d,]+$"), r"\1\2 <position>"),
)
"""The read model of quality tells when each load was, so its digest differs from run to run; in which order the streams
of a chunk are appended, hence an event's position, is nobody's promise."""


def is_shown(shown: Sequence[str], told: Sequence[str]) -> bool:
    """Whether a page shows what a command told, but for what changes, what is left out, and blank lines at the end."""
    pattern = "".join(ANY_LINES if line.strip() == "..." else f"{re.escape(_stable(line))}\n" for line in shown)
    return re.fullmatch(rf"{pattern}\n*", "".join(f"{_stable(line)}\n" for line in told)) is not None


def _stable(line: str) -> str:
    for pattern, instead in CHANGING:
        line = pattern.sub(instead, line)
    return line.rstrip()


def recipe_of(target: str) -> str:
    """The command that `make TARGET` ends with, as it can be called with the environment's programs on the path."""
    rule = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule, f"the Makefile has no target {target}"
    return rule[1].strip().splitlines()[-1].replace("$(BIN)/", "")


AS_ONE_PROGRAM = """
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

told, names = [], {"__name__": "__main__"}
for line, text in json.loads(Path("snippets.json").read_text("utf-8")):
    with redirect_stdout(StringIO()) as out:
        exec(compile("\\n" * (line - 1) + text, "page.md", "exec"), names)
    told.append(out.getvalue().splitlines())
Path("told.json").write_text(json.dumps(told), "utf-8")
"""


@pytest.fixture
def shell(prepared: Path) -> Iterator[Shell]:
    """A shell in an empty folder with a short name, for sockets; its database is stopped at the end."""
    use_quick_java()  # for the pages that start a broker
    with quick_folder() as folder:
        shell = Shell(folder)
        furnish(shell.home, prepared)
        try:
            yield shell
        finally:
            for home in (shell.home, shell.home / "demo", shell.folder / "restored", shell.folder / "elsewhere"):
                if home.exists():
                    EmbeddedServer(home).stop()
            trial_broker(shell.home).stop()


@pytest.mark.parametrize("name", RUN)
def test_the_commands_of_a_page_do_what_it_shows(name: str, shell: Shell) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    for file, text in python_files_of(page).items():
        (shell.folder / file).write_text(text, encoding="utf-8")
    commands = commands_of(page)
    assert commands, f"{name} shows no commands"
    for command in commands:
        text = command.text
        if made := re.fullmatch(r"make (\w+)", text):
            text = recipe_of(made[1])
            if not command.output:
                continue
        code, told = shell.run(text)
        place, whole = f"{name}:{command.line}: {command.text}", "\n".join(told)
        assert code == command.code, f"{place}\nexits with {code}, not {command.code}:\n{whole}"
        shown = command.output
        assert not shown or is_shown(shown, told), f"{place}\nshows other output than this:\n{whole}"


@pytest.mark.parametrize("name", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_does_what_it_shows(name: str, shell: Shell, prepared: Path) -> None:
    snippets = snippets_of((ROOT / name).read_text(encoding="utf-8"))
    assert snippets, f"{name} shows no Python"
    (shell.folder / "snippets.json").write_text(json.dumps([snippet[:2] for snippet in snippets]), "utf-8")
    furnish(shell.folder / "warehouse", prepared)
    try:
        code, lines = shell.call(sys.executable, "-c", AS_ONE_PROGRAM)
    finally:
        EmbeddedServer(shell.folder / "warehouse").stop()
    assert code == 0, "\n".join((name, *lines))
    for snippet, told in zip(snippets, json.loads((shell.folder / "told.json").read_text("utf-8")), strict=True):
        shown, whole = snippet.output or [], "\n".join(told)
        assert is_shown(shown, told), f"{name}:{snippet.line}\nprints other than what is shown:\n{whole}"


def test_output_that_differs_is_noticed() -> None:
    told = ["table  rows", "a         1", "b         2", "done in 1.7 s"]

    assert is_shown(["table  rows", "...", "done in 0.1 s"], told)
    assert is_shown(told, told)
    assert not is_shown(["table  rows", "a         1", "done in 0.1 s"], told), "a line is left out without saying so"
    assert not is_shown(["table  rows", "...", "b         3", "..."], told)
    assert not is_shown(["...", "done in 2 s"], told)


def test_commands_are_found_with_their_output_and_exit_code() -> None:
    page = "text\n```console\n$ one\n$ two \\\n> more\nout\n\n$ three\n$ echo $?\n3\n```\n```text\n$ four\n```\n"

    assert commands_of(page) == [
        Command(3, "one", [], 0),
        Command(4, "two \\\nmore", ["out", ""], 0),
        Command(8, "three", [], 3),
    ]


def test_snippets_are_found_with_the_output_that_stands_right_below() -> None:
    page = (
        "```python\n1\n```\n```text\nout\n```\n\n```python\n# a.py\n```\n```python\n2\n```\nand\n\n```text\nno\n```\n"
    )

    assert snippets_of(page) == [Snippet(2, "1\n", ["out"]), Snippet(12, "2\n", None)]


def rules_table() -> list[str]:
    """The table of docs/quality.md."""
    lines = []
    for dimension, target in TARGETS.items():
        lines += [
            f"**{dimension.capitalize()}**, target {target} %",
            "",
            "| rule | what should hold | severity | broken |",
            "|---|---|---|---|",
            *(
                f"| `{rule.name}` | {rule.sentence} | {rule.severity} | {_consequence(rule)} |"
                for rule in RULES
                if rule.dimension is dimension
            ),
            "",
        ]
    return lines


def _consequence(rule: Rule) -> str:
    if rule.severity is Severity.CRITICAL:
        return "extract rejected"
    return "record quarantined" if "FROM quarantine" in queries()[rule.name] else "finding"


def settings_table(settings: type[BaseSettings], prefix: str) -> list[str]:
    """The rows of a table of settings, but for the defaults, which are written for people."""
    return [f"| `{prefix}{name.upper()}` | {field.description} |" for name, field in settings.model_fields.items()]


def test_the_table_of_rules_is_that_of_the_program() -> None:
    """If it is not: the assertion shows the table as it should be."""
    page = (ROOT / "docs/quality.md").read_text(encoding="utf-8")
    begin, end = "<!-- rules: checked by a test -->\n\n", "<!-- end of rules -->"
    assert page.split(begin)[1].split(end)[0] == "".join(f"{line}\n" for line in rules_table())
    for severity, weight in WEIGHTS.items():
        assert f"{severity} {weight}" in page, "the weight of each severity"


def test_every_setting_is_described_and_no_other() -> None:
    tables: dict[str, tuple[type[BaseSettings], str]] = {
        "operations": (Settings, "REPLAYHOUSE_"),
        "kafka": (KafkaSettings, "REPLAYHOUSE_KAFKA_"),
        "serving": (WebSettings, "REPLAYHOUSE_WEB_"),
        "clickhouse": (ClickHouseSettings, "REPLAYHOUSE_CLICKHOUSE_"),
        "metrics": (MetricsSettings, "REPLAYHOUSE_METRICS_"),
    }
    for name, (settings, prefix) in tables.items():
        page = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
        shown = re.findall(r"^(\| `REPLAYHOUSE_\w+` \| [^|]+ \|)", page, re.MULTILINE)
        assert shown == settings_table(settings, prefix), name

    known = {f"REPLAYHOUSE_{name.upper()}" for name in Settings.model_fields} | {"REPLAYHOUSE_SAMPLE"}
    known |= {f"REPLAYHOUSE_KAFKA_{name.upper()}" for name in KafkaSettings.model_fields} | {"REPLAYHOUSE_KAFKA_"}
    known |= {f"REPLAYHOUSE_WEB_{name.upper()}" for name in WebSettings.model_fields} | {"REPLAYHOUSE_WEB_"}
    known |= {f"REPLAYHOUSE_CLICKHOUSE_{name.upper()}" for name in ClickHouseSettings.model_fields}
    known |= {f"REPLAYHOUSE_METRICS_{name.upper()}" for name in MetricsSettings.model_fields}
    known |= {"REPLAYHOUSE_TEST_CLICKHOUSE_URL"}  # of a test
    known |= {"REPLAYHOUSE_LOG", "REPLAYHOUSE_COLUMNS"}  # a word each: docs/telemetry.md, docs/columns.md
    known |= {"REPLAYHOUSE_JSON_LINES_"}  # of the example in docs/how-to/add-a-sink.md
    named = {word for path in PAGES for word in re.findall(r"REPLAYHOUSE_[A-Z_]+", (ROOT / path).read_text("utf-8"))}
    assert named <= known


def test_every_table_of_the_star_schema_is_named() -> None:
    page = (ROOT / "docs/read-models.md").read_text(encoding="utf-8")
    tables = {f"{context}.{table.name}" for context, model in PROJECTIONS.items() for table in model.tables}
    views = {f"{context}.{view.name}" for context, model in PROJECTIONS.items() for view in model.views}
    assert {name for name in tables | views | {"shared.dim_date"} if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name: str) -> None:
    page = ROOT / name
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_indexes_name_every_page() -> None:
    for index in ("docs/README.md", "docs/decisions/README.md", "docs/how-to/README.md"):
        folder = (ROOT / index).parent
        text = (ROOT / index).read_text(encoding="utf-8")
        assert [path.name for path in sorted(folder.glob("*.md")) if f"({path.name})" not in text] == ["README.md"]
