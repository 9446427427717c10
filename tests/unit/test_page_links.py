"""Every link of a page leads to a file that is there, and to a heading of it; the list of pages has each page once."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for folder in (ROOT, *(ROOT / name for name in ("docs", "consumer", "dagster", "contracts", "tests")))
    for page in sorted(folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)


def links_of(page: Path) -> list[str]:
    """Where the links of a page lead within the repository."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [link for link in LINK.findall(text) if not link.startswith(("http://", "https://", "mailto:"))]


def anchors_of(page: Path) -> set[str]:
    """The headings of a page as links write them, and the anchors set by hand."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = (LINK.sub("", heading).lower() for heading in re.findall(r"^#+ (.*)$", text, re.M))
    return {re.sub(r"[^\w -]", "", heading).strip().replace(" ", "-") for heading in headings} | set(
        re.findall(r'<a (?:id|name)="([^"]+)"', text)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    astray = []
    for link in links_of(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target)):
            astray.append(link)
    assert astray == []


def test_the_list_of_pages_has_each_page_once() -> None:
    listed = re.findall(r"^\| \[.*?\]\((.*?)\)", (ROOT / "docs/README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(name for name in listed if "/" not in name) == sorted(
        page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md"
    )
