"""Which files hold records of which kind, and which raw columns are those of the records: by their names, as the source
of the nine files calls them or in words of three languages, and by what their cells look like.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from replayhouse.infra.sources.document import ColumnType
from replayhouse.infra.sources.guess_cells import are_amounts, are_times
from replayhouse.infra.sources.guess_personal import are_ceps, are_mails
from replayhouse.infra.sources.guess_words import FILES, WORDS, in_words, status_of
from replayhouse.infra.staging.expected import OF_OLIST
from replayhouse.ingest.records import RECORDS, CellKind, Column

KEYS = {
    "customers": "customer_id",
    "order_reviews": "review_id",
    "products": "product_id",
    "sellers": "seller_id",
}
"""What a file of things of a kind calls just its `id`."""

ANYBODYS = ("id", "code", "codigo", "no", "number", "numero", "name")
"""Names that say nothing where they stand within something else."""

LIKENESS = 0.86
ENOUGH = 0.5
"""The part of the cells of a column that look so."""

ESSENTIAL: dict[str, tuple[tuple[str, ...], ...]] = {
    "orders": (("order_id",), ("order_purchase_timestamp",)),
    "customers": (("customer_unique_id", "customer_id"),),
    "order_items": (("order_id",), ("product_id",), ("price", "order_item_id")),
    "order_payments": (("order_id",), ("payment_value",)),
    "order_reviews": (("order_id", "review_id"), ("review_score",)),
    "products": (("product_id",),),
    "sellers": (("seller_id",),),
}
"""Of each of these groups a file has a column, if it holds such records; of other kinds it has all columns."""

Cells = Mapping[str, list[str]]
"""The filled cells of a file by column."""


class GuessedRecord(NamedTuple):
    """A record that a file seems to hold: raw columns by the record's; required columns that nothing is like."""

    record: str
    file: str
    columns: dict[str, str]
    lacking: tuple[str, ...]


def guess_records(files: Mapping[str, Cells]) -> list[GuessedRecord]:
    """For each record the file that is most like one of them, if any is; `files` are the cells by the file's key."""
    found: list[GuessedRecord] = []
    for record, shape in RECORDS.items():
        columns = shape.columns()
        guesses = (_guess(record, file, cells, columns) for file, cells in files.items())
        believed = [one for one in guesses if _is_believed(one)]
        if believed:
            found.append(max(believed, key=lambda one: (_is_called(record, one.file), len(one.columns))))
    return found


def partly(record: str, files: Mapping[str, Cells]) -> GuessedRecord:
    """What is most like a record that no file seems to hold."""
    guesses = [_guess(record, file, cells, RECORDS[record].columns()) for file, cells in files.items()]
    return max(guesses, key=lambda one: (_is_called(record, one.file), len(one.columns)))


def guess_column(record: str, column: str, cells: Cells) -> str | None:
    """The column of a file that is this one of a record, by its name and if its cells may be such."""
    wanted = next(one for one in RECORDS[record].columns() if one.name == column)
    left = {in_words(name): name for name in reversed(list(cells)) if may_be(wanted, cells[name])}
    ways = (like(record, wanted, left, cells) for like in (_own_name, _in_words, _in_last_words))
    return next((left[words] for words in ways if words is not None), None)


def is_called(words: Sequence[str], name: str) -> bool:
    """Whether one of the words of a name begins so."""
    return any(word.startswith(tuple(words)) for word in in_words(name).split())


def _is_called(record: str, file: str) -> int:
    """2 for a file that is called as the records are, 1 for one that is not called as others are."""
    if is_called(FILES[record], file):
        return 2
    return int(not any(is_called(words, file) for words in FILES.values()))


def _is_believed(guess: GuessedRecord) -> bool:
    if (groups := ESSENTIAL.get(guess.record)) is not None:
        return all(any(column in guess.columns for column in group) for group in groups)
    return not guess.lacking


def _guess(record: str, file: str, cells: Cells, columns: tuple[Column, ...]) -> GuessedRecord:
    """Surer matches are made first, so that no column is taken by one that is less like it."""
    left = {in_words(name): name for name in reversed(list(cells))}
    matched: dict[str, str] = {}
    ways = (
        _own_name,
        _in_words,
        *([_own_key] if is_called(FILES[record], file) else []),
        _in_last_words,
        _by_cells,
        _nearly,
    )
    for like in ways:
        for column in columns:
            there = {words: name for words, name in left.items() if may_be(column, cells[name])}
            if column.name not in matched and (words := like(record, column, there, cells)) is not None:
                matched[column.name] = left.pop(words)
    ordered = {column.name: matched[column.name] for column in columns if column.name in matched}
    lacking = (column.name for column in columns if not column.may_be_empty and column.name not in matched)
    return GuessedRecord(record, file, ordered, tuple(lacking))


def _own_name(_record: str, column: Column, left: Mapping[str, str], _cells: Cells) -> str | None:
    return next((name for name in (in_words(column.name), in_words(column.field)) if name in left), None)


def _in_words(record: str, column: Column, left: Mapping[str, str], _cells: Cells) -> str | None:
    return next((words for words in WORDS[record].get(column.name, ()) if words in left), None)


def _own_key(record: str, column: Column, left: Mapping[str, str], _cells: Cells) -> str | None:
    """By a name that says nothing but which of its file's things it is."""
    names = [name for name in ANYBODYS if name in left and (name != "name" or record == "products")]
    return names[0] if names and column.name == KEYS.get(record) else None


def _in_last_words(record: str, column: Column, left: Mapping[str, str], _cells: Cells) -> str | None:
    """By what stands behind the point of a column that leads into an object."""
    known = [one for one in WORDS[record].get(column.name, ()) if one not in ANYBODYS]
    last = {in_words(name.rpartition(".")[2]): words for words, name in left.items() if "." in name}
    return next((last[words] for words in known if words in last), None)


def _nearly(record: str, column: Column, left: Mapping[str, str], _cells: Cells) -> str | None:
    if column.name.endswith(("_g", "_cm")):
        return None  # in kilograms or metres it would be another number
    known = [in_words(column.name), *WORDS[record].get(column.name, ())]
    near = (get_close_matches(words, list(left), n=1, cutoff=LIKENESS) for words in known if len(words) > 3)
    return next((names[0] for names in near if names), None)


def _by_cells(_record: str, column: Column, left: Mapping[str, str], cells: Cells) -> str | None:
    """The only column whose cells look so, where a kind of cell can be told by its looks."""
    match column.name:
        case "customer_unique_id":
            found = [words for words, name in left.items() if are_mails(cells[name])]
        case "order_purchase_timestamp":
            found = [words for words, name in left.items() if are_times(cells[name])]
        case "order_status":
            found = [words for words, name in left.items() if _most(status_of(cell) for cell in cells[name])]
        case "customer_zip_code_prefix":
            found = [words for words, name in left.items() if are_ceps(cells[name])]
        case "customer_state":
            found = [words for words, name in left.items() if _most(cell in OF_OLIST.states for cell in cells[name])]
        case _:
            found = []
    return found[0] if len(found) == 1 else None


def _most(are: Iterable[object]) -> bool:
    told = [bool(one) for one in are]
    return bool(told) and sum(told) >= ENOUGH * len(told)


def may_be(column: Column, cells: Sequence[str]) -> bool:
    """Whether the cells of a raw column may be this one's: a name by itself may mean another thing."""
    if not cells:
        return True
    match column.kind:
        case CellKind.TIME:
            return are_times(cells)
        case CellKind.MONEY | CellKind.WHOLE | CellKind.SCORE | CellKind.DEGREES:
            return are_amounts(cells)
        case CellKind.ID:
            return not are_times(cells)
        case CellKind.TEXT if column.name.endswith("_state"):
            return not _most(status_of(cell) for cell in cells)
        case _:
            return True


KINDS: dict[CellKind, ColumnType] = {
    CellKind.TIME: "time",
    CellKind.MONEY: "money",
    CellKind.WHOLE: "whole",
    CellKind.SCORE: "whole",
    CellKind.DEGREES: "degrees",
}
"""The type of a raw column by the kind of the record's; of others it is text."""
