"""Bytes of a CSV file cut into records and cells (RFC 4180), a block at a time, with Arrow's array arithmetic.

A delimiter or line feed separates if the number of quotes before it is even. That holds in every well-formed file, and
in any other the first quote at a wrong place is found before it can mislead: each block is checked for it. Arrays are
Arrow's; positions count bytes from the beginning of the block.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

LINE_FEED, CARRIAGE_RETURN = (pa.scalar(byte, pa.uint8()) for byte in b"\n\r")
ZERO, ONE = (pa.scalar(number, pa.int32()) for number in (0, 1))
TEXT = pa.string()


class Dialect(NamedTuple):
    """What stands between cells, and what around those that hold it or a line end: one ASCII character each.

    NO_QUOTE is a character that no file has that can be read.
    """

    delimiter: str = ","
    quote: str = '"'

    @property
    def quote_byte(self) -> bytes:
        """The quote, as it stands in the file."""
        return self.quote.encode("ascii")

    def neighbours(self) -> Any:
        """The bytes that may stand before an opening quote, and after a closing one."""
        return pa.array(f"{self.delimiter}\n{self.quote}".encode("ascii"), pa.uint8())

    def empty_cells(self) -> str:
        """A regular expression for the end of a record from a delimiter on, if its cells are empty."""
        delimiter, quote = (re.escape(mark) for mark in (self.delimiter, self.quote))
        return rf"\A({delimiter}({quote}{quote})?)*\r?\n\z"


COMMAS = Dialect()
NO_QUOTE = "\0"


class Fault(NamedTuple):
    """What makes a block unreadable: where, what, and the name of the quality rule that it breaks."""

    at: int
    rule: str
    reason: str


@dataclass(frozen=True)
class Block:
    """Bytes that start with a record, and the complete records found in them."""

    data: bytes
    separators: Any
    """Position of each comma and line feed that separates, int32."""
    last_cells: Any
    """Number of each record's last cell, counted over all cells, int32."""
    dialect: Dialect = COMMAS

    def __len__(self) -> int:
        return len(self.last_cells)

    @cached_property
    def stop(self) -> int:
        """The position after the last complete record; 0 if there is none."""
        return int(self.separators[-1].as_py()) + 1 if len(self.separators) else 0

    @cached_property
    def first_cells(self) -> Any:
        """Number of each record's first cell, int32."""
        return _begins(self.last_cells)

    @cached_property
    def widths(self) -> Any:
        """How many cells each record has, int32."""
        return pc.add(pc.subtract(self.last_cells, self.first_cells), ONE)

    def first_longer_than(self, longest: int) -> int | None:
        """The position at which the first record of more bytes begins, its line end left out."""
        ends = self.separators.take(self.last_cells)
        starts = _begins(ends)
        return _first(starts, pc.greater(pc.subtract(ends, starts), pa.scalar(longest, pa.int32())))

    @cached_property
    def is_blank(self) -> Any:
        """Whether each record is an empty line."""
        ends = self.separators.take(self.last_cells)
        starts = _begins(ends)
        length = pc.subtract(ends, starts)
        is_return = pc.equal(_octets(self.data).take(starts), CARRIAGE_RETURN)
        return pc.or_(pc.equal(length, ZERO), pc.and_(pc.equal(length, ONE), is_return))

    @cached_property
    def line_ends(self) -> Any:
        """How many line feeds stand before and at the end of each record, those within quotes included; int32."""
        if self.data.count(b"\n", 0, self.stop) == len(self):
            return pa.array(range(1, len(self) + 1), pa.int32())
        is_line_feed = pc.equal(_octets(self.data), LINE_FEED)
        return _running_count(is_line_feed).take(self.separators.take(self.last_cells))

    def are_empty_from(self, column: int) -> Any:
        """Whether each record has that many cells or more, and those after them are empty."""
        is_wide = pc.greater_equal(self.widths, pa.scalar(column, pa.int32()))
        last = pc.if_else(is_wide, pc.add(self.first_cells, pa.scalar(column - 1, pa.int32())), self.last_cells)
        ends = pc.add(self.separators.take(self.last_cells), ONE)
        edges = pa.concat_arrays([pa.array([0], pa.int32()), self.separators.take(last), ends])
        edges = edges.take(pc.array_sort_indices(edges))  # a record's cells, what follows them, the next one's cells
        parts = pa.Array.from_buffers(pa.binary(), len(edges) - 1, [None, edges.buffers()[1], pa.py_buffer(self.data)])
        return pc.and_(is_wide, pc.match_substring_regex(parts[1::2], self.dialect.empty_cells()))

    def cells(self, first_cells: Any, column: int, width: int) -> Any:
        """The cells of one column, null where empty (R2), of records that begin there, with `width` cells or more."""
        cells = self._cells_with_separators.take(pc.add(first_cells, pa.scalar(column, pa.int32())))
        without_last = pc.binary_slice(cells, 0, -1)
        if column == width - 1 and b"\r" in self.data:
            cells = pc.if_else(pc.ends_with(cells, "\r\n"), pc.binary_slice(cells, 0, -2), without_last)
        else:
            cells = without_last
        if self.dialect.quote_byte in self.data:
            cells = _unquoted(cells, self.dialect.quote)
        texts = cells.cast(TEXT)
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, TEXT), texts)

    @cached_property
    def _cells_with_separators(self) -> Any:
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.add(self.separators, ONE)])
        buffers = [None, offsets.buffers()[1], pa.py_buffer(self.data)]
        return pa.Array.from_buffers(pa.binary(), len(self.separators), buffers)


def split(data: bytes, dialect: Dialect = COMMAS) -> Block:
    """Finds the complete records in bytes that start with one; a rest without a line end stays outside."""
    octets = _octets(data)
    is_line_feed = pc.equal(octets, LINE_FEED)
    separates = pc.or_(pc.equal(octets, _octet(dialect.delimiter)), is_line_feed)
    if dialect.quote_byte in data:
        quotes_before = _running_count(pc.equal(octets, _octet(dialect.quote)))
        separates = pc.and_(separates, pc.equal(pc.bit_wise_and(quotes_before, ONE), ZERO))
    separators = pc.indices_nonzero(separates).cast(pa.int32())
    last_cells = pc.indices_nonzero(is_line_feed.take(separators)).cast(pa.int32())
    cells = last_cells[-1].as_py() + 1 if len(last_cells) else 0
    return Block(data, separators[:cells], last_cells, dialect)


def first_fault(data: bytes, dialect: Dialect = COMMAS) -> Fault | None:
    """The first thing, by position, that makes the bytes unreadable (R1): a NUL, no UTF-8, a quote at a wrong place, a
    CR outside of quotes that no LF follows.

    `data` starts with a record and may end within one, but not within CR LF. A quote open at its end is no fault yet.
    """
    faults = []
    if (wrong_return := _wrong_return(data, dialect)) is not None:
        faults.append(wrong_return)
    if (nul := data.find(b"\0")) >= 0:
        faults.append(Fault(nul, "files_in_utf8", "a NUL byte"))
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            faults.append(
                Fault(error.start, "files_in_utf8", f"the byte 0x{data[error.start]:02x}, which is not UTF-8")
            )
    if dialect.quote_byte in data and (wrong_quote := _wrong_quote(data, dialect)) is not None:
        faults.append(wrong_quote)
    return min(faults, default=None)


def open_quote(data: bytes, dialect: Dialect = COMMAS) -> int | None:
    """The position of the quote that opens the last cell and is not closed, in data without faults; else None."""
    if data.count(dialect.quote_byte) % 2 == 0:
        return None
    return cell_quote(data, data.rindex(dialect.quote_byte), dialect)


def cell_quote(data: bytes, opening: int, dialect: Dialect = COMMAS) -> int:
    """The quote that opened the cell: an opening quote right after a closing one is the second half of an escape."""
    while opening > 0 and data[opening - 1] == ord(dialect.quote):
        opening = data.rindex(dialect.quote_byte, 0, opening - 1)
    return opening


def _wrong_return(data: bytes, dialect: Dialect) -> Fault | None:
    """The first CR outside of quotes that no LF follows."""
    if data.count(b"\r") == data.count(b"\r\n"):
        return None
    octets = _octets(data)
    returns = pc.indices_nonzero(pc.equal(octets, CARRIAGE_RETURN)).cast(pa.int32())
    is_wrong = pc.not_equal(_after(octets, returns), LINE_FEED)
    if dialect.quote_byte in data:
        quotes_before = _running_count(pc.equal(octets, _octet(dialect.quote))).take(returns)
        is_wrong = pc.and_(is_wrong, pc.equal(pc.bit_wise_and(quotes_before, ONE), ZERO))
    at = _first(returns, is_wrong)
    if at is None:
        return None
    told = "CR CR LF" if data.startswith(b"\r\r\n", at) else "CR alone"
    return Fault(at, "lines_end_in_lf", f"a line end of {told}, and lines must end in LF or CR LF")


def _wrong_quote(data: bytes, dialect: Dialect) -> Fault | None:
    """The first quote that opens within a cell, or closes one although text follows."""
    octets = _octets(data)
    quotes = pc.indices_nonzero(pc.equal(octets, _octet(dialect.quote))).cast(pa.int32())
    openings, closings = quotes[::2], quotes[1::2]
    # At the very ends a quote is its own neighbour, which is a legal one.
    before = octets.take(pc.max_element_wise(pc.subtract(openings, ONE), ZERO))
    after = _after(octets, closings)
    neighbours = dialect.neighbours()
    wrong_opening = _first(openings, pc.invert(pc.is_in(before, neighbours)))
    # A CR ends a line, or is a fault of its own.
    wrong_closing = _first(closings, pc.invert(pc.or_(pc.is_in(after, neighbours), pc.equal(after, CARRIAGE_RETURN))))
    if wrong_closing is not None and (wrong_opening is None or wrong_closing < wrong_opening):
        return Fault(wrong_closing, "quotes_closed", "text after a closing quote")
    if wrong_opening is not None:
        return Fault(wrong_opening, "quotes_closed", "a quote inside an unquoted cell")
    return None


def _first(positions: Any, chosen: Any) -> int | None:
    index = pc.index(chosen, True).as_py()
    return None if index < 0 else int(positions[index].as_py())


def _after(octets: Any, positions: Any) -> Any:
    """The byte after each position; at the very end, the one there."""
    last = pa.scalar(len(octets) - 1, pa.int32())
    return octets.take(pc.min_element_wise(pc.add(positions, ONE), last))


def _octets(data: bytes) -> Any:
    return pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])


def _octet(character: str) -> Any:
    return pa.scalar(ord(character), pa.uint8())


def _running_count(flags: Any) -> Any:
    return pc.cumulative_sum(flags.cast(pa.int32()))


def _begins(ends: Any) -> Any:
    """Where each of several things in a row begins: 0, or right after the end of the one before."""
    return pc.add(pa.concat_arrays([pa.array([-1], pa.int32()), ends])[:-1], ONE)


def _unquoted(cells: Any, quote: str) -> Any:
    is_quoted = pc.starts_with(cells, quote)
    if not pc.any(is_quoted).as_py():
        return cells
    inner = pc.replace_substring(pc.binary_slice(cells, 1, -1), quote * 2, quote)
    return pc.if_else(is_quoted, inner, cells)
