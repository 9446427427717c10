"""Handing events of OpenLineage over, after the work is done: best effort, in bounded time, and in a few words."""

import json
import subprocess  # whose programs are ours: this interpreter, without a shell
import sys
from collections.abc import Sequence

from replayhouse.infra.openlineage import emit
from replayhouse.infra.openlineage.facets import Document

START_SECONDS = 20.0
"""So long the process may take to start, on a machine that is too busy for anything; half a second on an idle one."""

_SILENT = "silent"

_TOLD = {
    emit.MISSING: "its client is not installed: pip install 'replayhouse[lineage]' installs it, and "
    "OPENLINEAGE_DISABLED=true leaves it out",
    emit.LATE: f"the collector did not take it within {emit.SECONDS:.0f} seconds",
    _SILENT: "the process that sends it did not come to it in time",
    emit.UNSET: "the settings of OpenLineage name no place but the console, and standard output is the command's own: "
    "set OPENLINEAGE_URL, or a transport in the file that OPENLINEAGE_CONFIG names",
}


def send(events: Sequence[Document]) -> str | None:
    """Sends events; None where they were sent, else a sentence that says why not. Raises nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", emit.__name__],
            input=json.dumps(events, default=str).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=START_SECONDS + emit.SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        word, *more = [_SILENT]
    except (OSError, ValueError) as error:
        word, *more = emit.REFUSED, type(error).__name__
    else:
        word, *more = done.stdout.decode(errors="replace").split() or [_SILENT]
    if word == emit.SENT:
        return None
    why = _TOLD.get(word, f"it was refused ({' '.join(more)})")
    return f"OpenLineage was not told of this: {why}. The command itself has ended as it says."
