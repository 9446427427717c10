"""The pages in a real browser: at a desk, in the dark and on a phone; and every link of every page.

Pictures are left in the folder that REPLAYHOUSE_SCREENSHOTS names. `make pictures` makes those of README so.
"""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from playwright.sync_api import Page

from replayhouse.projections.questions import questions
from tests.support.browser import FORMS, Seen, Visitor, a_browser, examine, serving
from tests.support.crawling import crawl
from tests.support.in_process import Warehouse

NOTHING_SEEN = Seen([], [], [], [])

A_KIND_OF_CHART = {question.chart["kind"].replace(" ", "-"): question.number for question in reversed(questions())}
PAGES = {
    "overview": "/",
    "past": "/?at={march}",
    "questions": "/questions",
    **{f"question-{kind}": f"/questions/{number}" for kind, number in A_KIND_OF_CHART.items()},
    "question-past": "/questions/22?at={march}",
    "rows": "{rows}",
    "order": "/orders/{order}",
    "order-past": "/orders/{order}?at={march}",
    "customer": "/customers/{customer}",
    "seller": "/sellers/{seller}",
    "product": "/products/{product}",
    "review": "/reviews/{review}",
    "shipment": "/shipments/{order}",
    "load": "/loads/{load}",
    "changes": "/changes",
    "quality": "/quality",
    "quality-load": "/quality/{load}",
    "log": "/log",
    "event": "/log/{march}",
    "terms": "/terms",
    "moments": "/moments",
    "find": "/find?q=late",
}
AN_ID = {
    "order": "SELECT order_id FROM fulfillment.fact_delivery ORDER BY 1 LIMIT 1",
    "customer": "SELECT customer_id FROM customer.dim_customer ORDER BY orders DESC, 1 LIMIT 1",
    "seller": "SELECT seller_id FROM sales.fact_order_item ORDER BY 1 LIMIT 1",
    "product": "SELECT product_id FROM sales.fact_order_item ORDER BY 1 LIMIT 1",
    "review": "SELECT review_id FROM customer.fact_review ORDER BY 1 LIMIT 1",
    "load": "SELECT batch_id FROM event_store.batch ORDER BY 1 LIMIT 1",
}
MARCH = """
    SELECT min(notification_id) FROM event_store.quality_events WHERE starts_with(topic, 'quality.BatchCompleted.')
"""


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


@pytest.fixture(scope="module")
def places(loaded: Warehouse, client: TestClient) -> dict[str, str]:
    """Where each page is."""
    keys = {name: loaded.rows(query)[0][0] for name, query in {**AN_ID, "march": MARCH}.items()}
    words = {name: key.hex if isinstance(key, UUID) else str(key) for name, key in keys.items()}
    followed = re.findall(r'href="(/questions/22/rows[^"]+column=late)"[^>]*>[1-9]', client.get("/questions/22").text)
    words["rows"] = html.unescape(followed[0])
    return {name: path.format(**words) for name, path in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("form", FORMS)
def test_a_page_stays_at_home_keeps_its_policy_keeps_nobody_out_and_fits(
    visitor: Visitor, places: dict[str, str], pictures: Path, name: str, form: str
) -> None:
    assert visitor.look(places[name], form, pictures / f"{name}-{form}.png") == NOTHING_SEEN


@pytest.mark.parametrize(("form", "name"), [("desk", "overview.png"), ("dark", "overview-dark.png")])
def test_a_picture_for_readme_is_light_enough(visitor: Visitor, pictures: Path, form: str, name: str) -> None:
    """The overview as it is seen without scrolling."""
    with visitor.visiting("/", form) as (page, _):
        page.screenshot(path=pictures / name)
    assert (pictures / name).stat().st_size < 200_000


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


def test_from_the_overview_the_keyboard_alone_leads_to_a_line_of_a_file(visitor: Visitor) -> None:
    """By Tab and Enter: past what stands on every page, to a question, the rows behind a figure, and their lines."""
    with visitor.visiting("/") as (page, _):
        for wanted in (SKIPPING, A_LATE_QUESTION, ROWS, A_THING):
            reach(page, wanted)
            page.keyboard.press("Enter")
            page.wait_for_url(ENDS[wanted])
        assert page.locator(".csv").first.is_visible()


SKIPPING = "a.skip"
A_LATE_QUESTION = "main a[href='/questions/22']"
ROWS = "main td a[href^='/questions/22/rows?'][href$='&column=late']"
A_THING = "main a[href^='/shipments/']"
ENDS = {
    SKIPPING: re.compile(r"/#content$"),
    A_LATE_QUESTION: re.compile(r"/questions/22\b"),
    ROWS: re.compile(r"/questions/22/rows\?"),
    A_THING: re.compile(r"/shipments/"),
}
MOST_TABS = 300


def reach(page: Page, wanted: str) -> None:
    """Presses Tab until the focus is on such an element, of a figure that is not 0; wherever it comes, it is seen."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        is_there, is_seen = page.evaluate(
            """wanted => {
                const here = document.activeElement;
                const leads = here.matches(wanted) && here.textContent.trim() !== "0";
                return [leads, getComputedStyle(here).outlineStyle !== "none"];
            }""",
            wanted,
        )
        assert is_seen, page.evaluate("document.activeElement.outerHTML")
        if is_there:
            return
    raise AssertionError(f"{MOST_TABS} times Tab do not lead to {wanted} on {page.url}")


@pytest.mark.parametrize("name", ["overview", "question-line", "rows", "changes", "event"])
def test_without_scripts_the_figures_are_there_and_the_links(
    visitor: Visitor, places: dict[str, str], name: str
) -> None:
    """A chart has its table beside it."""
    with visitor.visiting(places[name], java_script_enabled=False) as (page, seen):
        assert page.locator("main table, main dl, main .tiles").first.is_visible()
        assert page.locator("main a").first.is_visible()
        for figure in page.locator("figure:has([data-chart])").all():
            assert figure.locator("table").count() or page.locator("main .wrap table").count()
    assert seen.complaints == []


@pytest.mark.parametrize("at", ["", "?at={march}"])
def test_every_link_leads_somewhere(client: TestClient, loaded: Warehouse, at: str) -> None:
    """Of a great many links of the same kind, some are followed. A moment that stands nowhere is offered to be made."""
    [(march,)] = loaded.rows(MARCH)
    seen = list(crawl(client, "/" + at.format(march=march), most_of_a_kind=2))
    astray = [(link, answer.status_code) for link, answer in seen if answer.status_code >= 400 and not offers(answer)]
    assert astray == []
    assert len(seen) > len(PAGES)


def offers(answer: Response) -> bool:
    """Whether a page says that its moment is not made, and offers to make it."""
    return answer.status_code == 409 and 'action="/moments"' in answer.text


def test_on_a_page_of_the_past_every_link_but_those_of_the_bar_stays_in_the_past(
    client: TestClient, loaded: Warehouse
) -> None:
    [(march,)] = loaded.rows(MARCH)
    at = f"at={march}"
    seen = crawl(client, f"/?{at}", most_of_a_kind=1)
    pages = [link for link, _ in seen if at in link.page and not link.chooses and "/moments" not in link.page]
    leaving = [(link.page, link.address) for link in pages if at not in link.address and not elsewhere(link.address)]
    assert pages
    assert leaving == []


def elsewhere(address: str) -> bool:
    """Whether an address is of what no moment changes."""
    return address.startswith("/api/openapi.json")
