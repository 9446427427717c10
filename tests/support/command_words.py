"""Commands of the program where somebody has written them down: found, and taken apart as the program does it."""

import re
import shlex

from typer.main import get_command

from replayhouse.infra.cli.program import app

VALUES = {"CONTEXT": "sales", "RELAY": "sales", "TOKEN": "1", "POSITION": "1"}
"""What variables of the pages are that do not name a file."""

_VARIABLE = re.compile(r"\$([A-Z_]+)")
_ASSIGNED = re.compile(r"^\w+=")


def arguments_in(line: str, program: str) -> list[list[str]]:
    """The words behind each call of a program in what is typed into a shell, with the `VALUES` of variables."""
    found: list[list[str]] = []
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    current: list[str] | None = None
    begins = True
    for word in words:
        if set(word) <= set("();<>|&"):
            current, begins = None, word not in ("<", ">", ">>")
        elif begins and word == program:
            current = []
            found.append(current)
            begins = False
        elif current is not None:
            current.append(_VARIABLE.sub(lambda name: VALUES.get(name[1], name[0]), word))
        else:
            begins = begins and _ASSIGNED.match(word) is not None
    return found


def parse(words: list[str]) -> None:
    """Raises what the program says where it takes these words for no command of its own."""
    found, rest = get_command(app), list(words)
    while (commands := getattr(found, "commands", None)) is not None:
        assert rest[:1], f"which command of {' '.join(words)}?"
        assert rest[0] in commands, f"there is no command {rest[0]}"
        found, *rest = commands[rest[0]], *rest[1:]
    found.make_context(" ".join(words), rest)
