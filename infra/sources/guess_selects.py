"""SELECTs for records that are not the rows of a file by themselves: pieces of a line, objects of a list, and what
stands with the order.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from replayhouse.infra.sources.guess_cells import are_amounts
from replayhouse.infra.sources.guess_columns import Cell, Guesses, Reference
from replayhouse.infra.sources.guess_lists import Listed
from replayhouse.infra.sources.guess_records import Cells, guess_column
from replayhouse.infra.sources.guess_words import QUANTITY, in_words
from replayhouse.infra.sources.meanings import RECORD_MEANINGS, in_select
from replayhouse.infra.sources.queries import literal, quoted

ITEMS, FREIGHT = "order_items", "freight_value"


class _Freight(NamedTuple):
    """Where the freight of an order stands: its column, and the key by which its file is joined, if it is another."""

    sql: str
    join: str | None


def guess_selects(guesses: Guesses, files: Mapping[str, Cells], lists: Mapping[str, Listed]) -> dict[str, str]:
    """The SELECTs by the kind of record that they make; of other kinds a table of the mapping says enough."""
    found: dict[str, str] = {}
    for record, guess in guesses.records.items():
        listed = lists.get(guess.file)
        if record == ITEMS:
            quantity, freight = _quantity(files[guess.file]), _freight(guesses, files, listed)
            if listed is not None or quantity is not None or freight is not None:
                found[record] = _select_of_items(guesses, listed, quantity, freight)
        elif listed is not None:
            columns = guesses.columns(record, listed.reference)
            source = f"{quoted(listed.file)} AS l{_entries(listed)}"
            found[record] = _select(record, columns, source, listed.reference)
    return found


def _select_of_items(guesses: Guesses, listed: Listed | None, quantity: str | None, freight: _Freight | None) -> str:
    guess = guesses.records[ITEMS]
    file = listed.file if listed is not None else guess.file
    reference = listed.reference if listed is not None else lambda name: f"l.{quoted(name)}"
    columns = guesses.columns(ITEMS, reference)
    order = reference(guess.columns["order_id"])
    places = ["l.line", *(["entry.rowid"] if listed is not None else []), *(["piece"] if quantity is not None else [])]
    number = f"row_number() OVER (PARTITION BY {order} ORDER BY {', '.join(places)})"
    source = f"{quoted(file)} AS l"
    remarks: dict[str, str] = {}
    if "order_item_id" not in guess.columns or quantity is not None:
        columns["order_item_id"] = Cell(sql=number)
    if freight is not None:
        columns[FREIGHT] = Cell(sql=f"CASE {number} WHEN 1 THEN {freight.sql} ELSE '0' END")
        remarks[FREIGHT] = "that of the order, with its first piece"
        source += f"\n{freight.join}" if freight.join is not None else ""
    source += _entries(listed) if listed is not None else ""
    if quantity is not None:
        own = reference(quantity)
        source += f",\n    range(greatest(coalesce(TRY_CAST({own} AS BIGINT), 1), 1)) AS pieces(piece)"
        price = columns["price"].in_sql(reference)
        columns["price"] = Cell(
            sql=f"CASE WHEN {own} IS NULL OR TRY_CAST({own} AS BIGINT) > 0 THEN {price} ELSE 'quantity ' || {own} END"
        )
        remarks["price"] = (
            "of one piece: divide it if it is that of the line; a quantity that is none goes to quarantine"
        )
        if FREIGHT in guess.columns and freight is None:
            columns[FREIGHT] = Cell(sql=f"CASE piece WHEN 0 THEN {columns[FREIGHT].in_sql(reference)} ELSE '0' END")
            remarks[FREIGHT] = "that of the line, with its first piece"
    is_joined = freight is not None and freight.join is not None
    return _select(ITEMS, columns, source, reference, file if is_joined else None, remarks)


def _entries(listed: Listed) -> str:
    """What stands in FROM so that each object of a list is a row."""
    cell = f"l.{quoted(listed.column)}"
    return f",\n    json_each(CASE WHEN json_valid({cell}) THEN {cell} END) AS entry"


def _select(
    record: str,
    columns: Mapping[str, Cell],
    source: str,
    reference: Reference,
    file: str | None = None,
    remarks: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A SELECT as an author would write it; `file` says whose lines they are, where it reads two."""
    head = ["l.line", *([f"{literal(file)} AS file"] if file is not None else [])]
    made = [
        (f"{cell.in_sql(reference)} AS {name}", remarks.get(name, in_select(cell.remark)))
        for name, cell in columns.items()
    ]
    lines = [(text, "") for text in head] + made
    told = [
        f"    {text}{',' * (place < len(lines))}{f'  -- {remark}' if remark else ''}"
        for place, (text, remark) in enumerate(lines, 1)
    ]
    return "\n".join([f"-- {record}: {RECORD_MEANINGS[record]}.", "SELECT", *told, f"FROM {source}", ""])


def _quantity(cells: Cells) -> str | None:
    """The column that says of how many pieces a line is, unless all are of one."""
    for name, written in cells.items():
        if in_words(name.rpartition(".")[2]) in QUANTITY and are_amounts(written) and {*written} - {"1", "\x001"}:
            return name
    return None


def _is_one_for_each(keys: list[str], cells: list[str]) -> bool:
    """Whether each key that stands on several rows has the same cell on all of them, and there are such keys."""
    pairs = set(zip(keys, cells, strict=False))
    return len(keys) == len(cells) and len(pairs) == len(set(keys)) < len(keys)


def _freight(guesses: Guesses, files: Mapping[str, Cells], listed: Listed | None) -> _Freight | None:
    """The freight that stands with the order, where the file of its items has none."""
    items, orders = guesses.records[ITEMS], guesses.records.get("orders")
    if orders is not None and orders.file == items.file and FREIGHT in items.columns:
        own, cells = items.columns[FREIGHT], files[orders.file]
        is_of_orders = _is_one_for_each(cells[orders.columns["order_id"]], cells[own])
        return _Freight(guesses.amount(f"l.{quoted(own)}", cells[own]), None) if is_of_orders else None
    if (
        FREIGHT in items.columns or orders is None or orders.file == items.file or "." in orders.file
    ):  # a list is no file
        return None
    raw = guess_column(ITEMS, FREIGHT, files[orders.file])
    if raw is None:
        return None
    alias = "l" if listed is not None and listed.file == orders.file else "o"
    sql = guesses.amount(f"{alias}.{quoted(raw)}", files[orders.file][raw])
    if alias == "l":
        return _Freight(sql, None)
    keys = files[orders.file][orders.columns["order_id"]]
    if (listed is not None and listed.order is None) or len(set(keys)) < len(keys):
        return None
    own = (
        listed.reference(items.columns["order_id"]) if listed is not None else f"l.{quoted(items.columns['order_id'])}"
    )
    order = f"o.{quoted(orders.columns['order_id'])}"
    return _Freight(sql, f"LEFT JOIN {quoted(orders.file)} AS o ON {order} = {own}")
