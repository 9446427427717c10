"""Question marks in a mapping: where a first one, that was guessed, waits for somebody to say what is meant."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.telling import count
from replayhouse.infra.sources.meanings import COLUMN_MEANINGS, UNFILLED, in_select
from replayhouse.infra.sources.problems import key_of
from replayhouse.infra.sources.toml_lines import line_of, lines_of_keys
from replayhouse.ingest.records import STATUSES

_COLUMN = re.compile(rf"\s*'{re.escape(UNFILLED)}' AS (\w+),?\s*(?:--.*)?")
"""A line of a SELECT with a column that is still to be made of something."""


class Unfilled(NamedTuple):
    """A place to fill in: the file of the mapping, the line, the key, and what has to be said."""

    name: str
    line: int
    key: str
    meaning: str

    @property
    def line_of_message(self) -> str:
        """A line of a message about all of them."""
        return f"{self.name}, line {self.line}: {self.key}: {self.meaning}"


def unfilled(told: Mapping[str, Any], name: str, texts: Mapping[str, str]) -> list[Unfilled]:
    """The places of `source.toml`, as TOML reads it, and of SELECTs that still have a question mark; by their lines.

    `texts` are the files of the mapping by their names, `name` is that of `source.toml`.
    """
    lines = lines_of_keys(texts[name])
    found = [Unfilled(name, line_of(lines, path), key_of(path), meaning) for path, meaning in _in_toml(told)]
    found.sort(key=lambda one: one.line)
    return found + [one for file, text in texts.items() if file != name for one in _in_sql(file, text)]


def question_marks(places: Sequence[Unfilled], folder: str) -> UsageError:
    """The error that says what is to be done, with a line for each place."""
    told = f'{count(len(places), "place")} to fill in, where a "{UNFILLED}" stands'
    return UsageError(
        f"The mapping {folder} has {told}: write a column of the file in quotes, {{ value = '...' }} or "
        "{ sql = '...' }; in a SELECT, an expression; for a word of the source, which status it means.",
        then=[one.line_of_message for one in places],
    )


def _in_toml(told: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    files = _table(told, "files")
    for record, table in _table(told, "records").items():
        known = COLUMN_MEANINGS.get(record, {})
        if _is_column(files, _table_of(table).get("from")):
            continue
        for column, cell in _table(_table_of(table), "columns").items():
            if cell == UNFILLED:
                yield ("records", record, "columns", column), known.get(column, "what it is made of")
    for word, status in _table(_table(told, "expectations"), "statuses").items():
        if status == UNFILLED:
            yield ("expectations", "statuses", word), f"which status it means: {', '.join(STATUSES)}"


def _is_column(files: Mapping[str, Any], name: object) -> bool:
    """Whether a file has a column that is called so."""
    return isinstance(name, str) and UNFILLED in _table(_table(files, name), "columns")


def _in_sql(file: str, text: str) -> Iterator[Unfilled]:
    """The columns of a SELECT that are a question mark and nothing else; a comparison with one is none."""
    known = COLUMN_MEANINGS.get(file.removesuffix(".sql"), {})
    for number, line in enumerate(text.splitlines(), 1):
        if (found := _COLUMN.fullmatch(line)) is not None and found[1] in known:
            yield Unfilled(file, number, found[1], in_select(known[found[1]]))


def _table(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _table_of(told.get(key))


def _table_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
