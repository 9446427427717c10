"""The commands of the runbooks, page by page, as somebody types them: on a warehouse that is well, all succeed.

Each page has a copy of the same warehouse, whose loads, token and export stand for those that a page is about. What is
typed where there is Docker or Kafka is only parsed (`tests/unit/test_ops_runbooks.py`); a page that is followed while
its alert is told is in `test_evening.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.ingest.synthetic import generate
from tests.support.folders import quick_folder
from tests.support.homes import FORKED, Home
from tests.support.prepared import furnish
from tests.support.runbooks import PAGES, run_on, script_of
from tests.support.shell import Shell


@pytest.fixture(scope="module")
def stopped(prepared: Path) -> Iterator[Home]:
    """A home with two loads, the first token, and an export; its server does not run."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        for name, orders in (("first", 40), ("newest", 60)):
            generate(folder / name, orders, 5, None, 1)
            home.succeed("ingest", folder / name)
        home.succeed("token", "create", "analyst", "--name", "prometheus")
        home.succeed("export", folder / "export")
        home.server.stop()
        yield home
        home.halt()


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if run_on(page)])
def test_the_commands_of_a_page_succeed_on_a_warehouse_that_is_well(name: str, stopped: Home) -> None:
    with quick_folder() as folder:
        home = stopped.save(folder / "home")
        made = stopped.path.parent
        (folder / "backups").mkdir()
        places = {
            "BACKUPS": folder / "backups",
            "EXTRACT": made / "newest",
            "FOLDER": made / "export",
            "LOAD": "newest",
        }
        try:
            code, told = Shell(folder).run(script_of(PAGES[name], places))
        finally:
            home.halt()
    assert code == 0, "\n".join(told)
