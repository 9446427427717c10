"""Making answers of record ahead of whoever asks: all questions with their defaults, as of what the live marts show."""

from collections.abc import Generator
from contextlib import closing
from typing import NamedTuple

from replayhouse.infra.answers.asking import FaultyQuestion
from replayhouse.infra.answers.moment import live_moment
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import answer
from replayhouse.infra.application.site import Site, errors_in_our_words
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.projections.questions import questions


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
    return AnswersMade(made, kept, failed)


def answers_one_by_one(database: Database) -> Generator[bool | FaultyQuestion]:
    """Answers one question each time that it is asked for more: whether the answer is new, or why there is none.

    Between two questions nothing is held.
    """
    with database.connect("replayhouse answers", autocommit=True) as conn:
        for asked in questions():
            try:
                yield not answer(conn, live_moment(conn), asked, read_parameters(asked, {})).is_kept
            except FaultyQuestion as error:
                yield error
