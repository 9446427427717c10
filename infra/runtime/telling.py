"""Who is told how far the work is, and what somebody should know: callbacks of whoever runs a use case."""

from collections.abc import Callable

Tell = Callable[[str, int, int], None]
"""Takes what is being done, and how many of how many parts of it are done (0 of 0 where nobody knows)."""

Warn = Callable[[str], None]
"""Takes what a person should know although the work goes on: a sentence or two, or lines to be copied."""


def tell_nobody(_doing: str, _done: int, _of: int) -> None:
    """Takes how far the work is, and lets it be."""


def unheard(_text: str) -> None:
    """Takes what somebody should know, where nobody listens."""


def with_article(noun: str) -> str:
    """`an order`, `a customer`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 event`, `2,345 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
