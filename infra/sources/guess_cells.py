"""What the cells of columns look like: times and in which order of day and month, numbers and with which marks."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from replayhouse.infra.sources.currency_codes import CURRENCIES
from replayhouse.infra.sources.document import ColumnType
from replayhouse.infra.sources.typed_cells import PLAIN

WORDS_FOR_NOTHING = ("NULL", "null", "None", "NaN", "nan", "N/A", "n/a", "#N/A", "NA", r"\N", "-")
MONEY = re.compile(
    r"price|total|amount|value|cost|freight|shipping|tax|discount|paid|valor|pre[cç]o|frete|desconto", re.I
)
IDENTITY = re.compile(r"(^|[_\W])(id|no|nr|number|code|sku|zip|cep|phone|postcode|prefix|key)([_\W]|$)", re.I)
LONGEST_NUMBER = 9
"""Digits of a whole number; longer ones are names of things."""

_ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?)?")
_DATE = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)"
    r"(?P<gap>,? )?(?P<clock>\d{1,2}:\d\d(?P<seconds>:\d\d)?(?P<fraction>\.\d{1,6})?)?"
    r"(?P<half> ?[AaPp][Mm])?(?P<offset> ?[+-]\d\d:?\d\d)?"
)
_YEAR_FIRST = re.compile(
    r"\d{4}(?P<mark>[/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?P<rest> \d{1,2}:\d\d(?P<seconds>:\d\d)?)?"
)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?")
_SIGNED = re.compile(
    r"(?P<minus>-?)(?P<before>[A-Z]{0,3}[$€£]|[A-Z]{3})?[ \u00a0\u202f]*"
    r"(?P<number>-?\d+([.,]\d+)*)[ \u00a0\u202f]*(?P<after>[A-Z]{0,3}[$€£]|[A-Z]{3})?"
)
_SIGNS = {"R$": "BRL", "US$": "USD", "€": "EUR", "£": "GBP", "C$": "CAD", "A$": "AUD", "MX$": "MXN"}
"""What currencies the signs of amounts mean; a dollar by itself may be any."""
MOST = 0.5
"""The part of a column's cells that say what it is, where the others are perhaps mistakes."""


class Shape(NamedTuple):
    """How a time is written, but for what comes first of day and month."""

    mark: str
    year: str
    rest: str
    is_year_first: bool = False

    def format(self, days_first: bool) -> str:
        """As strptime takes it."""
        if self.is_year_first:
            return f"%Y{self.mark}%m{self.mark}%d{self.rest}"
        order = ("%d", "%m") if days_first else ("%m", "%d")
        return f"{order[0]}{self.mark}{order[1]}{self.mark}{self.year}{self.rest}"


class Dates(NamedTuple):
    """What the times of all columns say: their shapes, and how many have days first, months first, or either."""

    shapes: tuple[Shape, ...]
    days_first: int
    months_first: int
    either: int

    @property
    def formats(self) -> list[str]:
        """The formats, the longest first; days come first unless all that can be told apart have months first."""
        has_days_first = self.days_first >= self.months_first
        return sorted((shape.format(has_days_first) for shape in self.shapes), key=lambda form: (-len(form), form))


class Marks(NamedTuple):
    """What the numbers of all columns say: the mark of decimals, that of thousands, whether the first is certain."""

    decimal: str
    thousands: str | None
    is_certain: bool


def filled(cells: Iterable[str | None], nothing: Collection[str]) -> list[str]:
    """The cells that say something, without blanks around them."""
    texts = (cell.strip() for cell in cells if cell)
    return [text for text in texts if text and text not in nothing]


def nothing_in(columns: Iterable[list[str | None]]) -> tuple[str, ...]:
    """The words for nothing that stand among numbers or times."""
    found: set[str] = set()
    for cells in columns:
        words = {cell for cell in map(str.strip, filter(None, cells)) if cell in WORDS_FOR_NOTHING}
        rest = filled(cells, WORDS_FOR_NOTHING)
        if words and rest and all(_is_time(cell) or _is_number(cell) for cell in rest):
            found |= words
    return tuple(word for word in WORDS_FOR_NOTHING if word in found)


def dates_in(columns: Iterable[list[str]]) -> Dates:
    """What the columns say of which most cells are times."""
    shapes: Counter[Shape] = Counter()
    orders: Counter[str] = Counter()
    for cells in columns:
        for cell in _most(_is_time, cells):
            if (date := _DATE.fullmatch(cell)) is not None:
                shapes[_shape(date)] += 1
                orders[_order(date)] += 1
            elif (date := _YEAR_FIRST.fullmatch(cell)) is not None:
                clock = f" %H:%M{':%S' if date['seconds'] else ''}" if date["rest"] else ""
                shapes[Shape(date["mark"], "%Y", clock, is_year_first=True)] += 1
    told = tuple(shape for shape, _ in sorted(shapes.items(), key=lambda pair: (-pair[1], pair[0])))
    return Dates(told, orders["days"], orders["months"], orders["either"])


def marks_in(columns: Iterable[list[str]]) -> Marks:
    """What the columns say of which most cells are numbers, perhaps with the sign of a currency."""
    decimals: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    either: Counter[str] = Counter()
    for cells in columns:
        for cell in _most(_is_number, [bare_number(cell) for cell in cells]):
            for kind, mark in _marks(cell):
                {"decimal": decimals, "group": groups, "either": either}[kind][mark] += 1
    if decimals:
        decimal = "," if decimals[","] > decimals["."] else "."
    else:
        decimal = "," if groups["."] or (either[","] and not either["."]) else "."
    other = "." if decimal == "," else ","
    has_thousands = groups[other] or (either[other] and decimals[decimal])
    is_certain = not (decimals[","] and decimals["."]) and bool(decimals or groups or not either)
    return Marks(decimal, other if has_thousands else None, is_certain)


def type_of(name: str, cells: list[str], dates: Dates, marks: Marks) -> ColumnType:
    """The type of a column: text, unless every cell is of another."""
    if not cells:
        return "text"
    if all(_is_time(cell) for cell in cells) and _are_read(cells, dates):
        return "time"
    if not all(map(_is_number, cells)) or _are_names(name, cells):
        return "text"
    decimals = [len(cell.rpartition(mark)[2]) for cell in cells if (mark := _decimal_of(cell, marks)) in cell]
    if not decimals:
        return "money" if MONEY.search(name) else "whole"
    return "money" if max(decimals) <= 2 and not any("e" in cell.lower() for cell in cells) else "degrees"


def fitting(kind: ColumnType, cells: Collection[str], dates: Dates) -> float:
    """The part of the cells, 0 to 1, that are read as of that type; all of none."""
    if kind == "text" or not cells:
        return 1.0
    are = (_is_time(cell) and _are_read([cell], dates) if kind == "time" else _is_number(cell) for cell in cells)
    return sum(are) / len(cells)


def are_times(cells: Collection[str]) -> bool:
    """Whether most cells are times, in whatever form."""
    return bool(_most(_is_time, cells))


def are_amounts(cells: Collection[str]) -> bool:
    """Whether most cells are numbers, perhaps with the sign of a currency."""
    return bool(_most(_is_number, [bare_number(cell) for cell in cells]))


def have_signs(cells: Collection[str]) -> bool:
    """Whether most cells are numbers, and some of those have the sign of a currency before or behind them."""
    return are_amounts(cells) and any(not _is_number(cell) and _is_number(bare_number(cell)) for cell in cells)


def currencies_in(columns: Iterable[list[str]]) -> tuple[str, ...]:
    """The currencies that signs of amounts mean, the most frequent first; `$` where that is all that is known."""
    found: Counter[str] = Counter()
    for cells in columns:
        for cell in cells if have_signs(cells) else ():
            if (signed := _SIGNED.fullmatch(cell)) is not None and (sign := signed["before"] or signed["after"]):
                found[_SIGNS.get(sign, sign)] += 1
    return tuple(code for code, _ in found.most_common() if code in CURRENCIES or code == "$")


def bare_number(cell: str) -> str:
    """A number without the sign of a currency; any other cell as it is."""
    signed = _SIGNED.fullmatch(cell)
    if signed is None or (not _is_sign(signed["before"]) and not _is_sign(signed["after"])):
        return cell
    return f"{signed['minus']}{signed['number']}"


def _is_sign(text: str | None) -> bool:
    return text is not None and (text[-1] in "$€£" or text in CURRENCIES)


def _most(is_one: Callable[[str], bool], cells: Collection[str]) -> list[str]:
    """The cells that are such ones, if most are."""
    found = [cell for cell in cells if is_one(cell)]
    return found if found and len(found) >= MOST * len(cells) else []


def _is_time(cell: str) -> bool:
    if cell.startswith(PLAIN):
        return _ISO.fullmatch(cell, len(PLAIN)) is not None
    if (date := _DATE.fullmatch(cell)) is not None:
        first, second = int(date["first"]), int(date["second"])
        return bool(date["gap"]) == bool(date["clock"]) and 1 <= min(first, second) <= 12 and max(first, second) <= 31
    if (date := _YEAR_FIRST.fullmatch(cell)) is not None:
        return 1 <= int(date["month"]) <= 12 and 1 <= int(date["day"]) <= 31
    return _ISO.fullmatch(cell) is not None


def _are_read(cells: Iterable[str], dates: Dates) -> bool:
    """Whether the formats fit the cells that are not in ISO's."""
    naive = [(form.removesuffix("%z"), form.endswith("%z")) for form in dates.formats]
    return all(
        _ISO.fullmatch(cell.removeprefix(PLAIN)) or any(_is_read(cell, form, offset) for form, offset in naive)
        for cell in cells
    )


def _is_read(cell: str, form: str, has_offset: bool) -> bool:
    try:
        datetime.strptime(cell, f"{form}%z" if has_offset else form)
    except ValueError:
        return False
    return True


def _shape(date: re.Match[str]) -> Shape:
    clock = ""
    if date["clock"]:
        hours = "%I" if date["half"] else "%H"
        clock = f"{date['gap']}{hours}:%M{':%S' if date['seconds'] else ''}{'.%f' if date['fraction'] else ''}"
        for part, directive in (("half", "%p"), ("offset", "%z")):
            if (text := date[part]) is not None:
                clock += f"{' ' * text.startswith(' ')}{directive}"
    return Shape(date["mark"], "%Y" if len(date["year"]) == 4 else "%y", clock)


def _order(date: re.Match[str]) -> str:
    first, second = int(date["first"]), int(date["second"])
    if first > 12:
        return "days"
    return "months" if second > 12 else "either"


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell, len(PLAIN) if cell.startswith(PLAIN) else 0) is not None


def _marks(cell: str) -> Iterator[tuple[str, str]]:
    """What each mark of a written number is: of decimals, of thousands, or either."""
    marks = re.findall(r"[.,]", cell)
    if cell.startswith(PLAIN) or not marks:
        return
    last = len(re.split(r"[.,]", cell)[-1])
    if len(set(marks)) > 1:
        yield "decimal", marks[-1]
        yield "group", marks[0]
    elif len(marks) > 1:
        yield "group", marks[0]
    else:
        yield ("either" if last == 3 and len(cell) <= 8 else "decimal"), marks[0]


def _decimal_of(cell: str, marks: Marks) -> str:
    """What parts the decimals of a number: a point, too, where it is no mark of thousands."""
    if cell.startswith(PLAIN) or (marks.decimal not in cell and marks.thousands != "."):
        return "."
    return marks.decimal


def _are_names(name: str, numbers: list[str]) -> bool:
    """Whether digits name things: with zeros before them, too many, or in a column that is called so."""
    digits = [cell.removeprefix(PLAIN).lstrip("+-") for cell in numbers]
    if not all(map(str.isdigit, digits)):
        return False
    are_odd = any(len(cell) > LONGEST_NUMBER or (len(cell) > 1 and cell.startswith("0")) for cell in digits)
    return are_odd or IDENTITY.search(name) is not None
