"""Reading a mapping: a folder with `source.toml` and, where renaming does not suffice, a `<record>.sql` beside it.

What is wrong is told with file, line and key, and with the name that was probably meant.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.sources.document import Document, Expectations, RawFile, Record, Source
from replayhouse.infra.sources.kept_mappings import hash_of_texts
from replayhouse.infra.sources.meanings import COLUMN_MEANINGS
from replayhouse.infra.sources.names import meant
from replayhouse.infra.sources.problems import Problem, key_of, problem_of, problems_of, problems_of_text
from replayhouse.infra.sources.toml_lines import line_of, lines_of_keys
from replayhouse.infra.sources.unfilled import question_marks, unfilled
from replayhouse.ingest.records import RECORDS

NAME = "source.toml"
LARGEST_FILE = 1 << 16
"""Bytes of `source.toml`, and of each SELECT."""


class Mapping(BaseModel):
    """A mapping as it is used: its folder, what `source.toml` says, SELECTs by record.

    `texts` are its files as they stand there, by name; `sha256` is that of all of them, in lower-case hexadecimal.
    """

    model_config = ConfigDict(frozen=True)

    folder: Path | None
    source: Source
    files: dict[str, RawFile]
    records: dict[str, Record]
    expectations: Expectations
    regions: dict[str, tuple[str, ...]]
    selects: dict[str, str]
    texts: dict[str, str]
    sha256: str


def read_mapping(folder: Path) -> Mapping:
    """Reads the mapping of a folder. Raises UsageError that says what is wrong in which file, line and key."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: a mapping is one, with a file {NAME} in it.")
    texts = {NAME: _text(folder / NAME)}
    records = {path.name: path for path in sorted(folder.glob("*.sql"))}
    for name, path in records.items():
        if path.stem not in RECORDS:
            raise UsageError(f"{path} is of no known record: {meant(path.stem, RECORDS)}")
        texts[name] = _text(path)
    return mapping_of_texts(folder, texts)


def mapping_of_texts(folder: Path, texts: dict[str, str]) -> Mapping:
    """The mapping whose files have these texts, by name; `folder` is named where one is wrong. Raises UsageError."""
    selects = {Path(name).stem: text for name, text in texts.items() if name != NAME}
    document = _document(folder, texts, set(selects))
    return Mapping(
        folder=folder,
        source=document.source,
        files=document.files,
        records=document.records,
        expectations=document.expectations,
        regions=document.regions,
        selects=selects,
        texts=texts,
        sha256=hash_of_texts(texts),
    )


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist: a mapping is a folder with a file {NAME} in it.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}: this is not text in UTF-8.") from error
    if len(data) > LARGEST_FILE:
        raise UsageError(f"{path} is larger than a mapping's file may be, {LARGEST_FILE:,} bytes.")
    if not text.strip() or "\0" in text:
        raise UsageError(f"{path} {'holds a NUL character' if text.strip() else 'is empty'}.")
    return text


def _document(folder: Path, texts: dict[str, str], selected: set[str]) -> Document:
    path, text = folder / NAME, texts[NAME]
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, error) from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deep.") from error
    if found := list(problems_of_text(told)):
        raise _refused(path, lines_of_keys(text), found)
    if places := unfilled(told, NAME, texts):
        raise question_marks(places, str(folder))
    try:
        document = Document.model_validate(told)
        problems = list(problems_of(document, selected))
    except ValidationError as error:
        problems = [problem_of(details, told) for details in error.errors(include_url=False)]
    if problems:
        raise _refused(path, lines_of_keys(text), problems)
    return document


def _refused(path: Path, lines: dict[tuple[str, ...], int], problems: list[Problem]) -> UsageError:
    """The first problem by line, before all that may follow from another."""
    first = min(problems, key=lambda problem: (problem.may_follow, line_of(lines, problem.path)))
    sentence = first.sentence if first.sentence.endswith("?") else f"{first.sentence}."
    return UsageError(f"{path}, line {line_of(lines, first.path)}: {key_of(first.path)} {sentence}")


def _not_toml(path: Path, text: str, error: tomllib.TOMLDecodeError) -> UsageError:
    told = str(error)
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", told)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    reason = told[: place.start()] if place else told
    return UsageError(f"{path}, line {line}: this is not TOML: {reason}.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `source.toml`, by which editors complete it: records and their columns by name."""
    schema = Document.model_json_schema(by_alias=True)
    record = schema["$defs"].pop("Record")
    schema["$defs"] |= {name: _schema_of(record, name) for name in RECORDS}
    records = {name: {"$ref": f"#/$defs/{name}"} for name in RECORDS}
    schema["properties"]["records"] = {"type": "object", "properties": records, "additionalProperties": False}
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"The mapping of a source: {NAME}"}
    return {**schema, **title}


def _schema_of(record: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema of one kind of record: the columns that it has, and none besides."""
    columns = record["properties"]["columns"]
    cell = columns["additionalProperties"]
    named = {
        column.name: {"description": COLUMN_MEANINGS[name][column.name], **cell} for column in RECORDS[name].columns()
    }
    told = {**columns, "properties": named, "additionalProperties": False}
    del told["propertyNames"]
    return {**record, "title": name, "properties": {**record["properties"], "columns": told}}
