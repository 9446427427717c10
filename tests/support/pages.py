"""Pages of the documentation, taken apart: their blocks, and the files that they show."""

import re
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
