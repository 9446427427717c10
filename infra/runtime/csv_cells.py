"""Cells of CSV files that people open in a spreadsheet, which must take none of them for a formula."""

import re

_BEGINNINGS = r"""^[-+=@''\t\r\n]"""
_NUMBER = r"^[-+]?[0-9]+([.][0-9]+)?$"


def harmless(expression: str) -> str:
    """SQL for the cell of a text: an apostrophe stands before one that begins as a formula does, or with one itself.

    Taking the first apostrophe away gives the text again. A plain number, such as -1.5, stands as it is.
    """
    cell = f"CASE WHEN v ~ '{_BEGINNINGS}' AND v !~ '{_NUMBER}' THEN '''' || v ELSE v END"
    return f"(SELECT {cell} FROM (SELECT {expression}) AS cell_of(v))"


def harmless_text(text: str) -> str:
    """The same for a text at hand."""
    is_formula = re.match(_BEGINNINGS.replace("''", "'"), text) and not re.fullmatch(_NUMBER, text)
    return f"'{text}" if is_formula else text
