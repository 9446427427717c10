"""A first mapping of an extract that nobody has described: what its files look like, which records they seem to hold.

It is a beginning for a person, so that what is not certain is a comment. No cell of the extract stands in it.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from replayhouse.infra.sources.document import ColumnType
from replayhouse.infra.sources.guess_cells import Dates, Marks, dates_in, filled, fits, marks_in, nothing_in, type_of
from replayhouse.infra.sources.guess_records import KINDS, GuessedRecord, guess_records
from replayhouse.infra.sources.plain_cells import WAREHOUSE_ZONE
from replayhouse.infra.sources.samples import Sample, samples_of
from replayhouse.ingest.records import RECORDS

IMPERSONAL = re.compile(r"product|categor|file", re.IGNORECASE)
PERSONAL = re.compile(
    r"name|mail|phone|address|street|city|zip|postal|postcode|cep|birth|cpf|comment|message|note|latitude|longitude"
    r"|(^|[_\W])ip([_\W]|$)|nome|endere|telefone|cidade",
    re.IGNORECASE,
)
Types = dict[str, dict[str, ColumnType]]


def guess_mapping(path: Path, name: str) -> str:
    """The text of a `source.toml` for the folder or zip at `path`; the same files give the same text.

    Raises InputError where nothing can be read, UsageError without what Excel files are read by.
    """
    with tempfile.TemporaryDirectory(prefix="replayhouse-") as scratch:
        samples = samples_of(path, Path(scratch))
    columns = [cells for sample in samples for cells in sample.columns.values()]
    nothing = nothing_in(columns)
    said = [filled(cells, nothing) for cells in columns]
    dates, marks = dates_in(said), marks_in(said)
    records = guess_records({sample.key: list(sample.columns) for sample in samples})
    types = _types(samples, records, nothing, dates, marks)
    names = [sample.name for sample in samples]
    parts = [_source(name, nothing, dates, marks)]
    parts += [_file(sample, types[sample.key], _pattern(sample.name, names)) for sample in samples]
    parts += [_record(record) for record in records]
    if missing := [record for record in RECORDS if record not in {found.record for found in records}]:
        parts.append(
            _remark(f"Nothing looks like the records {', '.join(missing)}: write what makes them, if anything.")
        )
    return "\n".join(parts)


def _types(
    samples: Sequence[Sample], records: Sequence[GuessedRecord], nothing: Sequence[str], dates: Dates, marks: Marks
) -> Types:
    """The types of columns by what their cells look like; those that a record takes are as it wants, if they fit."""
    types: Types = {}
    for sample in samples:
        said = {name: filled(cells, nothing) for name, cells in sample.columns.items()}
        types[sample.key] = {name: type_of(name, cells, dates, marks) for name, cells in said.items()}
        for record in records:
            kinds = {column.name: column.kind for column in RECORDS[record.record].columns()}
            for column, raw in record.columns.items() if record.file == sample.key else ():
                wanted: ColumnType = KINDS.get(kinds[column], "text")
                if fits(wanted, said[raw], dates, marks):
                    types[sample.key][raw] = wanted
    return types


def _source(name: str, nothing: Sequence[str], dates: Dates, marks: Marks) -> str:
    lines = [
        "[source]",
        f"name = {_text(name)}",
        f"zone = {_text(WAREHOUSE_ZONE)}  # of times without an offset: write another where the source is elsewhere",
    ]
    if dates.formats:
        lines += [*_doubts_on_days(dates), f"times = {_list(dates.formats)}"]
    if not marks.is_certain:
        lines.append("# It is not certain which mark decimals have: look at some amounts.")
    lines.append(f"decimal = {_text(marks.decimal)}")
    if marks.thousands:
        lines.append(f"thousands = {_text(marks.thousands)}")
    if nothing:
        lines.append(f"nothing = {_list(nothing)}")
    return "\n".join([*lines, ""])


def _doubts_on_days(dates: Dates) -> Iterator[str]:
    if dates.days_first and dates.months_first:
        yield "# Some days stand before their months and some behind: which times are of which form must be found out."
    elif not dates.days_first and not dates.months_first:
        yield "# No day is later than the 12th: it is not certain that days stand before months."


def _file(sample: Sample, types: dict[str, ColumnType], pattern: str) -> str:
    lines = [f"[files.{sample.key}]", f"path = {_text(pattern)}"]
    if sample.kind == "csv" and sample.delimiter != ",":
        lines.append(f"delimiter = {_text(sample.delimiter)}")
    if sample.kind == "csv" and sample.encoding != "utf-8":
        doubt = "" if sample.encoding == "utf-16" else "  # it is not UTF-8: look at some words with accents"
        lines.append(f"encoding = {_text(sample.encoding)}{doubt}")
    if len(sample.sheets) > 1:
        lines.append(f"sheet = {_text(sample.sheets[0])}  # of {len(sample.sheets)}")
    if personal := [name for name in types if PERSONAL.search(name) and not IMPERSONAL.search(name)]:
        lines.append(f"personal = {_list(personal)}  # by their names: are these all, and only these?")
    empty = [name for name, cells in sample.columns.items() if not any(cells)]
    if empty:
        lines.append(_remark(f"Nothing stands in {', '.join(map(_text, empty))}.").rstrip())
    if sample.left_out:
        told = ", ".join(map(_text, sample.left_out[:20]))
        lines.append(_remark(f"Left out, for their names cannot be read or stand there twice: {told}.").rstrip())
    lines.append(f"[files.{sample.key}.columns]")
    lines += [f"{_text(name)} = {_text(kind)}" for name, kind in types.items()]
    return "\n".join([*lines, ""])


def _record(record: GuessedRecord) -> str:
    """The table of a record; as a comment while a column is lacking that it cannot be without."""
    lines = [f"[records.{record.record}]", f"from = {_text(record.file)}", f"[records.{record.record}.columns]"]
    lines += [f"{column} = {_text(raw)}" for column, raw in record.columns.items()]
    if not record.lacking:
        return "\n".join([*lines, ""])
    lines += [f"{column} = " for column in record.lacking]
    told = "What is lacking is at the end: a column, { value = '...' } or { sql = '...' }; then take the # away."
    return "\n".join([f"# {told}", *(f"# {line}".rstrip() for line in lines), ""])


def _pattern(name: str, names: Sequence[str]) -> str:
    """A pattern for the next extract, too: dates and numbers in the name may differ, where no other file fits then."""
    literal = re.sub(r"[\[*?]", lambda mark: f"[{mark[0]}]", name)
    loose = re.sub(r"\d[\d_.-]*\d|\d", "*", literal)
    fitting = [other for other in names if fnmatchcase(other.lower(), loose.lower())]
    return loose if fitting == [name] and re.search(r"[^*.\W_]", loose.rpartition(".")[0]) else literal


def _remark(text: str) -> str:
    return f"# {text}\n"


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


def _text(text: str) -> str:
    """A text in TOML: what JSON writes of it is the same there, but for one control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
