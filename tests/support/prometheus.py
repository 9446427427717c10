"""Prometheus and its tool, as Debian has them: rules and expressions checked, and a server that asks the program."""

import re
import shutil
import subprocess

LONGEST_S = 120.0

_WORD = re.compile(r"\b(?:replayhouse|http_server)[a-z_:]*")
_STRING = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\{[^}]*\}")


def program(name: str) -> str:
    """Where one of Debian's programs is."""
    found = shutil.which(name)
    assert found is not None, f"The rules are tried with {name}, which is not on the path: apt-get install prometheus"
    return found


def promtool(*arguments: str) -> None:
    """Runs promtool, which must have nothing to complain of."""
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def names_in(expression: str) -> set[str]:
    """The metrics that an expression of PromQL asks for; of a histogram, its name."""
    bare = _LABELS.sub("", _STRING.sub("", expression))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in _WORD.findall(bare)}
