"""Functions of single values that may be given many: folds and decisions run on plain values, and in bulk on columns.

Most of them ask nothing of their values but what columns can answer, too. A function that looks into a text cannot be
run on many at once; marked as `of_each`, it is asked once for each different one. What makes a text or an id of several
values is marked as `row_by_row`.
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


def row_by_row(function: Callable[_Taken, _Made]) -> Callable[_Taken, _Made]:
    """The same function of values, or of lists of them; where columns are among these, it is asked for each row."""

    @wraps(function)
    def made(*args: _Taken.args, **kwargs: _Taken.kwargs) -> _Made:
        for value in args:
            for one in value if type(value) is list else (value,):
                if (ask := getattr(type(one), "row_by_row", None)) is not None:
                    asked: Any = ask(function, args)
                    return asked  # type: ignore[no-any-return]  # a column stands for what the function makes
        return function(*args, **kwargs)

    return made
