"""Making answers of record ahead of whoever asks: all questions with their defaults, as of what the live marts show."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread
from typing import NamedTuple

import psycopg

from replayhouse.infra.answers.asking import FaultyQuestion
from replayhouse.infra.answers.moment import Moment, live_moment
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import answer
from replayhouse.infra.application.changes import count_growth
from replayhouse.infra.application.site import Site, errors_in_our_words
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import try_acquire
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError
from replayhouse.infra.runtime.telling import Warn
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.projections.questions import questions

_NAME = "replayhouse answers"

LOCK = "answers"
"""The lock of who makes answers in the background: one process is enough."""

POLL_SECONDS = 1.0
"""So often it is looked whether the marts show something new."""


class AnswersMade(NamedTuple):
    """How many answers were made now, how many were there, and how many questions could not be answered."""

    made: int
    kept: int
    failed: int


def make_answers(site: Site) -> AnswersMade:
    """Answers all questions and keeps the answers. What cannot be answered is told, and holds up nothing."""
    made, kept, failed, every = 0, 0, 0, len(questions())
    try:
        with errors_in_our_words(), closing(answers_one_by_one(site.database)) as answers:
            for is_news in answers:
                if isinstance(is_news, FaultyQuestion):
                    site.warn(str(is_news))
                    failed += 1
                else:
                    made, kept = made + is_news, kept + (not is_news)
                site.tell("answering the questions", made + kept + failed, every)
    except ReplayhouseError as error:
        failed = every - made - kept
        site.warn(f"Not all questions are answered. {error} What was loaded stands: replayhouse ask all answers them.")
    happened(Happening.ANSWERS_MADE, made=made, kept=kept, failed=failed)
    return AnswersMade(made, kept, failed)


def answers_one_by_one(database: Database) -> Generator[bool | FaultyQuestion]:
    """Answers one question each time that it is asked for more: whether the answer is new, or why there is none.

    Between two questions nothing is held. Raises Conflicting where the marts are such that no answer would be kept.
    """
    with database.connect(_NAME, autocommit=True) as conn:
        for asked in questions():
            shown = live_moment(conn)
            if not shown.is_record:
                raise Conflicting("The marts show something else than the log: streams are parked, or others stopped.")
            try:
                yield not answer(conn, shown, asked, read_parameters(asked, {})).is_kept
            except FaultyQuestion as error:
                yield error
        count_growth(conn)


@contextmanager
def answering_beside(database: Database, stop: Event, warn: Warn) -> Iterator[None]:
    """While the block runs, a thread answers all questions whenever the live marts show something new.

    It works on a connection of its own, so that whoever follows the log need not wait for it, and ends when `stop` is
    set, or the block ends: between two questions. One process at a time does that in a database.
    """
    done = Event()
    beside = _Beside(database, lambda: stop.is_set() or done.is_set(), warn)
    thread = Thread(target=beside.run, args=(done,), name=_NAME)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Beside:
    """What the thread does."""

    def __init__(self, database: Database, is_over: Callable[[], bool], warn: Warn) -> None:
        self._database = database
        self._is_over = is_over
        self._warn = warn
        self._told: set[str] = set()

    def run(self, done: Event) -> None:
        """Until it is over. Where the database is away, or somebody holds what it needs, it tries again later."""
        while not self._is_over():
            with suppress(ReplayhouseError, psycopg.Error), self._database.connect(_NAME, autocommit=True) as conn:
                self._follow(conn, done)
            done.wait(POLL_SECONDS)

    def _follow(self, conn: psycopg.Connection, done: Event) -> None:
        answered: Moment | None = None
        is_mine = False
        while not self._is_over():
            is_mine = is_mine or try_acquire(conn, LOCK)
            shown = live_moment(conn) if is_mine else None
            if shown is None or not shown.is_record or shown == answered:
                done.wait(POLL_SECONDS)
            elif self._answer(conn, shown):
                answered = shown

    def _answer(self, conn: psycopg.Connection, shown: Moment) -> bool:
        """Answers what is not answered yet; false where it was told to end, or the marts show something else by now."""
        for asked in questions():
            if self._is_over() or live_moment(conn) != shown:
                return False
            try:
                answer(conn, shown, asked, read_parameters(asked, {}))
            except FaultyQuestion as error:
                if str(error) not in self._told:
                    self._told.add(str(error))
                    self._warn(str(error))
        count_growth(conn)
        return True
