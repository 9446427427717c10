"""A warehouse as Python has it, and the commands on the same one: what the one answers, the others print."""

from pathlib import Path
from typing import Any

import replayhouse
from replayhouse.infra.postgres.connection import Database
from tests.support.in_process import Warehouse


class Both:
    """`python` and `commands`; `told` is what the former said it is doing, each once in a row."""

    def __init__(self, database: Database, home: Path) -> None:
        self.commands = Warehouse(database, home)
        self.told: list[str] = []
        self.python = replayhouse.open(home=home, database_url=database.url, tell=lambda doing, *_: self._note(doing))

    def printed(self, *arguments: str | Path) -> Any:
        """The document of a command, without the seconds that it took."""
        document = self.commands.json(*arguments)
        if isinstance(document, dict):
            document.pop("seconds", None)
        return document

    def _note(self, doing: str) -> None:
        if doing not in self.told[-1:]:
            self.told.append(doing)
