"""What a question is: its text, the columns of its answer, its parameters, and two statements of SQL.

`answer` gives the rows of the answer, in order, rounded. `rows` gives what its figures are made of, for all of them at
once: the key columns of the answer's row, `measure` (a column, or a part of one), `table` and `key` of a row behind the
figure, and the `part` that this one brings; the parts of a measure add up to the figure. A statement `backtest`, where
there is one, gives one row of values that the finding may name. Statements read marts and the calendar only, so that
an answer shows one moment; parameters stand in them as `:name`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from replayhouse.projections.marts import MARTS
from replayhouse.projections.sql_files import Statement, read_sql_file

_FOLDER = Path(__file__).parent
_COLUMN = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?P<mark>[*#@]|\.4)?")
_WORD = re.compile(r"\w+")
_TYPES = {"*": "text", "#": "int", "@": "date", ".4": "numeric(10,4)", None: "numeric(14,2)"}

Value = int | Decimal
"""The value of a parameter."""


class Column(NamedTuple):
    """A column of an answer; `type` is text, int, date, numeric(14,2) or numeric(10,4)."""

    name: str
    type: str


class Parameter(NamedTuple):
    """What may be set: its default, which has its type (a whole number, or one with decimals), and its least value."""

    name: str
    default: Value
    minimum: Value


@dataclass(frozen=True)
class Question:
    """A question as its file declares it.

    `key` are the columns that tell one row of the answer from another, the first ones. `made_of` says of each column
    that is neither key nor a sum of parts from which measures it is made: those of the rows behind it. `beyond` says in
    words which other rows of the answer it takes in as well, as a mean over three months does. `findings` are sentences
    with the names of values in braces: the first whose values are all there is told. `chart` has a kind and, but for
    tables, the columns that are drawn.
    """

    number: int
    path: Path
    group: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    definition: str
    caveat: str
    terms: tuple[str, ...]
    chart: Mapping[str, Any]
    findings: tuple[str, ...]
    made_of: Mapping[str, tuple[str, ...]]
    beyond: Mapping[str, str]
    statements: Mapping[str, Statement]
    text: str

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns whose figures are sums of parts: the counts and sums."""
        return tuple(c.name for c in self.columns if c.name not in self.key and c.name not in self.made_of)

    @cached_property
    def is_of_people(self) -> bool:
        """Whether it takes personal fields to say which rows stand behind a figure: so each row tells of these."""
        personal = {name for mart in MARTS for name in mart.personal}
        return not personal.isdisjoint(_WORD.findall(self.statements["rows"].text))

    @cached_property
    def sha256(self) -> str:
        """Of the whole file: what it says and how it is computed."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def questions() -> tuple[Question, ...]:
    """All questions, by number."""
    return tuple(read_question(path) for path in sorted(_FOLDER.glob("*.sql")))


@cache
def question(number: int) -> Question | None:
    """The question of a number; None where there is none."""
    return next((read_question(path) for path in _FOLDER.glob(f"{number:03}_*.sql")), None)


def read_question(path: Path) -> Question:
    """Reads a file. Raises ValueError, which names it, where something is missing or does not fit together."""
    file = read_sql_file(path)
    head = dict(file.head)
    try:
        findings = head["finding"]
        found = Question(
            number=head["number"],
            path=path,
            group=head["group"],
            title=head["title"],
            columns=tuple(_column(word) for word in head["columns"].split()),
            key=tuple(head["key"]),
            parameters=tuple(_parameter(name, told) for name, told in head.get("parameters", {}).items()),
            definition=" ".join(head["definition"].split()),
            caveat=head.get("caveat", ""),
            terms=tuple(head.get("terms", ())),
            chart=head["chart"],
            findings=(findings,) if isinstance(findings, str) else tuple(findings),
            made_of={name: tuple(parts) for name, parts in head.get("made_of", {}).items()},
            beyond=head.get("beyond", {}),
            statements=file.statements,
            text=file.text,
        )
        _check(found)
    except KeyError as error:
        raise ValueError(f"{path.name} does not say its {error.args[0]}.") from error
    return found


def _column(word: str) -> Column:
    matched = _COLUMN.fullmatch(word)
    if matched is None:
        raise ValueError(
            f"'{word}' is no column: a name, and * for text, # for int, @ for a date, .4 for four decimals."
        )
    return Column(matched["name"], _TYPES[matched["mark"]])


def _parameter(name: str, told: Mapping[str, Any]) -> Parameter:
    return Parameter(name, told["default"], told["minimum"])


def _check(found: Question) -> None:
    names = [column.name for column in found.columns]
    parts = {part for parts in found.made_of.values() for part in parts}
    wrong = [
        f"{found.path.name}: {what}"
        for is_wrong, what in (
            (not found.path.name.startswith(f"{found.number:03}_"), "its number is not that of the file"),
            (tuple(names[: len(found.key)]) != found.key, "its key is not its first columns"),
            (not found.made_of.keys() <= set(names), "made_of names what is no column"),
            (bool(parts & found.made_of.keys()), "made_of names parts that are themselves made of others"),
            (not found.beyond.keys() <= found.made_of.keys(), "beyond names what is not in made_of"),
            (not {"answer", "rows"} <= found.statements.keys(), "it has not both statements, answer and rows"),
        )
        if is_wrong
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
