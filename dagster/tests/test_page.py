"""What docs/dagster.md shows, as it stands: from nothing to a warehouse that loads what arrives, and how that looks.

The picture is left in the folder that REPLAYHOUSE_SCREENSHOTS names: `make pictures-dagster` makes that of the page so.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from dagster import AssetKey, DagsterInstance
from pages import PAGE, PAGE_OF_THE_ADAPTER, commands_of, files_of
from playwright.sync_api import Page, Route, expect, sync_playwright
from waiting import LONGEST_S, wait_until
from warehouses import Program

LAST = "dagster dev -f definitions.py"
EXTRACT = "2018-03"
MOST_BYTES = 300_000
EXPANDED = "global@global:replayhouse,global@global:sales"
"""The groups of which each asset is drawn; of others, only that there are some."""

ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")


class Running(NamedTuple):
    """The Dagster of the page."""

    folder: Path
    address: str
    instance: DagsterInstance
    process: "subprocess.Popen[bytes]"


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def running(program: Program, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """All commands of the page, the last of which goes on."""
    folder = tmp_path_factory.mktemp("page")
    files = files_of(PAGE)
    (folder / "dagster").mkdir()
    (folder / "dagster/dagster.yaml").write_text(files["dagster.yaml"], encoding="utf-8")
    (folder / "definitions.py").write_text(files["definitions.py"], encoding="utf-8")
    (folder / "warehouse").mkdir()
    subprocess.run(["cp", "-a", prepared / "postgres", folder / "warehouse/postgres"], check=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(program.path.parent), os.environ["PATH"]]),
        "PWD": str(folder),
        "DAGSTER_HOME": str(folder / "dagster"),
    }
    *first, last = commands_of(PAGE)
    assert last == LAST
    for command in first:
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout.decode()}{done.stderr.decode()}"
    with a_dagster(folder, environment) as found:
        yield found
    program.run(folder / "warehouse", "db", "stop")


@contextmanager
def a_dagster(folder: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    """The last command of the page, on a port that is free; it is ended as by Ctrl-C."""
    port = a_free_port()
    with (folder / "said").open("wb") as said, DagsterInstance.from_config(str(folder / "dagster")) as instance:
        process = subprocess.Popen(
            [*LAST.split(), "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(address), process)
            yield Running(folder, address, instance, process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(LONGEST_S)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info") as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def is_shown(instance: DagsterInstance, table: str) -> bool:
    return instance.get_latest_materialization_event(AssetKey(["quality", table])) is not None


def test_what_arrives_is_loaded_by_the_sensor_and_its_tables_follow(running: Running, program: Program) -> None:
    wait_until(lambda: is_shown(running.instance, "quarantine"), running.process)
    assert running.instance.get_materialized_partitions(AssetKey("log")) == {EXTRACT}
    assert f'"name": "{EXTRACT}", "status": "completed"' in program.succeed(
        running.folder / "warehouse", "batches", "--json"
    )


def test_nobody_is_called_from_the_page_of_the_assets_whose_picture_is_light_enough(
    running: Running, tmp_path: Path
) -> None:
    """Only the machine itself is asked, by the page; and it shows the log with what follows from it."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "The page is looked at in chromium, which is not on the path: apt-get install chromium"
    wait_until(lambda: is_shown(running.instance, "quarantine"), running.process)
    picture = Path(os.environ.get("REPLAYHOUSE_SCREENSHOTS", tmp_path)) / "dagster.png"
    outside: list[str] = []

    def pass_on(route: Route) -> None:
        if route.request.url.startswith(running.address):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, timeout=LONGEST_S * 1000)
        try:
            context = browser.new_context(
                viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
            )
            context.set_default_timeout(LONGEST_S * 1000)
            context.route(re.compile("^https?:"), pass_on)
            page = context.new_page()
            page.goto(f"{running.address}/asset-groups?expanded={EXPANDED}")
            look(page)
            page.screenshot(path=picture)
        finally:
            browser.close()
    assert outside == []
    assert picture.stat().st_size < MOST_BYTES


def look(page: Page) -> None:
    """Waits for the graph, with the log and what it has of the load; nothing stands before it."""
    for text in ("fact_order", "log", re.compile(r"\d+ / 62 Passed"), re.compile("1 partition")):
        shown = page.get_by_text(text, exact=True) if isinstance(text, str) else page.get_by_text(text)
        expect(shown.first).to_be_visible(timeout=LONGEST_S * 1000)
    expect(page.get_by_text("fetching statuses")).to_have_count(0, timeout=LONGEST_S * 1000)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_lines_are_the_same_on_both_pages() -> None:
    name = "definitions.py"
    assert files_of(PAGE)[name] == files_of(PAGE_OF_THE_ADAPTER)[name]
