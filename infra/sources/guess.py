"""A first mapping of an extract that nobody has described: what its files look like, which records they seem to hold.

It is a beginning for a person: where something has to be said, a question mark stands, and a comment says what. No cell
of the extract stands in it, but for words of statuses and methods of payment.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.infra.sources.currency_codes import CURRENCIES
from replayhouse.infra.sources.document import ColumnType
from replayhouse.infra.sources.guess_cells import (
    MOST,
    Dates,
    Marks,
    currencies_in,
    dates_in,
    filled,
    fitting,
    marks_in,
    nothing_in,
    type_of,
)
from replayhouse.infra.sources.guess_columns import Guesses, in_toml
from replayhouse.infra.sources.guess_expectations import expectations, without
from replayhouse.infra.sources.guess_lists import ORDER, lists_in
from replayhouse.infra.sources.guess_personal import is_personal
from replayhouse.infra.sources.guess_records import KINDS, Cells, GuessedRecord, guess_records, is_called, partly
from replayhouse.infra.sources.guess_selects import guess_selects
from replayhouse.infra.sources.guess_words import CURRENCY, FILES, in_words
from replayhouse.infra.sources.mapping import NAME
from replayhouse.infra.sources.meanings import RECORD_MEANINGS, UNFILLED
from replayhouse.infra.sources.names import plain_name
from replayhouse.infra.sources.plain_cells import WAREHOUSE_ZONE
from replayhouse.infra.sources.samples import Sample, samples_of
from replayhouse.ingest.records import RECORDS

HEAD = f"""\
# A first mapping, as far as the files tell. To finish it: write what is asked for in the place of each "{UNFILLED}",
# see whether the rest is right, and take out what is not. A column is made of a column of the file ("Name"), of the
# same in every record ({{ value = "..." }}), or of an expression of SQL over the file ({{ sql = "..." }}). Where a
# record is not a row of one file, a SELECT makes it: NAME.sql beside this file, in place of [records.NAME]. Then try
# it with `replayhouse sources check`, and load it with `replayhouse ingest --source`.
"""
OPTIONAL_KINDS = frozenset({"geolocation", "categories"})
"""Kinds of records that no load needs."""

LONGEST_KEY = 34
"""Letters of a file's key before what tells it from a column."""

OF_THINGS = (*FILES["products"], *FILES["categories"])
"""How files are called whose names are not those of people."""

Types = dict[str, dict[str, ColumnType]]


def guess_mapping(path: Path, name: str) -> dict[str, str]:
    """The texts of a mapping for the folder or zip at `path`, by the names of its files; the same files give the same.

    Raises InputError where nothing can be read, UsageError without what Excel files are read by.
    """
    with tempfile.TemporaryDirectory(prefix="replayhouse-") as scratch:
        samples = _named_apart(samples_of(path, Path(scratch)))
    nothing = nothing_in([cells for sample in samples for cells in sample.columns.values()])
    files: dict[str, Cells] = {
        sample.key: {name: filled(cells, nothing) for name, cells in sample.columns.items()} for sample in samples
    }
    lists = {listed.key: listed for key, file in files.items() for listed in lists_in(key, file)}
    looked_at = {**files, **{key: listed.cells for key, listed in lists.items()}}
    columns = [cells for file in looked_at.values() for cells in file.values()]
    dates, marks = dates_in(columns), marks_in(columns)
    records = guess_records(looked_at)
    personal = {key: _personal(key, file, records) for key, file in files.items()}
    of_lists = {key: [ORDER] for key, listed in lists.items() if listed.order in personal[listed.file]}
    guesses = Guesses(records, looked_at, {**personal, **of_lists}, lists)
    selects = guess_selects(guesses, looked_at, lists)
    types = _types(files, [one for one in guesses.records.values() if one.file in files], dates, marks)
    currencies = {key: _currency_column(file) for key, file in files.items()}
    names = [sample.name for sample in samples]
    parts = [HEAD, _source(name, nothing, dates, marks, _currencies(looked_at, currencies))]
    for sample in samples:
        pattern = _pattern(sample.name, names)
        parts.append(_file(sample, types[sample.key], pattern, personal[sample.key], currencies[sample.key]))
    for record in RECORDS:
        if record in selects:
            parts.append(f"# What makes {record} ({RECORD_MEANINGS[record]}) is the SELECT in {record}.sql.\n")
        elif record in guesses.records:
            parts.append(_record(record, guesses))
    needless = {*guesses.records, *without(guesses), *OPTIONAL_KINDS}
    parts += [_stub(partly(record, files), guesses) for record in RECORDS if record not in needless]
    parts.append(expectations(guesses))
    return {NAME: "\n".join(parts), **{f"{record}.sql": text for record, text in selects.items()}}


def _named_apart(samples: Sequence[Sample]) -> list[Sample]:
    """The samples with keys that no column has: SQL would take one for a whole row of the other."""
    columns = {plain_name(name) for sample in samples for name in sample.columns}
    return [
        sample._replace(key=f"{sample.key[:LONGEST_KEY]}_file") if sample.key in columns else sample
        for sample in samples
    ]


def _personal(key: str, file: Cells, records: Sequence[GuessedRecord]) -> list[str]:
    """The columns of a file that are probably about people: also what says where customers live."""
    where = {
        record.columns.get(column)
        for record in records
        for column in ("customer_zip_code_prefix", "customer_city")
        if record.record == "customers" and record.file == key
    }
    of_things = is_called(OF_THINGS, key)
    return [name for name, cells in file.items() if name in where or is_personal(name, cells, is_of_things=of_things)]


def _types(files: dict[str, Cells], records: Sequence[GuessedRecord], dates: Dates, marks: Marks) -> Types:
    """The types of columns by what their cells look like; those that a record takes are as it wants, if most fit."""
    types: Types = {
        key: {name: type_of(name, cells, dates, marks) for name, cells in file.items()} for key, file in files.items()
    }
    for record in records:
        kinds = {column.name: column.kind for column in RECORDS[record.record].columns()}
        for column, raw in record.columns.items():
            wanted: ColumnType = KINDS.get(kinds[column], "text")
            if fitting(wanted, files[record.file][raw], dates) >= MOST:
                types[record.file][raw] = wanted
    return types


def _currency_column(file: Cells) -> str | None:
    """The column that names each row's currency, if there is one."""
    for name, cells in file.items():
        if in_words(name.rpartition(".")[2]) in CURRENCY and cells and CURRENCIES.issuperset(cells):
            return name
    return None


def _currencies(files: dict[str, Cells], columns: dict[str, str | None]) -> list[str]:
    """The currencies that columns name, or else signs of amounts; the most frequent first."""
    named = Counter(cell for key, name in columns.items() if name is not None for cell in files[key][name])
    signed = currencies_in(list(cells) for file in files.values() for cells in file.values())
    return [code for code, _ in named.most_common()] or list(signed)


def _source(name: str, nothing: Sequence[str], dates: Dates, marks: Marks, currencies: Sequence[str]) -> str:
    lines = [
        "[source]",
        f"name = {in_toml(name)}",
        f"zone = {in_toml(WAREHOUSE_ZONE)}  # of times without an offset: write another where the source is elsewhere",
        _currency(currencies),
    ]
    if dates.formats:
        lines += [*_doubts_on_days(dates), f"times = {_list(dates.formats)}"]
    if not marks.is_certain:
        lines.append("# It is not certain which mark decimals have: look at some amounts.")
    lines.append(f"decimal = {in_toml(marks.decimal)}")
    if marks.thousands:
        lines.append(f"thousands = {in_toml(marks.thousands)}")
    if nothing:
        lines.append(f"nothing = {_list(nothing)}")
    lines.append("# complete = true  # if each extract holds everything there is: what one lacks is then told")
    return "\n".join([*lines, ""])


def _currency(found: Sequence[str]) -> str:
    if not found or found[0] == "$":
        told = "amounts have a $, which may be that of many" if found else "of all amounts"
        return f"currency = {in_toml(BRL)}  # {told}: write another where it is not this"
    others = f"; {', '.join(found[1:])} is there, too, and a warehouse has one" if found[1:] else ""
    return f"currency = {in_toml(found[0])}  # as amounts say{others}"


def _doubts_on_days(dates: Dates) -> Iterator[str]:
    if dates.days_first and dates.months_first:
        yield "# Some days stand before their months and some behind: which times are of which form must be found out."
    elif dates.either and not dates.days_first and not dates.months_first:
        yield "# No day is later than the 12th: it is not certain that days stand before months."


def _file(
    sample: Sample, types: dict[str, ColumnType], pattern: str, personal: Sequence[str], currency: str | None
) -> str:
    lines = [f"[files.{sample.key}]", f"path = {in_toml(pattern)}"]
    if sample.kind == "csv" and sample.delimiter != ",":
        lines.append(f"delimiter = {in_toml(sample.delimiter)}")
    if sample.kind == "csv" and sample.encoding != "utf-8":
        doubt = "" if sample.encoding == "utf-16" else "  # it is not UTF-8: look at some words with accents"
        lines.append(f"encoding = {in_toml(sample.encoding)}{doubt}")
    if len(sample.sheets) > 1:
        lines.append(f"sheet = {in_toml(sample.sheets[0])}  # of {len(sample.sheets)}")
    if personal:
        lines.append(f"personal = {_list(personal)}  # by names and cells: are these all, and only these?")
    if currency is not None and currency not in personal:
        lines.append(f"currency = {in_toml(currency)}  # rows in another currency reject the extract")
    empty = [name for name, cells in sample.columns.items() if not any(cells)]
    if empty:
        lines.append(f"# Nothing stands in {', '.join(map(in_toml, empty))}.")
    if sample.left_out:
        told = ", ".join(map(in_toml, sample.left_out[:20]))
        lines.append(f"# Left out, for their names cannot be read or stand there twice: {told}.")
    lines.append(f"[files.{sample.key}.columns]")
    lines += [f"{in_toml(name)} = {in_toml(kind)}" for name, kind in types.items()]
    return "\n".join([*lines, ""])


def _record(record: str, guesses: Guesses) -> str:
    """The table of a record, with a question mark for each column that nothing is like."""
    lines = [
        f"[records.{record}]  # {RECORD_MEANINGS[record]}",
        f"from = {in_toml(guesses.records[record].file)}",
        f"[records.{record}.columns]",
    ]
    for column, cell in guesses.columns(record).items():
        lines.append(f"{column} = {cell.in_toml()}{f'  # {cell.remark}' if cell.remark else ''}")
    return "\n".join([*lines, ""])


def _stub(partly_found: GuessedRecord, guesses: Guesses) -> str:
    """The table of a record that no file seems to hold, as a comment."""
    record = partly_found.record
    told = _record(record, guesses.with_record(partly_found))
    either = "" if record in ("orders", "customers") else f", or name {record} in `without` under [expectations]"
    lines = [
        f"No file looks like {record} ({RECORD_MEANINGS[record]}).",
        f"Write what makes them and take each # away{either}.",
        *told.splitlines(),
    ]
    return "\n".join([*(f"# {line}" for line in lines), ""])


def _pattern(name: str, names: Sequence[str]) -> str:
    """A pattern for the next extract, too: dates and numbers in the name may differ, where no other file fits then."""
    literal = re.sub(r"[\[*?]", lambda mark: f"[{mark[0]}]", name)
    loose = re.sub(r"\d[\d_.-]*\d|\d", "*", literal)
    fitting = [other for other in names if fnmatchcase(other.lower(), loose.lower())]
    return loose if fitting == [name] and re.search(r"[^*.\W_]", loose.rpartition(".")[0]) else literal


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(in_toml, texts))}]"
