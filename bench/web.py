"""Pages in the browser: how long kept ones take while the log is followed, how much they weigh, and what serving needs.

Pages are asked for at a steady rate, each at its time whether or not the ones before have come: what a page waits for
another counts. The baseline is a small file of the same server, asked for in the same run in the same way.
"""

import gzip
import http.client
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # it ships no type information

from bench.memory import MEGABYTE
from bench.report import Report, Row
from bench.timing import NotMeasured, timed
from bench.warehouse import Warehouse

A_SECOND = 20
SECONDS = 30
OPENINGS = 5
FILE = "/static/licences/echarts-NOTICE.txt"
CHANGES = "/changes"
PAGES = ("/", "/questions", CHANGES, "/quality", "/log", *(f"/questions/{number}" for number in range(1, 21)))

KEPT_S = 0.1
FIRST_PAINT_S = 1.5
HEAVIEST, HEAVIEST_PACKED = 900_000, 300_000
MOST_MEMORY = 200 * MEGABYTE

_PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
    const [painted] = list.getEntriesByName("first-contentful-paint");
    if (painted) done(painted.startTime);
}).observe({ type: "paint", buffered: true }))"""
_LONGEST_S = 120.0


class Answer(NamedTuple):
    """A page, and the seconds from when it was to be asked for until it was there."""

    path: str
    waited: float


@dataclass(frozen=True)
class Waits:
    """Seconds from when a page was to be asked for until it was there, sorted."""

    seconds: Sequence[float]

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Waits":
        """These, sorted."""
        return cls(sorted(seconds))

    def percentile(self, share: float) -> float:
        """What so large a share of them stays below."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]

    def __str__(self) -> str:
        return f"{self.percentile(0.95) * 1000:.0f} ms (median {self.percentile(0.5) * 1000:.0f} ms)"


def measure(warehouse: Warehouse, report: Report) -> None:
    """Adds the rows about pages, on a warehouse that is caught up with the log."""
    status = timed(lambda: warehouse.run("status"))
    with _served(warehouse) as (server, site, start):
        for page in PAGES:
            _get(site, page)  # from now on its answers are kept
        with warehouse.background("project", "--follow"):
            pages, files = _asked(site, PAGES), _asked(site, (FILE,))
        report.rows += [
            _of_pages(pages, files),
            _of_changes(pages, files),
            _of_weight(site),
            _of_memory(server),
            _of_first_paint(site),
            _of_start(start, status),
        ]
    report.notes.append(
        f"Pages: the load average was {os.getloadavg()[0]:.1f} when they had been measured, on {os.cpu_count()} cores."
    )


def _of_pages(pages: Sequence[Answer], files: Sequence[Answer]) -> Row:
    ours, theirs = Waits.of(one.waited for one in pages), Waits.of(one.waited for one in files)
    return Row(
        f"kept pages, {A_SECOND} a second beside `project --follow`, 95th percentile",
        str(ours),
        f"a file of the same server: {theirs}",
        f"{ours.percentile(0.95) / theirs.percentile(0.95):.1f} times its time",
        f"below {KEPT_S * 1000:.0f} ms",
        ours.percentile(0.95) < KEPT_S,
    )


def _of_changes(pages: Sequence[Answer], files: Sequence[Answer]) -> Row:
    ours = Waits.of(one.waited for one in pages if one.path == CHANGES)
    theirs = Waits.of(one.waited for one in files)
    return Row(
        f"of these `{CHANGES}`, which tells what the load of the whole log brought",
        str(ours),
        f"a file of the same server: {theirs}",
        f"{ours.percentile(0.95) / theirs.percentile(0.95):.1f} times its time",
        f"below {KEPT_S * 1000:.0f} ms",
        ours.percentile(0.95) < KEPT_S,
    )


def _of_weight(site: str) -> Row:
    raw, packed = _weight(site, "/")
    return Row(
        "weight of the overview with all that it loads, as it is sent",
        f"{packed / 1000:,.0f} kB",
        f"not compressed: {raw / 1000:,.0f} kB",
        f"{packed / raw:.2f} of its size",
        f"below {HEAVIEST_PACKED / 1000:.0f} kB, and {HEAVIEST / 1000:.0f} kB",
        packed < HEAVIEST_PACKED and raw < HEAVIEST,
    )


def _of_memory(server: psutil.Process) -> Row:
    resident = server.memory_info().rss
    return Row(
        "memory of `serve` after that, resident",
        f"{resident / MEGABYTE:,.0f} MB",
        "",
        "",
        f"below {MOST_MEMORY / MEGABYTE:.0f} MB",
        resident < MOST_MEMORY,
    )


def _of_first_paint(site: str) -> Row:
    overview, file = _first_paint(site, "/"), _first_paint(site, FILE)
    return Row(
        "first paint of the overview, in a browser that has nothing of it",
        f"{overview:.2f} s",
        f"a text of the same server: {file:.2f} s",
        f"{overview / file:.1f} times its time",
        f"below {FIRST_PAINT_S} s",
        overview < FIRST_PAINT_S,
    )


def _of_start(start: float, status: float) -> Row:
    return Row(
        "start of `serve`, until it answers",
        f"{start:.2f} s",
        f"`replayhouse status`: {status:.2f} s",
        f"{start / status:.1f} times its time",
        "",
        None,
    )


@contextmanager
def _served(warehouse: Warehouse) -> Iterator[tuple[psutil.Process, str, float]]:
    """The process of `serve`, where it serves, and after how many seconds it answered."""
    command = warehouse.command("serve", "--port", "0")
    begun = time.perf_counter()
    with subprocess.Popen(command, env=warehouse.environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            if not told.startswith("Serving "):
                raise NotMeasured("replayhouse serve does not serve")
            site = told.split()[1].rstrip("/")
            _get(site, "/healthz")
            yield psutil.Process(process.pid), site, time.perf_counter() - begun
        finally:
            process.terminate()


def _asked(site: str, pages: Sequence[str]) -> list[Answer]:
    """Asks for pages in turn, so many a second."""
    begun = time.perf_counter()

    def ask(number: int) -> Answer:
        due = begun + number / A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        page = pages[number % len(pages)]
        _get(site, page)
        return Answer(page, time.perf_counter() - due)

    with ThreadPoolExecutor(A_SECOND) as pool:
        return list(pool.map(ask, range(A_SECOND * SECONDS)))


def _get(site: str, path: str) -> bytes:
    """A page, as a browser gets it: compressed where the server does that."""
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=_LONGEST_S)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise NotMeasured(f"{path} was answered with {answer.status}")
        return data
    finally:
        connection.close()


def _weight(site: str, page: str) -> tuple[int, int]:
    """Bytes of a page and the files that it and its styles name: as they are, and as they are sent."""
    sent = {page: _get(site, page)}
    text = _unpacked(sent[page]).decode()
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    styles = [path for path in named if ".css" in path]
    for style in styles:
        named += re.findall(r'url\("?([^")]+)"?\)', _unpacked(_get(site, style)).decode())
    for path in named:
        whole = path if path.startswith("/") else f"/static/{path}"
        sent.setdefault(whole, _get(site, whole))
    return sum(len(_unpacked(data)) for data in sent.values()), sum(map(len, sent.values()))


def _unpacked(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _first_paint(site: str, page: str) -> float:
    """Seconds until something is painted, the median of some openings."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        raise NotMeasured("there is no chromium on the path")
    painted: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for _ in range(OPENINGS):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            opened = context.new_page()
            opened.goto(site + page)
            painted.append(opened.evaluate(_PAINTED))
            context.close()
        browser.close()
    return median(painted) / 1000
