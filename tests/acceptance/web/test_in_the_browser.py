"""The pages in a real browser: at a desk, in the dark and on a phone; and every link of every page.

Pictures are left in the folder that REPLAYHOUSE_SCREENSHOTS names.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import FORMS, Seen, Visitor, a_browser, examine, serving
from tests.support.in_process import Warehouse

NOTHING_SEEN = Seen([], [], [], [])

PAGES = {
    "question": "/questions/22",
}


@pytest.fixture(scope="module")
def visitor(loaded: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    with serving(loaded.database, tmp_path_factory.mktemp("home")) as site, a_browser() as browser:
        yield Visitor(browser, site)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("REPLAYHOUSE_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("form", FORMS)
def test_a_page_stays_at_home_keeps_its_policy_keeps_nobody_out_and_fits(
    visitor: Visitor, pictures: Path, name: str, form: str
) -> None:
    assert visitor.look(PAGES[name], form, pictures / f"{name}-{form}.png") == NOTHING_SEEN


def test_a_page_that_is_not_there_is_a_page_too(visitor: Visitor, pictures: Path) -> None:
    seen = visitor.look("/nowhere", "desk", pictures / "nowhere.png")
    (complaint,) = seen.complaints
    assert "404" in complaint
    assert (seen.outside, seen.barriers, seen.overflowing) == ([], [], [])


WRONG = """
    <img src="https://example.org/p.png">
    <p id="grey" style="margin: 0">Grey upon grey, which few can read.</p>
    <p id="wide">A line that is wider than the window</p>
"""
MAKE_WRONG = """html => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("#grey {color: #999; background: #aaa} #wide {width: 50rem}");
    document.adoptedStyleSheets = [sheet];
    document.querySelector("main").insertAdjacentHTML("beforeend", html);
}"""


def test_what_is_looked_for_would_be_found(visitor: Visitor) -> None:
    """Something of each kind is put into a page."""
    with visitor.visiting("/questions/22", "phone") as (page, seen):
        page.evaluate(MAKE_WRONG, WRONG)
        examine(page, seen)
        with page.expect_event("requestfailed", lambda request: request.url.endswith("elsewhere")):
            page.evaluate("location.href = 'https://example.org/elsewhere'")
    assert seen.outside == ["https://example.org/elsewhere"]
    assert "img-src" in str(seen.complaints)
    assert "style-src" in str(seen.complaints)
    assert {barrier.partition(":")[0] for barrier in seen.barriers} >= {"image-alt", "color-contrast"}
    assert any('id="wide"' in element for element in seen.overflowing)
