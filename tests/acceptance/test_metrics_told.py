"""What the program tells Prometheus, looked at by Prometheus' own tool, whatever the database does."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from replayhouse.ingest.synthetic import generate
from tests.support.folders import quick_folder
from tests.support.homes import FORKED, Home, wait_until
from tests.support.prepared import furnish
from tests.support.prometheus import promtool
from tests.support.served import served

LONGEST_S = 60.0


@pytest.fixture
def home(prepared: Path) -> Iterator[Home]:
    """A home with a load."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        generate(folder / "extract", 60, 5, None, 1)
        home.warehouse().json("ingest", folder / "extract")
        yield home
        home.halt()


def scraped(address: str) -> str:
    with urlopen(f"{address}metrics", timeout=LONGEST_S) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def values(text: str, name: str) -> list[float]:
    return [one.value for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]


def test_promtool_has_nothing_to_complain_of_while_the_database_is_there_or_away(home: Home) -> None:
    home.succeed("audit", "verify")
    home.succeed(
        "audit", "history", "customer", str(home.warehouse().rows("SELECT customer_id FROM sales.fact_order")[0][0])
    )
    with served(home) as (_, address):
        for path in ("questions/22", "api/questions/22", "healthz"):
            with urlopen(f"{address}{path}", timeout=LONGEST_S) as answer:
                assert answer.status == 200
        there = scraped(address)
        promtool("check", "metrics", given=there)
        assert values(there, "replayhouse_database_up") == [1]
        assert values(there, "replayhouse_log_verification_success") == [1]
        assert values(there, "replayhouse_personal_data_reads_total") == [1]
        assert sum(values(there, "replayhouse_question_duration_seconds_count")) >= 1

        home.succeed("db", "stop")
        away = scraped(address)
        promtool("check", "metrics", given=away)
        assert values(away, "replayhouse_database_up") == [0]
        assert values(away, "replayhouse_log_position_events") == []
        assert not home.server.is_running(), "whoever scrapes starts no database"

        home.succeed("db", "start")
        wait_until(lambda: values(scraped(address), "replayhouse_database_up") == [1])
        assert values(scraped(address), "replayhouse_events_appended_total") == values(
            there, "replayhouse_events_appended_total"
        )
