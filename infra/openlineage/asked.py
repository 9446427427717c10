"""Whether anybody has asked for events of OpenLineage. Looked at by every command: it imports next to nothing."""

import os
from collections.abc import Mapping

_TRANSPORT = "OPENLINEAGE__TRANSPORT"


def is_asked_for(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names where events go, by the variables of OpenLineage's client.

    Without one of them nothing is sent: a file `openlineage.yml` that happens to lie about is no reason to.
    """
    if environment.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    return any(
        value and (name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG") or name.startswith(_TRANSPORT))
        for name, value in environment.items()
    )
