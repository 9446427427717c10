"""Functions of one text that may be given many: a fold runs on plain values, and in bulk on columns of them.

Most of a fold asks nothing of its values but what columns can answer, too. A function that looks into a text cannot be
run on many at once; marked as `of_each`, it is asked once for each different one.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

_Text = TypeVar("_Text", bound=str | None)


def of_each(function: Callable[[_Text], str]) -> Callable[[_Text], str]:
    """The same function of a text; what stands for many texts answers with what it makes of each."""

    @wraps(function)
    def made(text: _Text) -> str:
        ask = getattr(text, "of_each", None)
        return function(text) if ask is None else ask(function)

    return made
