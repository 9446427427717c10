"""The page of the command line names every command, and each of its options where it speaks of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.cli.program import command

PAGE = (Path(__file__).parents[2] / "docs/command-line.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", PAGE, flags=re.M)
OF_EVERY_COMMAND = {"--help", "--json", "--debug"}


def commands(group: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """The words by which each command is called, and its own options."""
    for name, one in group.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(one, "commands"):
            yield from commands(one, words)
        else:
            yield words, {option for told in one.params for option in told.opts if option.startswith("--")}


@pytest.mark.parametrize(
    ("words", "options"), list(commands(command())), ids=lambda told: told if isinstance(told, str) else ""
)
def test_a_command_stands_on_the_page_with_its_options(words: str, options: set[str]) -> None:
    sections = [section for section in SECTIONS if re.search(rf"`(?:replayhouse )?{words}\b", section)]
    assert sections, f"the page does not speak of {words}"
    named = set(re.findall(r"--[a-z][a-z-]*", "\n".join(sections)))
    assert options - OF_EVERY_COMMAND <= named
