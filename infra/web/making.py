"""The process in which a moment is made, so that it can be interrupted: `python -m` of this module.

On standard input it is told what to make, and with which settings; on standard output it tells how far it is, a JSON
document a line, and at last what came of it. SIGINT ends it, and what it had made is removed.
"""

import json
import os
import signal
import sys
import traceback
from typing import Any

CTRL_C = {signal.SIGINT}
"""Held back by whoever starts this process, until it can be heard."""


def main() -> int:
    """Makes the moment that standard input names."""
    from replayhouse.infra.application.api.warehouse import Warehouse
    from replayhouse.infra.runtime.errors import ReplayhouseError
    from replayhouse.infra.runtime.settings import load_settings
    from replayhouse.infra.telemetry import log_lines

    if log_lines.are_asked_for():
        log_lines.write_to_the_end()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CTRL_C)
        given = json.load(sys.stdin)
        settings = load_settings(**given["settings"])
        with Warehouse(settings, tell=_tell, warn=_warn) as warehouse:
            warehouse.make_moment(given["at"], occurred_before=given["by"], source=given.get("source"))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the server was killed: nobody waits for the moment
        return 1
    except ReplayhouseError as error:
        _say({"error": "\n".join((str(error), *error.then))})
        return error.exit_code
    except Exception as error:  # without its message, which may tell of people
        _warn(f"Making a moment failed: {type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}")
        return 1
    _say({"made": True})
    return 0


def _tell(doing: str, done: int, of: int) -> None:
    _say({"doing": doing, "done": done, "of": of})


def _warn(text: str) -> None:
    _say({"warning": text})


def _say(document: dict[str, Any]) -> None:
    os.write(sys.stdout.fileno(), json.dumps(document).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
