"""Waiting for conditions."""

import subprocess
import time
from collections.abc import Callable

LONGEST_S = 240.0
"""A busy machine is slow; what hangs fails."""


def wait_until(holds: Callable[[], bool], process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Waits for a condition; AssertionError where it does not come, or the process ends before."""
    ends = time.monotonic() + LONGEST_S
    while not holds():
        assert time.monotonic() < ends, "it does not come"
        assert process is None or process.poll() is None, "the process has ended before"
        time.sleep(0.05)
