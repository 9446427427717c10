"""What is wrong with a mapping, in plain sentences: what pydantic finds of each value by itself, and what its parts
must be to one another.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from replayhouse.infra.sources.document import (
    ENDINGS,
    OWN_COLUMNS,
    Document,
    Expectations,
    RawFile,
    Record,
    Source,
    ending_of,
)
from replayhouse.infra.sources.names import meant, plain_name
from replayhouse.ingest.records import MAY_BE_UNKNOWN, RECORDS

QUOTED = 80

EVERYWHERE = "all"
"""No region: the key of an answer's row over everything (`infra.answers.findings`)."""


class Problem(NamedTuple):
    """What is wrong, in a sentence that has the key as its subject, and the path of that key.

    `may_follow`: it may come of another problem, as what is missing comes of a name that is misspelt.
    """

    path: tuple[str | int, ...]
    sentence: str
    may_follow: bool = False

    def within(self, *path: str) -> "Problem":
        """The same, of a table that stands there."""
        return self._replace(path=(*path, *self.path))


def problems_of(document: Document, selected: Collection[str]) -> Iterator[Problem]:
    """What the parts of a document must be to one another; `selected` are the records that have a SELECT."""
    source = document.source
    if source.decimal == source.thousands:
        yield Problem(("source", "thousands"), "is the mark before the decimals, too: leave it out, or set decimal")
    if "shrinks_at_most" in source.model_fields_set and not source.complete:
        yield Problem(("source", "shrinks_at_most"), "is for extracts that hold everything: set complete = true, too")
    for name, file in document.files.items():
        yield from (problem.within("files", name) for problem in _of_file(file))
    if not any(file.required for file in document.files.values()):
        yield Problem(("files",), "are all optional: one is required, so that an extract is known by it")
    if not document.records and not selected:
        yield Problem((), f"makes no record: it has neither [records.NAME] nor NAME.sql, NAME being {_told(RECORDS)}")
    for name, record in document.records.items():
        if name in selected:
            yield Problem(("records", name), f"is given twice: remove this table, or {name}.sql")
        else:
            unknown = [column for column in document.expectations.unknown if (name, column) in MAY_BE_UNKNOWN]
            found = _of_record(name, record, document.files, unknown)
            yield from (problem.within("records", name) for problem in found)
    yield from _of_regions(document.regions)
    for place, name in enumerate(document.expectations.without):
        if name in document.records or name in selected:
            made = f"[records.{name}]" if name in document.records else f"{name}.sql"
            yield Problem(("expectations", "without", place), f"names {name}, which {made} makes: remove one of them")


def problems_of_text(told: object, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """The places of a mapping, as TOML reads it, with a character that no text in the database can hold."""
    if isinstance(told, str) and "\0" in told:
        yield Problem(path, "holds a NUL character, which no text in the database can")
    elif isinstance(told, list):
        for place, one in enumerate(told):
            yield from problems_of_text(one, (*path, place))
    elif isinstance(told, dict):
        for key, one in told.items():
            yield from problems_of_text(key, path)
            yield from problems_of_text(one, (*path, key))


def _of_regions(regions: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    lies_in: dict[str, str] = {}
    for region, states in regions.items():
        if region == EVERYWHERE:
            yield Problem(("regions", region), "is what answers call all regions together: name it otherwise")
        if region != region.strip():
            yield Problem(("regions", region), "has blanks around its name: remove them")
        for place, state in enumerate(states):
            if state != state.strip():
                yield Problem(("regions", region, place), "has blanks around it: remove them")
            if state in lies_in:
                yield Problem(("regions", region, place), f"names {state}, which lies in {lies_in[state]}: remove one")
            lies_in[state] = region


def _of_file(file: RawFile) -> Iterator[Problem]:
    if file.format is None and ending_of(file.path) not in ENDINGS:
        yield Problem(("path",), f"does not end as a format does ({_told(ENDINGS)}): say which with `format`")
        return
    for key in ("delimiter", "encoding", "quote"):
        if file.kind != "csv" and key in file.model_fields_set:
            yield Problem((key,), f"is for csv only, and this file is {file.kind}")
    if file.kind != "xlsx" and file.sheet is not None:
        yield Problem(("sheet",), f"is for xlsx only, and this file is {file.kind}")
    if file.quote in file.delimiter:
        yield Problem(("quote",), f"is a delimiter, too (got {file.quote!r})")
    times = Counter(map(plain_name, file.columns))
    for name in file.columns:
        if times[plain_name(name)] > 1:
            yield Problem(("columns", name), "stands there twice: neither case nor blanks around tell columns apart")
        if plain_name(name) in OWN_COLUMNS:
            yield Problem(("columns", name), "is what reading calls the place of a row: no column of that name is read")
    for key, names in (("optional", file.optional), ("personal", file.personal)):
        for place, name in enumerate(names):
            if name not in file.columns:
                yield Problem((key, place), f"is no column of this file: {meant(name, file.columns)} (got {name!r})")
    if set(file.optional) >= set(file.columns):
        yield Problem(("optional",), "names every column: one must be there, so that the file is known by it")
    if file.currency is not None:
        yield from _of_currency(file, file.currency)


def _of_currency(file: RawFile, column: str) -> Iterator[Problem]:
    if column not in file.columns:
        yield Problem(("currency",), f"is no column of this file: {meant(column, file.columns)} (got {column!r})")
    elif file.columns[column] != "text":
        yield Problem(("currency",), f"is a column of type {file.columns[column]}, and codes are text (got {column!r})")
    if column in file.personal:
        yield Problem(("currency",), f"is personal, and a currency is told where it is another one (got {column!r})")


def _of_record(name: str, record: Record, files: Mapping[str, RawFile], unknown: Collection[str]) -> Iterator[Problem]:
    columns = {column.name: column for column in RECORDS[name].columns()}
    for column, cell in record.columns.items():
        if column not in columns:
            yield Problem(("columns", column), f"is no column of {name}: {meant(column, columns)}")
        if column in unknown:
            yield Problem(("columns", column), "is given, although `expectations` says that it is unknown")
        if record.from_ in files and isinstance(cell, str) and cell not in files[record.from_].columns:
            there = meant(cell, files[record.from_].columns)
            yield Problem(
                ("columns", column), f"comes from a column that the file does not name: {there} (got {cell!r})"
            )
    if record.from_ not in files:
        yield Problem(("from",), f"is no file of this mapping: {meant(record.from_, files)} (got {record.from_!r})")
    given = {*record.columns, *unknown}
    needed = (one.name for one in columns.values() if not (one.may_be_empty or one.is_optional))
    if lacking := [one for one in needed if one not in given]:
        told = f"lacks {', '.join(lacking)}, which no record of {name} is without"
        if nobody_knows := [one for one in lacking if (name, one) in MAY_BE_UNKNOWN]:
            told += f"; what the source does not know, [expectations] says: unknown = {nobody_knows}".replace("'", '"')
        yield Problem(("columns",), told, may_follow=True)


def key_of(path: Sequence[str | int]) -> str:
    """A key as it is written in TOML, with its tables; of a list, the list."""
    keys = (part for part in path if isinstance(part, str))
    names = [name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"' for name in keys]
    return ".".join(names)[: 2 * QUOTED] or "the file"


def problem_of(details: ErrorDetails, told: dict[str, Any]) -> Problem:
    """An error of pydantic as a plain sentence."""
    path, context = _path_in(details["loc"], told), details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            return Problem(path, f"is no known key: {meant(str(path[-1]), _keys_of(path[:-1]))}")
        case "missing":
            return Problem(path, f"lacks {details['loc'][-1]}", may_follow=True)
        case "literal_error":
            expected = str(context["expected"])
            return Problem(path, f"is {_one_of(details['input'], expected)} (got {_short(details['input'])})")
        case "mapping":
            sentence = str(context["sentence"])
            is_whole = sentence.endswith((")", "?"))
            return Problem(path, sentence if is_whole else f"{sentence} (got {_short(details['input'])})")
        case kind:
            wanted = _WANTED.get(kind, details["msg"]).format(**context)
            return Problem(path, f"{wanted} (got {_short(details['input'])})")


_WANTED = {
    "string_type": "is a text in quotes",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "bool_type": "is true or false",
    "bool_parsing": "is true or false",
    "tuple_type": "is a list in brackets",
    "dict_type": "is a table",
    "float_type": "is a number from 0 to 1, such as 0.2",
    "greater_than_equal": "is a number from 0 to 1, such as 0.2",
    "less_than_equal": "is a number from 0 to 1, such as 0.2",
    "model_type": "is a table",
    "too_short": "is empty",
    "too_long": "has more than {max_length} entries",
}


def _path_in(place: tuple[int | str, ...], told: Any) -> tuple[int | str, ...]:
    """The part of an error's place that stands in the file: pydantic adds which way of several it tried."""
    path: list[int | str] = []
    for part in place:
        is_there = part in told if isinstance(told, dict) else isinstance(told, list) and part in range(len(told))
        if not is_there:
            continue
        told = told[part]
        path.append(part)
    return tuple(path)


def _short(value: object) -> str:
    told = repr(value)
    return told if len(told) <= QUOTED else f"{told[:QUOTED]}..."


def _told(names: Iterable[str]) -> str:
    return ", ".join(names)


def _one_of(given: object, expected: str) -> str:
    """The words that are allowed, the one first that was probably meant."""
    words = re.findall(r"'([^']*)'", expected)
    near = get_close_matches(given, words, n=1) if isinstance(given, str) else []
    return f"{expected}: did you mean {near[0]}?" if near else expected


def _keys_of(path: Sequence[str | int]) -> Iterable[str]:
    """The keys of the table at a path."""
    tables: dict[str | int, type[BaseModel]] = {
        "source": Source,
        "files": RawFile,
        "records": Record,
        "expectations": Expectations,
    }
    fields = (tables[path[0]] if path else Document).model_fields
    return (field.alias or name for name, field in fields.items())
