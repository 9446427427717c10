"""The process in which a moment is made, so that it can be interrupted: `python -m` of this module.

On standard input it is told what to make, and with which settings; on standard output it tells how far it is, a JSON
document a line, and at last what came of it. SIGINT ends it, and what it had made is removed.
"""

import json
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

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CTRL_C)
        given = json.load(sys.stdin)
        settings = load_settings(**given["settings"])
        with Warehouse(settings, tell=_tell, warn=_warn) as warehouse:
            warehouse.make_moment(given["at"], occurred_before=given["by"])
    except KeyboardInterrupt:
        return 130
    except ReplayhouseError as error:
        _say({"error": "\n".join((str(error), *error.then))})
        return error.exit_code
    except Exception:
        traceback.print_exc()
        return 1
    _say({"made": True})
    return 0


def _tell(doing: str, done: int, of: int) -> None:
    _say({"doing": doing, "done": done, "of": of})


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
