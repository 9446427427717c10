"""The SQL by which DuckDB makes the cells of a raw file plain: times `YYYY-MM-DD HH:MM:SS` local to the warehouse,
numbers with a point, NULL for nothing. A cell that nothing fits stays as it is, and is kept out with its line later.
"""

import re
from collections.abc import Iterator

from replayhouse.infra.sources.document import TIME_PARTS, ColumnType, RawFile, Source
from replayhouse.infra.sources.typed_cells import PLAIN

WAREHOUSE_ZONE = "America/Sao_Paulo"
"""Business times are local to Brazil."""

BLANKS = " \t\r\n\u00a0\u202f\u2007\ufeff"

ISO = (
    r"(\d{4}-\d{2}-\d{2})(?:[ T]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?:\.\d{1,9})?"
    r" ?(Z|UTC|[+-](?:0\d|1[0-4]):?[0-5]\d)?)?"
)
"""Date, time and offset of ISO 8601; fractions of a second are dropped."""

OFFSET = r"([+-])(0\d|1[0-4]):?([0-5]\d)"
SHOWN = "%Y-%m-%d %H:%M:%S"


def plain_rows(file: RawFile, source: Source) -> str:
    """The SELECT of all rows with plain cells, from the Parquet file that the parameter `raw` names."""
    columns = {_name(name): kind for name, kind in file.columns.items()}
    trimmed = ", ".join(f"{trimmed_cell(name, kind)} AS {name}" for name, kind in columns.items())
    plain = ", ".join(f"{plain_cell(name, kind, source)} AS {name}" for name, kind in columns.items())
    return f"""
        SELECT line::BIGINT AS line, lines::INTEGER AS lines, {plain}
        FROM (SELECT line, lines, {trimmed} FROM read_parquet($raw, hive_partitioning = false))
    """


def trimmed_cell(cell: str, kind: ColumnType) -> str:
    """An expression for the cell without the blanks around it, which a text keeps."""
    if kind == "text":
        return cell
    has_blanks = f"regexp_matches({cell}, {_text(f'^[{BLANKS}]|[{BLANKS}]$')})"
    return f"CASE WHEN {has_blanks} THEN trim({cell}, {_text(BLANKS)}) ELSE {cell} END"


def plain_cell(cell: str, kind: ColumnType, source: Source) -> str:
    """An expression for the plain cell of that kind; `cell` is an expression for the trimmed one."""
    told = f"substr({cell}, {len(PLAIN) + 1})"
    match kind:
        case "text":
            known, written = told, cell
        case "time":
            known, written = f"coalesce({_iso(told, source)}, {told})", f"coalesce({_time(cell, source)}, {cell})"
        case _:
            known, written = told, f"coalesce({_number(cell, kind, source)}, {cell})"
    is_plain = f"starts_with({cell}, {_text(PLAIN)})"
    return f"CASE WHEN {is_plain} THEN {known} WHEN {cell} NOT IN ({_words(source)}) THEN {written} END"


def _words(source: Source) -> str:
    return ", ".join(_text(word) for word in dict.fromkeys(("", *source.nothing)))


def _time(cell: str, source: Source) -> str:
    return f"coalesce({', '.join([*_formats(cell, source), _iso(cell, source)])})"


def _formats(cell: str, source: Source) -> Iterator[str]:
    for form in source.times:
        naive, has_offset = form.removesuffix("%z"), form.endswith("%z")
        pattern = f"^({_pattern(naive)}){OFFSET if has_offset else ''}$"
        text = f"regexp_extract({cell}, {_text(pattern)}, 1)"
        moment = f"try_strptime({text}, {_text(naive)})"
        if has_offset:
            local = _from_offset(moment, f"regexp_extract({cell}, {_text(OFFSET + '$')})")
        else:
            local = _from_zone(moment, source) if re.search("%[HI]", form) else moment
        yield f"CASE WHEN {text} <> '' THEN {_shown(local)} END"


def _pattern(form: str) -> str:
    """A regular expression for what a format fits, more narrowly than strptime takes it."""
    parts = re.split(r"(%.)", form)
    return "".join(TIME_PARTS[part[1]] if part.startswith("%") else re.escape(part) for part in parts)


def _iso(cell: str, source: Source) -> str:
    day, time, offset = (f"regexp_extract({cell}, {_text(f'^{ISO}$')}, {group})" for group in (1, 2, 3))
    moment = f"try_cast({day} || ' ' || {time} AS TIMESTAMP)"
    return (
        f"CASE WHEN {day} = '' THEN NULL WHEN {time} = '' THEN {_shown(f'try_cast({day} AS TIMESTAMP)')} "
        f"WHEN {offset} = '' THEN {_shown(_from_zone(moment, source))} "
        f"WHEN {offset} IN ('Z', 'UTC') THEN {_shown(_from_utc(moment))} "
        f"ELSE {_shown(_from_offset(moment, offset))} END"
    )


def _shown(moment: str) -> str:
    return f"strftime({moment}, '{SHOWN}')"


def _from_zone(moment: str, source: Source) -> str:
    if source.zone == WAREHOUSE_ZONE:
        return moment
    return f"timezone('{WAREHOUSE_ZONE}', timezone({_text(source.zone)}, {moment}))"


def _from_utc(moment: str) -> str:
    return f"timezone('{WAREHOUSE_ZONE}', timezone('UTC', {moment}))"


def _from_offset(moment: str, offset: str) -> str:
    sign, hours, minutes = (f"regexp_extract({offset}, {_text(OFFSET)}, {group})" for group in (1, 2, 3))
    minutes = f"(try_cast({hours} AS INTEGER) * 60 + try_cast({minutes} AS INTEGER))"
    ahead = f"(CASE WHEN {sign} = '-' THEN -1 ELSE 1 END * {minutes})"
    return _from_utc(f"({moment} - to_minutes({ahead}))")


def _number(cell: str, kind: ColumnType, source: Source) -> str:
    """Degrees have no thousands, but perhaps an exponent."""
    decimal, thousands = re.escape(source.decimal), re.escape(source.thousands or "")
    digits, end = r"\d+", f"(?:{decimal}\\d+)?"
    if kind == "degrees":
        end += r"(?:[eE][+-]?\d+)?"
    elif source.thousands:
        digits = rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)"
    plain = f"ltrim({cell}, '+')"
    if kind != "degrees" and source.thousands:
        plain = f"replace({plain}, {_text(source.thousands)}, '')"
    if source.decimal != ".":
        plain = f"replace({plain}, {_text(source.decimal)}, '.')"
    return f"CASE WHEN regexp_full_match({cell}, {_text(f'[+-]?{digits}{end}')}) THEN {plain} END"


def _text(text: str) -> str:
    """A text as a literal. DuckDB reads backslashes as they are."""
    return "'" + text.replace("'", "''") + "'" if "\0" not in text else f"chr({ord(text)})"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
