"""The page of the documentation, taken apart: the files and the commands that it shows."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/dagster.md"
PAGE_OF_THE_ADAPTER = ROOT / "dagster/README.md"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# ([\w.-]+\.(?:py|yaml))\n")


def files_of(page: Path) -> dict[str, str]:
    """The blocks that begin with the name of a file, by that name."""
    blocks = (block[2] for block in _BLOCK.finditer(page.read_text(encoding="utf-8")))
    return {name[1]: text for text in blocks if (name := _NAME.match(text))}


def commands_of(page: Path) -> list[str]:
    """What is typed in blocks marked `bash`."""
    blocks = (block[2] for block in _BLOCK.finditer(page.read_text(encoding="utf-8")) if block[1] == "bash")
    return [line[2:] for text in blocks for line in text.splitlines() if line.startswith("$ ")]
