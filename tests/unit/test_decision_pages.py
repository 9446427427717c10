"""Each page of docs/decisions says whether it still holds and since when, and the index of them says the same."""

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs/decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")

HEAD = re.compile(
    r"# (?P<title>\S.*)\n\nStatus: (?P<status>accepted|superseded by \d{4}) · (?P<date>\d{4}-\d\d-\d\d)\n\n"
)
NAME = re.compile(r"(?P<number>\d{4})-[a-z0-9-]+\.md")


def head_of(path: Path) -> re.Match[str]:
    """Title, status and date of a page."""
    head = HEAD.match(path.read_text(encoding="utf-8"))
    assert head, f"{path.name} begins with its title, an empty line, `Status: accepted · YYYY-MM-DD`, an empty line"
    return head


def test_each_page_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in PAGES]
    assert [path.name for path in PAGES if not NAME.fullmatch(path.name)] == []
    assert len(numbers) > 20
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name[:4])
def test_a_page_tells_its_status_and_its_date(path: Path) -> None:
    head = head_of(path)
    assert date.fromisoformat(head["date"]) >= date(2026, 11, 24), "the first page is of that day"
    by = head["status"].removeprefix("superseded by ")
    assert by == "accepted" or any(page.name.startswith(f"{by}-") for page in PAGES if page != path)


def test_the_index_has_one_line_for_each_page_with_its_status_and_date() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| \S.* \| (.*) \| (.*) \|$", index, re.MULTILINE)
    heads = {path: head_of(path) for path in PAGES}
    assert rows == [(path.name[:4], path.name, head["status"], head["date"]) for path, head in heads.items()]
