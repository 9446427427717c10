"""Pages of the documentation, taken apart: their blocks, and the files that they show."""

import re
from collections.abc import Sequence
from typing import NamedTuple

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.py)\n")


def python_files_of(page: str) -> dict[str, str]:
    """The snippets of a page's text that have a file name, by that name."""
    snippets = (block[2] for block in BLOCK.finditer(page) if block[1] == "python")
    return {name[1]: text for text in snippets if (name := FILE_NAME.match(text))}


class Snippet(NamedTuple):
    """A block of Python of a page, with what the page shows of its output, if it does."""

    line: int
    text: str
    output: list[str] | None


def snippets_of(page: str) -> list[Snippet]:
    """The blocks of Python of a page's text that have no file name, in order."""
    found: list[Snippet] = []
    ends = -1
    for block in BLOCK.finditer(page):
        if block[1] == "python" and not FILE_NAME.match(block[2]):
            found.append(Snippet(page.count("\n", 0, block.start()) + 2, block[2], None))
            ends = block.end()
        elif block[1] == "text" and ends >= 0 and not page[ends : block.start()].strip():
            found[-1] = found[-1]._replace(output=block[2].splitlines())
    return found


class Command(NamedTuple):
    """A command of a page, with the output and the exit code that the page shows."""

    line: int
    text: str
    output: list[str]
    code: int


def commands_of(page: str) -> list[Command]:
    """The commands of a page's text, in order."""
    found: list[Command] = []
    for block in BLOCK.finditer(page):
        if block[1] in ("console", "sh"):
            begins = page.count("\n", 0, block.start()) + 2
            found += _commands_of_block(block[2].splitlines(), begins)
    return found


def _commands_of_block(lines: Sequence[str], begins: int) -> list[Command]:
    found: list[Command] = []
    for number, line in enumerate(lines, begins):
        if line.startswith("$ "):
            found.append(Command(number, line[2:], [], 0))
        elif found and line.startswith("> ") and not found[-1].output:
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{line[2:]}")
        elif found:
            found[-1].output.append(line)
    with_codes: list[Command] = []
    for command in found:
        if command.text == "echo $?":
            with_codes[-1] = with_codes[-1]._replace(code=int(command.output[0]))
        else:
            with_codes.append(command)
    return with_codes
