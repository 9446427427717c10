"""What a command says: JSON documents, lines, tables and progress; nothing else is written to a terminal.

Here, where it leaves, every text is made legible: a line stays one line, whatever stands in the names, cells and
messages from outside that it quotes, and nothing in them steers the terminal. On a terminal tables and bars are rich's;
in a pipe, plain lines without control sequences. Rich takes a tenth of a second to import, so it is imported where it
is needed.
"""

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import zip_longest
from tempfile import TemporaryFile
from typing import Any, TextIO
from uuid import UUID

from replayhouse.infra.cli import streams
from replayhouse.infra.cli.streams import legible
from replayhouse.infra.runtime.telling import Tell, tell_nobody

_NOT_ASCII = re.compile(r"[^\x20-\x7e\n]+")  # newlines are those between the parts of a document

SPACE_BETWEEN = 2
"""What rich puts between two columns."""

_LONG = re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})\b")
_ID_SHOWN = 8
_DIGEST_SHOWN = 12
_NARROWEST = 40

_STARTED = time.perf_counter()


def seconds_so_far() -> float:
    """Seconds since this program was started, to the hundredth."""
    return round(time.perf_counter() - _STARTED, 2)


def print_json(document: object, *, at_once: bool = False) -> None:
    """The one JSON document of a command: on one line, or indented where a person reads it."""
    indent = 2 if streams.is_terminal() else None
    streams.write(_json(document, indent) + "\n", at_once=at_once)


def print_json_list(documents: Iterable[object]) -> None:
    """A list as the one JSON document, printed once it is complete; needs no memory however long it is."""
    with TemporaryFile("w+", encoding="utf-8") as waiting:
        for number, document in enumerate(documents):
            waiting.write(",\n" if number else "")
            waiting.write(_json(document))
        waiting.seek(0)
        streams.write("[")
        while chunk := waiting.read(1 << 16):
            streams.write(chunk)
        streams.write("]\n")


def print_document(data: bytes) -> None:
    """A JSON document of which every byte counts: as it is, unless somebody looks at it on a terminal."""
    if streams.is_terminal():
        streams.write(_NOT_ASCII.sub(_escaped_in_json, data.decode()))
    else:
        streams.write_exactly(data)


def _json(document: object, indent: int | None = None) -> str:
    """JSON that a terminal shows as it is: what is not printable is escaped, as JSON escapes it."""
    text = json.dumps(document, default=_as_json, ensure_ascii=not streams.is_unicode(sys.stdout), indent=indent)
    return _NOT_ASCII.sub(_escaped_in_json, text)


def _escaped_in_json(found: re.Match[str]) -> str:
    text = found.group()
    return text if text.isprintable() else "".join(s if s.isprintable() else json.dumps(s)[1:-1] for s in text)


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


def say(text: str = "", *, at_once: bool = False) -> None:
    """A line for people on standard output."""
    streams.write(legible(text) + "\n", at_once=at_once)


def say_prose(text: str, style: str = "") -> None:
    """A paragraph: on a terminal in the style of rich (`bold`, `dim`) and wrapped between words; in a pipe one line."""
    if not streams.is_terminal():
        say(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(width=max(shutil.get_terminal_size().columns, _NARROWEST), highlight=False)
    with console.capture() as captured:
        console.print(Text(legible(text), style=style))
    streams.write(captured.get())


def warn(*lines: str) -> None:
    """Lines on standard error, one for each text."""
    streams.complain("\n".join(map(legible, lines)))


def is_meant(question: str) -> bool:
    """Asks on standard error; whether the answer on standard input is yes."""
    warn(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def warn_in_lines(text: str) -> None:
    """Several lines on standard error, such as statements to be copied."""
    warn(*text.split("\n"))


def megabytes(size: int) -> str:
    """A size in bytes, as a person reads it."""
    return f"{size / 2**30:,.1f} GB" if size >= 10 * 2**30 else f"{size / 2**20:,.1f} MB"


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


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str = "",
    *,
    alarming: Collection[int] = (),
    tell: Callable[[object], str] = shown,
) -> None:
    """Rows under headers, each value as `tell` tells it; columns of numbers stand to the right.

    On a terminal, the rows that are `alarming` (from 0) stand out; where the table is wider than the terminal, ids and
    digests are shortened to what still tells them apart, and texts run over several lines. In a pipe all is whole.
    """
    values = [tuple(row) for row in rows]
    headers = [legible(header) for header in headers]
    cells = [[tell(value) for value in row] for row in values]
    numeric = [
        bool(column) and all(isinstance(value, int | float | Decimal | None) for value in column)
        for column in zip_longest(*values)
    ] or [False] * len(headers)
    if streams.is_terminal():
        _rich_table(headers, cells, numeric, title, alarming)
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


def _rich_table(
    headers: Sequence[str], cells: list[list[str]], numeric: list[bool], title: str, alarming: Collection[int]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = shutil.get_terminal_size().columns
    if _width_of(headers, cells) > width:
        cells = [[_LONG.sub(_shortened, cell) for cell in row] for row in cells]
    titled = Text(legible(title)) if title else None  # a Text, unlike a str, has no markup
    drawn = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, title=titled, title_justify="left"
    )
    for place, (header, right) in enumerate(zip(headers, numeric, strict=True)):
        column = [header, *(row[place] for row in cells)]
        is_text = any(" " in cell for cell in column)
        drawn.add_column(
            Text(header), justify="right" if right else "left", no_wrap=not is_text, min_width=_narrowest(column)
        )
    for number, row in enumerate(cells):
        drawn.add_row(*(Text(cell) for cell in row), style="red" if number in alarming else None)
    # Wider than the terminal rather than without some of its letters: what is cut off cannot be copied.
    needed = [_narrowest([header, *(row[place] for row in cells)]) for place, header in enumerate(headers)]
    console = Console(width=max(width, sum(needed) + SPACE_BETWEEN * (len(needed) - 1), _NARROWEST), highlight=False)
    with console.capture() as captured:
        console.print(drawn)
    streams.write(captured.get())


def _narrowest(column: Iterable[str]) -> int:
    """Texts are wrapped between their words, and nowhere else."""
    return max((len(word) for cell in column for word in cell.split()), default=1)


def _width_of(headers: Sequence[str], cells: list[list[str]]) -> int:
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    return sum(widths) + SPACE_BETWEEN * (len(widths) - 1)


def _shortened(found: re.Match[str]) -> str:
    """The first digits of an id, which commands take as they take all, or of a digest."""
    return found.group()[: _ID_SHOWN if "-" in found.group() else _DIGEST_SHOWN]


def terminal_width(text: str) -> int:
    """How many signs of a terminal a legible text takes: letters of some scripts are two wide."""
    from rich.cells import cell_len

    return cell_len(text)


def fitted(text: str, width: int) -> str:
    """A legible text of exactly that width: blanks behind it, or its beginning with a mark that there is more."""
    from rich.cells import set_cell_size

    if terminal_width(text) <= width:
        return set_cell_size(text, width)
    return f"{set_cell_size(text, width - 1)}~" if width > 0 else ""


@contextmanager
def progress(stream: TextIO | None = None, *, draws: bool = True) -> Iterator[Tell]:
    """Tells how far a command is, on standard error: a bar on a terminal, otherwise a line for each thing it does.

    The bar, where it `draws` one, is drawn when there is something to tell: most commands tell nothing. Machines
    are told by what happens.
    """
    if streams.are_for_machines():
        yield tell_nobody
        return
    stream = stream or sys.stderr
    if not (draws and stream.isatty()):
        yield _telling_lines(stream)
        return
    with ExitStack() as stack:
        bar: list[Tell] = []

        def tell(doing: str, done: int, of: int) -> None:
            if not bar:
                bar.append(stack.enter_context(_bar()))
            bar[0](doing, done, of)

        yield tell


def _telling_lines(stream: TextIO) -> Tell:
    told: list[str] = []

    def tell(doing: str, done: int, of: int) -> None:
        if told[-1:] != [doing]:
            told.append(doing)
            streams.complain(legible(f"{doing} ..."), stream)

    return tell


@contextmanager
def _bar() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn("dots" if streams.is_unicode(sys.stderr) else "line"),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[parts]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        phases: list[tuple[str, TaskID]] = []

        def tell(doing: str, done: int, of: int) -> None:
            """A phase has a bar of its own; when the next one begins, it is through."""
            if not phases or phases[-1][0] != doing:
                if phases:
                    bar.update(phases[-1][1], total=1, completed=1, parts="")
                    bar.stop_task(phases[-1][1])
                phases.append((doing, bar.add_task(legible(doing), total=None, parts="")))
            parts = f"{done:,} of {of:,}" if of else ""
            bar.update(phases[-1][1], completed=done, total=of or None, parts=parts)

        yield tell
