"""Functions of single values that may be given many: folds and decisions run on plain values, and in bulk on columns.

Most of them ask nothing of their values but what columns can answer, too. A function that looks into a text cannot be
run on many at once; marked as `of_each`, it is asked once for each different one. A text is put together by `joined`;
what takes decisions on the way to it is marked as `of_rows`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_Text = TypeVar("_Text", bound=str | None)
_Taken = ParamSpec("_Taken")
_Made = TypeVar("_Made")


def of_each(function: Callable[[_Text], str]) -> Callable[[_Text], str]:
    """The same function of a text; what stands for many texts answers with what it makes of each."""

    @wraps(function)
    def made(text: _Text) -> str:
        ask = getattr(text, "of_each", None)
        return function(text) if ask is None else ask(function)

    return made


def of_rows(function: Callable[_Taken, _Made]) -> Callable[_Taken, _Made]:
    """The same function of values, or of lists of them, that makes a text; of columns it makes a column of texts.

    Where it decides otherwise for some rows than for others, they are parted within it, and what calls it sees no more
    of that than of plain values. A list has columns or none.
    """

    @wraps(function)
    def made(*args: _Taken.args, **kwargs: _Taken.kwargs) -> _Made:
        for value in args:
            one = value[0] if type(value) is list and value else value
            if (ask := getattr(type(one), "of_rows", None)) is not None:
                asked: Any = ask(function, args)
                return asked  # type: ignore[no-any-return]  # a column stands for what the function makes
        return function(*args, **kwargs)

    return made


def joined(*parts: object) -> str:
    """Texts, whole numbers and ids one behind the other, as they are written; with a column, that of each row."""
    for part in parts:
        if (join := getattr(type(part), "joined", None)) is not None:
            asked: Any = join(parts)
            return asked  # type: ignore[no-any-return]  # a column stands for the texts
    return "".join(map(str, parts))
