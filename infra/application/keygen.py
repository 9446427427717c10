"""Making the key that signs checkpoints."""

from pathlib import Path
from typing import NamedTuple

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.signing_keys import make_key


class NewKey(NamedTuple):
    """What `audit keygen` answers: where the key is, and its public half in hexadecimal."""

    path: Path
    public_key: str

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"path": str(self.path), "public_key": self.public_key}


def keygen(site: Site) -> NewKey:
    """Makes the key where the settings have it; no database is needed. Raises UsageError where one is there."""
    path = site.settings.signing_key_path
    return NewKey(path, make_key(path).hex())
