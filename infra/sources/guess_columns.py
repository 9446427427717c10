"""What each column of a guessed record is made of: a raw column as it is, an expression, a value, or what a person has
still to say.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from replayhouse.infra.sources.guess_cells import IDENTITY, have_signs
from replayhouse.infra.sources.guess_personal import are_ceps
from replayhouse.infra.sources.guess_records import Cells, GuessedRecord, may_be
from replayhouse.infra.sources.meanings import COLUMN_MEANINGS, UNFILLED
from replayhouse.infra.sources.names import plain_name
from replayhouse.infra.sources.queries import literal, quoted
from replayhouse.infra.sources.typed_cells import PLAIN
from replayhouse.ingest.records import MAY_BE_UNKNOWN, RECORDS, CellKind, Column

ID_KINDS = {"order_id": "order", "product_id": "product", "seller_id": "seller", "review_id": "review"}
ALIAS = "alias"
"""The kinds that `--key` looks for."""

TOLD_BY_CELLS = frozenset({CellKind.TIME, CellKind.MONEY, CellKind.WHOLE})
"""Kinds of columns for which cells by themselves say whether a raw column might be one."""

FEW = 8
"""A column with so many words at most may be the status of an order."""

NOT_AN_AMOUNT = "[^0-9.,-]"
_ID = re.compile(r"[0-9a-fA-F]{32}")
_LONG_CEP = re.compile(r"\d{8}")

Reference = Callable[[str], str]
"""How SQL names a raw column."""


class Cell(NamedTuple):
    """What a column is made of, one of `raw`, `sql`, `value`, or none where somebody has to say; and a remark on it."""

    raw: str | None = None
    sql: str | None = None
    value: str | None = None
    remark: str = ""

    @property
    def is_filled(self) -> bool:
        """Whether it is made of something."""
        return (self.raw, self.sql, self.value) != (None, None, None)

    def in_toml(self) -> str:
        """As a mapping's table has it."""
        if self.sql is not None:
            return f"{{ sql = {in_toml(self.sql)} }}"
        if self.value is not None:
            return f"{{ value = {in_toml(self.value)} }}"
        return in_toml(UNFILLED if self.raw is None else self.raw)

    def in_sql(self, reference: Reference) -> str:
        """As a SELECT has it."""
        if self.raw is not None:
            return reference(self.raw)
        return self.sql if self.sql is not None else literal(UNFILLED if self.value is None else self.value)


class Guesses:
    """The records that were found in the files, put together: the same ids on both sides, what each column is made of.

    `files` are the filled cells of columns by file, lists within their cells among them, whose names are `lists`;
    `personal` the columns of each that are about people: of no column of such a name, in whatever file, is an id made
    that could be guessed.
    """

    def __init__(
        self,
        records: list[GuessedRecord],
        files: Mapping[str, Cells],
        personal: Mapping[str, list[str]],
        lists: Collection[str] = (),
    ) -> None:
        self._files, self._personal, self._lists = files, personal, lists
        self._all_personal = {plain_name(name) for names in personal.values() for name in names}
        self.records = _put_together({record.record: record for record in records}, files)

    def with_record(self, guess: GuessedRecord) -> "Guesses":
        """The same with one more."""
        return Guesses([*self.records.values(), guess], self._files, self._personal, self._lists)

    def columns(self, record: str, reference: Reference = quoted) -> dict[str, Cell]:
        """What each column of a guessed record is made of; columns that may be empty, and are not there, are left out.

        What the source seems not to know, [expectations] says: it is left out, too.
        """
        found: dict[str, Cell] = {}
        for column in RECORDS[record].columns():
            cell = self._cell(record, column, reference)
            if cell.is_filled or not (column.may_be_empty or (record, column.name) in MAY_BE_UNKNOWN):
                found[column.name] = cell
        return found

    @property
    def unknown(self) -> list[str]:
        """The required columns that the source may leave empty, and of which nothing is seen."""
        return [
            column.name
            for record, shape in RECORDS.items()
            for column in shape.columns()
            if (record, column.name) in MAY_BE_UNKNOWN
            and record in self.records
            and column.name not in self.records[record].columns
        ]

    def columns_of(self, record: str) -> Collection[str]:
        """The columns of a record that raw columns were found for; none of a record that was not found."""
        return self.records[record].columns if record in self.records else ()

    def cells(self, record: str, column: str) -> list[str]:
        """The filled cells of which a column is made; none where it is made of no column."""
        found = self.records.get(record)
        raw = found.columns.get(column) if found is not None else None
        return self._files[found.file][raw] if found is not None and raw is not None else []

    def _cell(self, record: str, column: Column, reference: Reference) -> Cell:
        guess = self.records[record]
        raw = guess.columns.get(column.name)
        if raw is None:
            return self._without_column(record, column, reference)
        cells, ref = self._files[guess.file][raw], reference(raw)
        is_listed = guess.file in self._lists
        match column.kind:
            case CellKind.ID if not are_ids(cells):
                return Cell(sql=self._id(record, column.name, raw, ref))
            case CellKind.MONEY if have_signs(cells) or is_listed:
                return Cell(sql=self.amount(ref, cells, is_typed=not is_listed))
            case CellKind.TIME if is_listed:
                return Cell(sql=f"local_time({ref})")
            case CellKind.ZIP if are_ceps(cells):
                return Cell(sql=f"split_part({ref}, '-', 1)")
            case CellKind.ZIP if cells and all(map(_LONG_CEP.fullmatch, cells)):
                return Cell(sql=f"left({ref}, 5)")
            case _:
                return Cell(sql=ref) if is_listed else Cell(raw=raw)

    @staticmethod
    def amount(ref: str, cells: Collection[str], *, is_typed: bool = True) -> str:
        """An expression for an amount with these cells; `is_typed`: reading knows that the column holds amounts."""
        if have_signs(cells):
            return f"money(regexp_replace({ref}, '{NOT_AN_AMOUNT}', '', 'g'))"
        return ref if is_typed or all(cell.startswith(PLAIN) for cell in cells) else f"money({ref})"

    def _id(self, record: str, column: str, raw: str, ref: str) -> str:
        """An id of a key: of something personal by the secret, so that nobody finds it by guessing."""
        kind = ID_KINDS.get(column, ALIAS)
        if column == "customer_unique_id" or plain_name(raw) in self._all_personal:
            return f"person_id({ref})"
        return f"id('{kind}', {ref})"

    def _without_column(self, record: str, column: Column, reference: Reference) -> Cell:
        """What a column is made of that nothing in the file is like."""
        guess = self.records[record]
        order = guess.columns.get("order_id")
        match record, column.name:
            case "order_items", "order_item_id" if order is not None:
                sql = f"row_number() OVER (PARTITION BY {reference(order)} ORDER BY line)"
                return Cell(sql=sql, remark="in the order of the lines")
            case "order_payments", "payment_sequential":
                items = self.records.get("order_items")
                if items is None or items.file != guess.file or guess.file == self._file("orders"):
                    return Cell(value="1", remark="each order has one payment")
                return self.columns("order_items", reference)["order_item_id"]
            case "order_payments", "payment_installments":
                return Cell(value="1", remark="all at once")
            case "order_reviews", "review_id" if order is not None:
                return Cell(sql=f"id('review', {reference(order)})", remark="each order has one review")
        return Cell(remark=COLUMN_MEANINGS[record][column.name] + self._perhaps(column, guess))

    def _perhaps(self, column: Column, guess: GuessedRecord) -> str:
        """The end of a remark with columns of the file that might be it, where their cells tell."""
        cells, used = self._files[guess.file], {*guess.columns.values(), *self._personal.get(guess.file, ())}
        free = [name for name in cells if name not in used and cells[name] and IDENTITY.search(name) is None]
        if column.kind is CellKind.STATUS:
            found = [name for name in free if len(set(cells[name])) <= min(FEW, len(cells[name]) / 2)]
        else:
            found = [name for name in free if column.kind in TOLD_BY_CELLS and may_be(column, cells[name])]
        return f"; perhaps {' or '.join(map(in_toml, found[:3]))}" if found else ""

    def _file(self, record: str) -> str | None:
        return self.records[record].file if record in self.records else None


def _put_together(found: dict[str, GuessedRecord], files: Mapping[str, Cells]) -> dict[str, GuessedRecord]:
    """The same with the keys by which records meet: a customer stands in an order, or in a file of customers."""
    made = dict(found)
    orders, customers, sellers = found.get("orders"), found.get("customers"), found.get("sellers")
    own = customers and (customers.columns.get("customer_id") or customers.columns.get("customer_unique_id"))
    if customers is not None and own is not None:
        columns = {"customer_id": own, "customer_unique_id": own, **customers.columns}
        order = orders.columns.get("order_id") if orders is not None and orders.file == customers.file else None
        if orders is not None and order is not None and not are_ids(files[orders.file][own]):
            columns["customer_id"] = order
            made["orders"] = orders._replace(columns={**orders.columns, "customer_id": columns["customer_id"]})
        made["customers"] = customers._replace(columns=columns)
    if sellers is not None and customers is not None and sellers.file == customers.file:
        made["sellers"] = sellers._replace(columns={"seller_id": sellers.columns["seller_id"]})
    if "sellers" in made and len(made["sellers"].columns) == 1:
        del made["sellers"]  # nothing is known of them but that they are others
    return made


def are_ids(cells: Collection[str]) -> bool:
    """Whether all are ids as the nine files have them."""
    return bool(cells) and all(map(_ID.fullmatch, cells))


def in_toml(text: str) -> str:
    """A text in TOML: what JSON writes of it is the same there, but for one control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
