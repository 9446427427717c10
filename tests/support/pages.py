"""Pages of the documentation, taken apart: their blocks, and the files that they show."""

import re

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.py)\n")


def python_files_of(page: str) -> dict[str, str]:
    """The snippets of a page's text that have a file name, by that name."""
    snippets = (block[2] for block in BLOCK.finditer(page) if block[1] == "python")
    return {name[1]: text for text in snippets if (name := FILE_NAME.match(text))}
