"""The warehouse of a command: by the settings in the environment, telling on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.cli.output import progress, warn_in_lines
from replayhouse.infra.runtime.settings import load_settings


@contextmanager
def named_warehouse(*, stays: bool = False) -> Iterator[Warehouse]:
    """The warehouse that the settings name; how far its work is stands on standard error while the block runs.

    A command that `stays` draws no bar, which would stand there all the while.
    """
    with progress(draws=not stays) as tell, Warehouse(load_settings(), tell=tell, warn=warn_in_lines) as warehouse:
        yield warehouse
