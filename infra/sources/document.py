"""What `source.toml` may say: which files an extract of another shape has, how their cells are written, and from what
the records of the nine files are made. What each value must be by itself stands here, what they must be to one another
in mapping.py.
"""

import re
from difflib import get_close_matches
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from replayhouse.domain.kernel.meaning import BRL
from replayhouse.domain.quality.rules import RULE, RULES, RULES_THAT_KEEP_OUT, may_be_off
from replayhouse.infra.sources.currency_codes import CURRENCIES
from replayhouse.infra.sources.names import meant
from replayhouse.ingest.records import RECORDS

ColumnType = Literal["text", "time", "money", "whole", "degrees"]
Format = Literal["csv", "xlsx", "jsonl", "parquet"]
Encoding = Literal["utf-8", "utf-16", "latin-1", "cp1252"]

ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
"""The format that the ending of a file's name says."""

OWN_COLUMNS = ("line", "lines")
"""Columns that reading adds to those of a file."""

Lackable = Literal["order_items", "order_payments", "order_reviews", "products", "sellers"]
"""Kinds of records of which a source may have none, though a first load of others needs them."""

Status = Literal["created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable"]

Unknowable = Literal["order_estimated_delivery_date", "shipping_limit_date", "seller_id"]
"""Required columns that a source may not know."""

THOUSANDS = (".", ",", " ", "'", "\u2019", "\u00a0", "\u202f")
"""Marks between groups of three digits: the last three are a raised comma and blanks at which no line breaks."""

MOST_FILES, MOST_COLUMNS, MOST_WORDS, MOST_FORMATS, MOST_STATES = 50, 500, 100, 20, 10_000
LONGEST_NAME, LONGEST_EXPRESSION = 200, 10_000

OFF = tuple(rule.name for rule in RULES if may_be_off(rule))
"""Rules that a mapping may switch off."""

TIME_PARTS = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "b": r"[A-Za-z]{3}",
    "B": r"[A-Za-z]{3,9}",
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,6}",
    "p": r"[AaPp][Mm]",
    "z": r"[+-]\d{2}:?\d{2}",
}
"""What a directive of a format of times stands for, as a regular expression."""


def wrong(sentence: str) -> PydanticCustomError:
    """The error of a value that makes no sense, in a sentence that has the key as its subject."""
    return PydanticCustomError("mapping", "{sentence}", {"sentence": sentence})


def _a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        near = _zones_like(name)
        told = f"did you mean {near}?" if near else "write one such as America/Sao_Paulo"
        raise wrong(f"is not a time zone: {told} (got {name!r})") from error
    return name


def _zones_like(name: str) -> str | None:
    """The zone that was probably meant, also where its city alone was written."""
    zones = sorted(available_timezones())
    cities = {zone.rpartition("/")[2].lower(): zone for zone in zones if "/" in zone and not zone.startswith("Etc/")}
    words = name.strip().lower().replace(" ", "_")
    whole = {zone.lower(): zone for zone in zones}
    for known in (whole, cities):
        if near := get_close_matches(words, known, n=1, cutoff=0.8):
            return known[near[0]]
    return None


def _a_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        raise wrong(f"is small letters, digits and hyphens, at most 40, a letter first (got {name!r})")
    if name == "olist":
        raise wrong("is taken: 'olist' is the source that is built in")
    return name


def _a_currency(code: str) -> str:
    if code not in CURRENCIES:
        near = get_close_matches(code.upper(), sorted(CURRENCIES), n=1)
        raise wrong(
            f"is no currency, three letters of ISO 4217: did you mean {near[0] if near else BRL}? (got {code!r})"
        )
    return code


def _a_time_format(form: str) -> str:
    parts = re.findall(r"%(.?)", form)
    if unknown := [part for part in parts if part not in TIME_PARTS]:
        known = " ".join(f"%{part}" for part in TIME_PARTS)
        raise wrong(f"has a directive that is not known, %{unknown[0]}: known are {known} (got {form!r})")
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise wrong(f"has %{twice[0]} twice (got {form!r})")
    if not ({"Y", "y"} & set(parts) and {"m", "b", "B"} & set(parts) and "d" in parts):
        raise wrong(f"names no year, month and day, such as %d/%m/%Y (got {form!r})")
    if "z" in parts and not form.endswith("%z"):
        raise wrong(f"has %z, which stands at the end (got {form!r})")
    if ("I" in parts) != ("p" in parts):
        raise wrong(f"needs %I and %p together: hours of a half day, and which half (got {form!r})")
    return form


def _a_mark(mark: str) -> str:
    if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in "\r\n\0":
        raise wrong(f"is one ASCII character, and no letter, digit or line end (got {mark!r})")
    return mark


def _a_mark_of_thousands(mark: str) -> str:
    if mark not in THOUSANDS:
        raise wrong(f"is a point, a comma, a blank or an apostrophe (got {mark!r})")
    return mark


def _a_pattern(pattern: str) -> str:
    if "/" in pattern or "\\" in pattern or pattern in (".", ".."):
        raise wrong(f"is the name of a file, or a pattern of names, without folders (got {pattern!r})")
    return pattern


def _a_file_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise wrong(f"is small letters, digits and underlines, at most 40, a letter first (got {name!r})")
    return name


def ending_of(path: str) -> str:
    """The ending of a file's name that tells its format, in small letters; that of what is packed, where it is."""
    return PurePosixPath(path.lower().removesuffix(".gz")).suffix


def _a_record(name: str) -> str:
    if name not in RECORDS:
        raise wrong(f"is no known record: {meant(name, RECORDS)}")
    return name


def _a_rule_that_may_be_off(name: str) -> str:
    if name not in RULE:
        raise wrong(f"is no known rule: {meant(name, OFF)} (got {name!r})")
    if name in RULES_THAT_KEEP_OUT:
        raise wrong(f"keeps records out that cannot be loaded, and is always on (got {name!r})")
    if name not in OFF:
        raise wrong(f"is CRITICAL: it rejects what cannot be loaded, and is always on (got {name!r})")
    return name


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Word = Annotated[str, Field(max_length=LONGEST_NAME)]
RuleName = Annotated[
    str, AfterValidator(_a_rule_that_may_be_off), WithJsonSchema({"type": "string", "enum": sorted(OFF)})
]
Mark = Annotated[str, AfterValidator(_a_mark)]
Quote = Annotated[str, AfterValidator(lambda mark: mark and _a_mark(mark))]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class Source(_Part):
    """Whom the extracts come from, and how cells are written there."""

    name: Annotated[str, AfterValidator(_a_name)] = Field(description="of the source; it stands in ids that are made")
    zone: Annotated[str, AfterValidator(_a_zone)] = Field(description="time zone of times without an offset")
    currency: Annotated[str, AfterValidator(_a_currency)] = Field(
        default=BRL, description="of all amounts, a code of ISO 4217; a warehouse has one"
    )
    times: tuple[Annotated[Name, AfterValidator(_a_time_format)], ...] = Field(
        default=(),
        max_length=MOST_FORMATS,
        description="formats of times, tried in this order, ISO 8601 last",
    )
    decimal: Literal[".", ","] = Field(default=".", description="mark before the decimals; a point is read, too")
    thousands: Annotated[str, AfterValidator(_a_mark_of_thousands)] | None = Field(
        default=None, description="mark between groups of three digits"
    )
    nothing: tuple[Name | Literal[""], ...] = Field(
        default=(), max_length=MOST_WORDS, description="words for nothing; an empty cell always is nothing"
    )
    complete: StrictBool = Field(default=False, description="whether an extract holds everything there is")
    shrinks_at_most: float = Field(
        default=0.2, strict=True, ge=0, le=1, description="share of a kind of record that may be gone at once, 0 to 1"
    )

    @property
    def may_shrink(self) -> Fraction:
        """The share that may be gone, exactly as it is written."""
        return Fraction(str(self.shrinks_at_most))


class RawFile(_Part):
    """A file of the extract, and those of its columns that are read."""

    path: Annotated[Name, AfterValidator(_a_pattern)] = Field(
        description="pattern inside the extract that one file fits, such as orders*.csv; .gz behind it is unpacked"
    )
    required: StrictBool = Field(
        default=True, description="false where the extract may lack the file: it then has no rows"
    )
    format: Format | None = Field(default=None, description="where the ending of the path does not say it")
    delimiter: Annotated[tuple[Mark, ...], BeforeValidator(_listed, json_schema_input_type=Mark | tuple[Mark, ...])] = (
        Field(
            default=(",",),
            min_length=1,
            max_length=8,
            description="between cells; of several, the first by which the header names the columns",
        )
    )
    encoding: Annotated[
        tuple[Encoding, ...], BeforeValidator(_listed, json_schema_input_type=Encoding | tuple[Encoding, ...])
    ] = Field(
        default=("utf-8",),
        min_length=1,
        max_length=4,
        description="of the text; of several, the first in which the whole file can be read",
    )
    quote: Quote = Field(default='"', description="around cells that hold a delimiter; empty where there is none")
    sheet: Name | None = Field(default=None, description="of an Excel file with several")
    columns: dict[Name, ColumnType] = Field(
        min_length=1, max_length=MOST_COLUMNS, description="columns that are read, by the header's names"
    )
    optional: tuple[Name, ...] = Field(default=(), description="columns that the file may lack")
    personal: tuple[Name, ...] = Field(default=(), description="columns of which no cell is quoted anywhere")
    currency: Name | None = Field(
        default=None, description="the column that names each row's currency; another than the source's is refused"
    )

    @property
    def kind(self) -> Format:
        """The format: as it is said, or by the ending."""
        return self.format or ENDINGS[ending_of(self.path)]


class Value(_Part):
    """The same text in every record."""

    value: Annotated[str, Field(max_length=LONGEST_EXPRESSION)]


class Sql(_Part):
    """An expression in DuckDB's SQL over the raw columns of the file."""

    sql: Annotated[str, Field(min_length=1, max_length=LONGEST_EXPRESSION)]


def _way_of(cell: object) -> str | None:
    if isinstance(cell, dict) and len(cell) == 1:
        return next(iter(cell)) if next(iter(cell)) in ("value", "sql") else None
    return "column" if isinstance(cell, str) else None


Cell = Annotated[
    Annotated[Name, Tag("column")] | Annotated[Value, Tag("value")] | Annotated[Sql, Tag("sql")],
    Discriminator(
        _way_of,
        custom_error_type="mapping",
        custom_error_message="{sentence}",
        custom_error_context={"sentence": "is the name of a column, { value = '...' } or { sql = '...' }"},
    ),
]


class Record(_Part):
    """Where the columns of one kind of record come from: raw columns by name, values, expressions."""

    from_: Name = Field(alias="from", description="the file that it is made from, one record a row")
    columns: dict[Name, Cell] = Field(min_length=1, description="the record's columns, and what they are made from")
    where: Annotated[str, Field(min_length=1, max_length=LONGEST_EXPRESSION)] | None = Field(
        default=None, description="which rows are records, as a condition in DuckDB's SQL"
    )


class Expectations(_Part):
    """What the source cannot know, the words that it has, and which rules of quality are not for it."""

    unknown: tuple[Unknowable, ...] = Field(
        default=(), description="required columns that stay empty, for this source does not know them"
    )
    without: tuple[Lackable, ...] = Field(default=(), description="kinds of records of which this source has none")
    off: tuple[RuleName, ...] = Field(default=(), description="rules of quality that are not held against this source")
    statuses: dict[Word, Status] = Field(
        default_factory=dict,
        max_length=MOST_WORDS,
        description="the source's words for the status of an order, and what each means; an empty one is an empty cell",
    )
    methods: tuple[Name, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_WORDS,
        description="payment methods that are known, in place of four",
    )
    states: tuple[Name, ...] | None = Field(
        default=None, min_length=1, max_length=MOST_STATES, description="states that are known, in place of Brazil's"
    )
    zips: Literal["digits", "text"] = Field(
        default="digits", description="digits: one to five, as in Brazil; text: any postcode of letters and digits"
    )


class Document(_Part):
    """What `source.toml` holds."""

    source: Source
    files: dict[Annotated[str, AfterValidator(_a_file_name)], RawFile] = Field(min_length=1, max_length=MOST_FILES)
    records: dict[Annotated[str, AfterValidator(_a_record)], Record] = Field(default_factory=dict)
    expectations: Expectations = Field(default_factory=Expectations)
    regions: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_STATES)]] = Field(
        default_factory=dict,
        max_length=MOST_WORDS,
        description="states by the region in which they lie, in place of Brazil's five",
    )
