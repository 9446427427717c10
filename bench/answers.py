"""The hundred questions: kept answers, answers computed anew from the marts, and the same from the raw CSV files.

Ours are measured through the Python API, in this process, as a notebook or a service would ask. Of the baseline's
answers it is counted how many are equal to ours: it checks no record, so that dirt may count in it.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
from psycopg import sql

import replayhouse
from bench import raw_answers
from bench.report import Report, Row
from bench.rows import note_seconds, time_row
from bench.timing import NotMeasured, Timing
from bench.warehouse import Warehouse
from replayhouse.infra.answers.answer import Answer
from tests.oracle import questions

MOST_OF_RAW = 3
LONGEST_ANSWER_S = 2.0
KEPT_S = 0.05
FOREIGN_S = 4.1
"""What another program took for the same hundred from the raw files, reading included, by its author's figure."""


@dataclass(frozen=True)
class Asked:
    """Seconds of each question, by its number, and the answers."""

    seconds: dict[int, float]
    answers: dict[int, Answer]

    @property
    def total(self) -> float:
        """Of all questions."""
        return sum(self.seconds.values())


def measure(warehouse: Warehouse, extract: Path, report: Report) -> None:
    """Adds the rows about answers, on a warehouse that is caught up with the log."""
    anew = [_anew(warehouse) for _ in range(2)]
    best = raw_answers.measure(extract)
    ours = Timing(tuple(one.total for one in anew))
    against = "DuckDB from the raw CSV files, reading included"
    time_row(report, "all hundred questions, computed anew", ours, against, best, MOST_OF_RAW)
    note_seconds(report, against, best)
    equal = _equal(anew[0], extract)
    report.notes.append(
        f"Of the baseline's hundred answers {equal} equal ours: it keeps no bad record apart. Another computation of "
        f"the same hundred from the raw files took its author {FOREIGN_S} s on such a machine."
    )
    slowest = max(anew[0].seconds, key=lambda number: anew[0].seconds[number])
    longest = min(one.seconds[slowest] for one in anew)
    report.rows.append(
        Row(
            f"the slowest of the hundred, computed anew (question {slowest})",
            f"{longest:.2f} s",
            "",
            "",
            f"at most {LONGEST_ANSWER_S:g} s",
            longest <= LONGEST_ANSWER_S,
        )
    )
    kept = sorted(seconds for _ in range(3) for seconds in _ask_all(warehouse).seconds.values())
    late, half = kept[int(0.95 * len(kept))], kept[len(kept) // 2]
    report.rows.append(
        Row(
            "a kept answer: 95th percentile of the hundred",
            f"{1000 * late:.0f} ms",
            "",
            "",
            f"below {1000 * KEPT_S:.0f} ms",
            late < KEPT_S,
        )
    )
    report.notes.append(f"Kept answers, each asked three times: median {1000 * half:.0f} ms.")


def anew_and_kept(warehouse: Warehouse) -> dict[str, float]:
    """Seconds for the table of growth: all questions computed anew, and all again, when they are kept."""
    anew = _anew(warehouse)
    return {"all questions, computed anew": anew.total, "all questions, kept": _ask_all(warehouse).total}


def _anew(warehouse: Warehouse) -> Asked:
    with psycopg.connect(warehouse.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("TRUNCATE read_model.answer"))
    warehouse.settle()
    found = _ask_all(warehouse)
    if kept := [number for number, answer in found.answers.items() if answer.is_kept]:
        raise NotMeasured(f"the answers to {kept} were not computed")
    return found


def _ask_all(warehouse: Warehouse) -> Asked:
    seconds: dict[int, float] = {}
    answers: dict[int, Answer] = {}
    with replayhouse.open(home=warehouse.home) as asked:
        asked.status()  # whatever is done once is done
        for listed in asked.questions():
            number = listed.question.number
            begun = time.perf_counter()
            answers[number] = asked.ask(number)
            seconds[number] = time.perf_counter() - begun
    return Asked(seconds, answers)


def _equal(ours: Asked, extract: Path) -> int:
    with duckdb.connect() as database:
        raw_answers.read(database, extract)
        return sum(list(answer.rows) == questions.answer(database, n) for n, answer in ours.answers.items())
