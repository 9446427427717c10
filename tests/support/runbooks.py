"""The pages of `docs/runbooks`, and what can be typed or asked on them."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from tests.support.command_words import VALUES
from tests.support.pages import BLOCK, commands_of

FOLDER = Path(__file__).parents[2] / "docs/runbooks"
NOT_OF_AN_ALERT = ("README.md", "incident.md")

PAGES = {page.name: page.read_text("utf-8") for page in sorted(FOLDER.glob("*.md")) if page.name not in NOT_OF_AN_ALERT}
"""The text of each page of an alert, by the name of its file."""

_CRON = re.compile(r"^[\d*/]+ [\d*/]+ \S+ \S+ \S+ ")


def page_of(alert: str) -> str:
    """The file of the page of an alert."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert).lower() + ".md"


def script_of(page: str, given: Mapping[str, object]) -> str:
    """The commands of a page as one script, which ends at the first that fails; `given` is what its variables are."""
    variables = (f"{name}={shlex.quote(str(value))}" for name, value in (VALUES | dict(given)).items())
    return "\n".join(["set -euo pipefail", *variables, "set -v", *run_on(page)])


def run_on(page: str) -> list[str]:
    """The commands of a page's text that are run by a test."""
    return [command.text for command in commands_of(page)]


def read_on(page: str) -> list[str]:
    """What somebody types where there is Docker, Kafka or a second machine; of a crontab, the commands."""
    blocks = (block[2] for block in BLOCK.finditer(page) if block[1] == "sh")
    return [_CRON.sub("", line) for block in blocks for line in block.splitlines() if not line.startswith("$ ")]


def expressions_on(page: str) -> list[str]:
    """The expressions of PromQL on a page's text, a line each."""
    return [line for block in BLOCK.finditer(page) if block[1] == "promql" for line in block[2].splitlines()]
