"""What a command says: JSON documents, tables and progress.

On a terminal that is rich's tables and bars; in a pipe, plain lines without control sequences. Rich takes a tenth of a
second to import, so it is imported where it is needed.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any, TextIO
from uuid import UUID

Tell = Callable[[str, int, int], None]
"""Takes what a command is doing, and how many of how many parts of it are done (0 of 0 where nobody knows)."""

SPACE_BETWEEN = 3
"""What rich puts between two columns."""

_STARTED = time.perf_counter()


def seconds_so_far() -> float:
    """Seconds since this program was started, to the hundredth."""
    return round(time.perf_counter() - _STARTED, 2)


def print_json(document: object) -> None:
    """The one JSON document of a command: on one line, or indented where a person reads it."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(document, default=_as_json, ensure_ascii=not is_unicode, indent=indent))


def _as_json(value: object) -> object:
    if isinstance(value, datetime | date):
        return iso(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def iso(at: datetime | date) -> str:
    """A time in ISO 8601: recorded times in UTC with `+00:00`, business times without zone, as they are."""
    if isinstance(at, datetime) and at.tzinfo is not None:
        at = at.astimezone(UTC)
    return at.isoformat()


def say(text: str = "") -> None:
    """Lines for people on standard output."""
    print(text)


def warn(text: str) -> None:
    """Lines on standard error."""
    print(text, file=sys.stderr, flush=True)


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 event`, `2,345 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def legible(text: str) -> str:
    """A text from outside on one line: what would move a terminal's cursor or change its colours is written out."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def shown(value: object) -> str:
    """A value as a person reads it in a table."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return iso(value.replace(microsecond=0)).replace("T", " ").removesuffix("+00:00")
        case _:
            return legible(str(value))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Rows under headers; columns of numbers stand to the right."""
    values = [tuple(row) for row in rows]
    cells = [[shown(value) for value in row] for row in values]
    numeric = [
        bool(column) and all(isinstance(value, int | float | Decimal | None) for value in column)
        for column in zip_longest(*values)
    ] or [False] * len(headers)
    if sys.stdout.isatty():
        _rich_table(headers, cells, numeric, title)
        return
    if title:
        say(title)
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for line in (headers, *cells):
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        say("  ".join(aligned).rstrip())


def _rich_table(headers: Sequence[str], cells: list[list[str]], numeric: list[bool], title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, title=title or None, title_justify="left")
    for header, right in zip(headers, numeric, strict=True):
        drawn.add_column(header, justify="right" if right else "left", no_wrap=True)
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    # As wide as its contents: an id that is cut off or runs over two lines cannot be copied.
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    Console(width=sum(widths) + SPACE_BETWEEN * len(widths) + 2, highlight=False).print(drawn)


@contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Tell]:
    """Tells how far a command is, on standard error: a bar on a terminal, otherwise a line for each thing it does."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield _telling_lines(stream)
        return
    with _bar() as tell:
        yield tell


def _telling_lines(stream: TextIO) -> Tell:
    told: list[str] = []

    def tell(doing: str, done: int, of: int) -> None:
        if told[-1:] != [doing]:
            told.append(doing)
            print(f"{doing} ...", file=stream, flush=True)

    return tell


@contextmanager
def _bar() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[parts]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None, parts="")

        def tell(doing: str, done: int, of: int) -> None:
            parts = f"{done} of {of}" if of else ""
            bar.update(task, description=doing, completed=done, total=of or None, parts=parts)

        yield tell
