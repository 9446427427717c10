"""Whether folds run on columns: REPLAYHOUSE_COLUMNS=off turns it off. The rows are the same, and take longer."""

import os

from replayhouse.infra.runtime.errors import UsageError

VARIABLE = "REPLAYHOUSE_COLUMNS"


def are_on() -> bool:
    """Whether they are. Raises UsageError where the variable is neither on nor off."""
    said = os.environ.get(VARIABLE) or "on"
    if said not in ("on", "off"):
        raise UsageError(f"The setting {VARIABLE} makes no sense: it is on or off (got {said!r}).")
    return said == "on"
