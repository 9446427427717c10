"""What all methods of a warehouse rest on: its site, and errors in our own words."""

import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from replayhouse.infra.application.site import Site
from replayhouse.infra.openlineage.asked import is_asked_for
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import Tell, Warn, tell_nobody

if TYPE_CHECKING:
    from replayhouse.infra.postgres.connection import Database
    from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
    from replayhouse.infra.runtime.identity import Asked
    from replayhouse.infra.runtime.kafka_settings import KafkaSettings

P = ParamSpec("P")
R = TypeVar("R")


class ReplayhouseWarning(UserWarning):
    """What a person should know although the work goes on."""


def warn_in_python(text: str) -> None:
    """Warns as Python's libraries do."""
    warnings.warn(text, ReplayhouseWarning, stacklevel=2)


class Base:
    """A warehouse: where it is, and who is told of the work. Use it from one thread at a time.

    `tell` takes what is being done and how many of how many parts of it are done; `warn` takes what a person should
    know although the work goes on, by default as a ReplayhouseWarning. `statement_seconds`: so long a statement of the
    database may take, where that is given; TooLong ends what takes longer. `makes_moments`: whether a question may wait
    while the moment is folded that it is asked as of; else NotMade is raised (`make_moment` makes it). `login`: how the
    database is reached on behalf of others than owners; by default, as the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        kafka: "KafkaSettings | None" = None,
        clickhouse: "ClickHouseSettings | None" = None,
        tell: Tell = tell_nobody,
        warn: Warn = warn_in_python,
        statement_seconds: int = 0,
        makes_moments: bool = True,
        login: "Database | None" = None,
    ) -> None:
        self._site = Site(
            settings,
            tell,
            warn,
            kafka,
            statement_seconds,
            makes_moments=makes_moments,
            login=login,
            clickhouse=clickhouse,
        )

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._site.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves nothing open: each use case closes its connections. The embedded database goes on (`db stop`)."""

    @contextmanager
    def on_behalf_of(self, asked: "Asked | None") -> Iterator[None]:
        """Works in the block on behalf of somebody, and for what is said; of None, nobody knows who it is.

        By that is decided what is shown in clear, and it is what the access log keeps. Outside of such a block it is
        the owner, by the name of the settings.
        """
        before, self._site.asked = self._site.asked, asked
        try:
            yield
        finally:
            self._site.asked = before

    def _do(self, use_case: Callable[Concatenate[Site, P], R], *args: P.args, **given: P.kwargs) -> R:
        """Runs a use case, and tells of it where that is asked for.

        Raises a ReplayhouseError for whatever is known to go wrong.
        """
        with self._site.in_its_words():
            if is_asked_for():
                from replayhouse.infra.application.run_events import run_and_tell

                return run_and_tell(self._site, use_case, *args, **given)
            return use_case(self._site, *args, **given)

    def _each(
        self, use_case: Callable[Concatenate[Site, P], Generator[R]], *args: P.args, **given: P.kwargs
    ) -> Generator[R]:
        """The same for a use case whose results come one after the other: it runs while they are asked for."""
        with self._site.in_its_words():
            yield from use_case(self._site, *args, **given)
