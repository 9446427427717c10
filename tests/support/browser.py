"""A real browser that looks at pages: what it asks for, what it complains of, and what keeps people out of a page."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from fastapi import APIRouter
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import unheard
from replayhouse.infra.web.app import create_app
from replayhouse.infra.web.auth.ways import Way
from replayhouse.infra.web.server import configured
from replayhouse.infra.web.warehouses import Warehouses

LONGEST_MS = 120_000
"""A busy machine is slow; a page that hangs fails."""

FORMS: Mapping[str, Mapping[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}
"""How people look at pages."""

_ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")
_AXE = files("axe_playwright_python") / "axe.min.js"
_RULES = {
    "dark": {"type": "rule", "values": ["color-contrast"]},  # all else is as it is in the light
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}
_WATCH = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation",
        e => window.violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
"""
_ALL_DRAWN = "[...document.querySelectorAll('[data-chart]')].every(chart => chart.dataset.drawn)"
_LOOK_CLOSER = """rules => axe.run(document, {runOnly: rules}).then(found => found.violations.flatMap(
    violation => violation.nodes.map(node => `${violation.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`)))"""
_TOO_WIDE = """
    () => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.querySelectorAll("main *, header *, section *, footer *")]
            .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest(".wrap"))
            .map(e => e.outerHTML.slice(0, 120)).slice(0, 5).concat("the page is wider than the window")
"""


class Seen(NamedTuple):
    """What a browser saw of a page."""

    outside: list[str]
    """Addresses of others that the page asked for."""
    complaints: list[str]
    """Of the browser, about scripts, files and the policy of contents."""
    barriers: list[str]
    """What keeps people out, as axe finds it."""
    overflowing: list[str]
    """What makes the page wider than the window."""


class Visitor:
    """A browser, and a site that it visits; it reaches nothing else."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.site = site
        self._browser = browser

    @contextmanager
    def visiting(self, path: str, form: str = "desk", **options: Any) -> Iterator[tuple[Page, Seen]]:
        """A page, loaded and with its charts drawn, and what is seen of it as it goes on."""
        seen = Seen([], [], [], [])

        def pass_on(route: Route) -> None:
            if route.request.url.startswith(self.site):
                route.continue_()
            else:
                seen.outside.append(route.request.url)
                route.abort()

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                seen.complaints.append(message.text)

        context = self._browser.new_context(reduced_motion="reduce", **FORMS[form], **options)
        try:
            context.set_default_timeout(LONGEST_MS)
            context.route("**/*", pass_on)
            context.add_init_script(_WATCH)
            page = context.new_page()
            page.on("console", note)
            page.on("pageerror", lambda error: seen.complaints.append(str(error)))
            page.goto(self.site + path)
            if options.get("java_script_enabled", True):
                page.wait_for_function(_ALL_DRAWN)
            yield page, seen
        finally:
            context.close()

    def look(self, path: str, form: str, picture: Path | None = None) -> Seen:
        """All that is seen of a page; a picture of it is left where that is to be."""
        with self.visiting(path, form) as (page, seen):
            if picture is not None:
                page.screenshot(path=picture, full_page=True)
            examine(page, seen, FORMS[form]["color_scheme"])
            return seen


def examine(page: Page, seen: Seen, scheme: str = "light") -> None:
    """Adds what there is to be seen of a page as it stands now, in the dark or in the light."""
    seen.overflowing.extend(page.evaluate(_TOO_WIDE))
    seen.complaints.extend(page.evaluate("window.violations"))
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    seen.barriers.extend(page.evaluate(_LOOK_CLOSER, _RULES[scheme]))


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Chromium, as it is installed. AssertionError where it is not."""
    program = shutil.which("chromium")
    assert program is not None, (
        "The pages are looked at in chromium, which is not on the path: apt-get install chromium"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS, timeout=LONGEST_MS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serving(
    database: Database,
    home: Path,
    further: APIRouter | None = None,
    way: Callable[[Warehouses], Way] | None = None,
) -> Iterator[str]:
    """The site of a database by HTTP, as `serve` serves it, in a thread; its address, without a slash at the end.

    It may have further views; `way` makes what finds out who asks.
    """
    warehouses = Warehouses(Settings(home=home, database_url=database.url, workers=1), unheard)
    app = create_app(warehouses, way=None if way is None else way(warehouses))
    app.include_router(further or APIRouter())
    server = uvicorn.Server(configured(app))
    with socket.create_server(("127.0.0.1", 0)) as listener, closing(app.state.jobs):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
