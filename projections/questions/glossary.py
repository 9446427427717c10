"""The terms that the questions use: `glossary.md`, read into sections, each with its terms or rules of reading."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

GLOSSARY = Path(__file__).parent / "glossary.md"

_ITEM = re.compile(r"(?:\*\*(?P<name>[^*]+)\*\*: )?(?P<text>.+)", re.DOTALL)


class Term(NamedTuple):
    """What is said of a term, in Markdown of which only `code` is used; a rule of reading has no name."""

    name: str | None
    text: str


class Section(NamedTuple):
    """A section of the glossary: a sentence that holds for all of it, where there is one, and its terms."""

    title: str
    introduction: str
    terms: tuple[Term, ...]


@cache
def glossary() -> tuple[Section, ...]:
    """All sections, in order. Raises ValueError where the file has another form."""
    _, *sections = re.split(r"^## ", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return tuple(_section(text) for text in sections)


def _section(text: str) -> Section:
    title, _, rest = text.partition("\n")
    introduction, *items = re.split(r"^- ", rest, flags=re.MULTILINE)
    return Section(title, _one_line(introduction), tuple(_terms(items)))


def _terms(items: list[str]) -> Iterator[Term]:
    for item in items:
        matched = _ITEM.fullmatch(_one_line(item))
        if matched is None:
            raise ValueError(f"{GLOSSARY.name} has an empty item.")
        yield Term(matched["name"], matched["text"])


def _one_line(text: str) -> str:
    return " ".join(text.split())
