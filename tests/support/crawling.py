"""Goes from page to page of the site by its links, as a reader does who follows all of them."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from fastapi.testclient import TestClient
from httpx2 import Response

_AN_ID = re.compile(r"\b[0-9a-f]{32}\b|\b\d+\b")


class Link(NamedTuple):
    """A link of a page. `chooses`: it stands in the bar of moments, and so may lead to another one."""

    page: str
    address: str
    chooses: bool


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "section":
            self._open.append((tag, "moment" in (given.get("class") or "").split()))
        address = given.get("href") if tag == "a" else None
        if address and not address.startswith("#"):
            self.found.append((address, any(is_bar for _, is_bar in self._open)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._open.pop()


def links_of(page: str, text: str) -> list[Link]:
    """The links of a page, but for those that lead to a place on it."""
    parser = _Links()
    parser.feed(text)
    return [Link(page, address, chooses) for address, chooses in parser.found]


def shape(address: str) -> str:
    """What an address has in common with those of its kind: its path without ids and numbers, and what it asks for."""
    parts = urlsplit(address)
    return f"{_AN_ID.sub('*', parts.path)}?{'&'.join(sorted(parse_qs(parts.query)))}"


def crawl(client: TestClient, start: str, most_of_a_kind: int) -> Iterator[tuple[Link, Response]]:
    """Every link that is found, and how it was answered; of links of the same kind, so many are followed."""
    waiting, known, kinds = [Link("", start, False)], {start}, Counter[str]()
    while waiting:
        link = waiting.pop(0)
        answer = client.get(link.address, follow_redirects=False)
        yield link, answer
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for found in links_of(link.address, answer.text):
            place = found.address.partition("#")[0]
            kind = shape(place)
            if place not in known and kinds[kind] < most_of_a_kind:
                known.add(place)
                kinds[kind] += 1
                waiting.append(found)
