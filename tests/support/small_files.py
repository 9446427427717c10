"""The program as on a full disk: no file may grow beyond a size, which processes inherit."""

import sys
from collections.abc import Sequence

_WITH_SMALL_FILES = """
import os, resource, sys
of_all = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), of_all))
os.execv(sys.argv[2], sys.argv[2:])
"""


def with_small_files(size: int, program: Sequence[str]) -> list[str]:
    """A program, by its path and arguments, whose files hold so many bytes at most."""
    return [sys.executable, "-c", _WITH_SMALL_FILES, str(size), *program]
