"""Alerts, dashboard and pages as Prometheus takes them, by Debian's own tool and in a server that asks the program."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from replayhouse.infra.telemetry.metrics import METRICS, Kind
from replayhouse.ingest.synthetic import generate
from tests.support.folders import quick_folder
from tests.support.homes import FORKED, Home, wait_until
from tests.support.prepared import furnish
from tests.support.prometheus import OPS, Prometheus, of_the_dashboard, promtool, watching
from tests.support.runbooks import PAGES, expressions_on
from tests.support.served import served

EXPRESSIONS = [*of_the_dashboard(), *(expression for page in PAGES.values() for expression in expressions_on(page))]


def test_the_rules_are_what_prometheus_takes() -> None:
    promtool("check", "rules", OPS / "alerts.yml")


def test_the_settings_are_what_prometheus_takes() -> None:
    promtool("check", "config", "--syntax-only", OPS / "prometheus.yml")


def test_each_rule_calls_somebody_when_it_must_and_only_then() -> None:
    promtool("test", "rules", OPS / "alerts_test.yml")


def test_what_the_dashboard_shows_and_pages_ask_are_expressions(tmp_path: Path) -> None:
    rules = [{"record": f"shown:{number}", "expr": expression} for number, expression in enumerate(EXPRESSIONS)]
    file = tmp_path / "shown.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))
    promtool("check", "rules", file)


@pytest.fixture(scope="module")
def prometheus(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that asks the server of a warehouse with one load, with a token."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        generate(folder / "extract", 60, 5, None, 1)
        home.warehouse().json("ingest", folder / "extract")
        home.warehouse().json("audit", "verify")
        told = home.succeed("token", "create", "analyst", "--name", "prometheus", "--json").result()
        with (
            served(home, "--auth", "token") as (_, address),
            watching(
                tmp_path_factory.mktemp("prometheus"), {"replayhouse": address}, token=told.document["secret"]
            ) as prometheus,
        ):
            wait_until(lambda: bool(prometheus.query("replayhouse_build_info")))
            yield prometheus
        home.halt()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_prometheus_answers_what_the_dashboard_and_pages_ask(expression: str, prometheus: Prometheus) -> None:
    prometheus.query(expression)


def test_rules_are_read_and_evaluated_without_a_fault(prometheus: Prometheus) -> None:
    def told() -> list[dict[str, str]]:
        return [rule for group in prometheus.asked("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: {rule["health"] for rule in told()} == {"ok"})
    assert [rule["lastError"] for rule in told() if rule.get("lastError")] == []


def test_what_prometheus_has_of_the_program_is_of_the_kinds_that_it_says(prometheus: Prometheus) -> None:
    kinds = {metric.name: str(metric.kind) for metric in METRICS}
    scraped = prometheus.asked("metadata")
    told = {name: one[0]["type"] for name, one in scraped.items() if name in kinds}
    assert told
    assert told == {name: kinds[name] for name in told}
    assert {metric.name for metric in METRICS if metric.kind is Kind.GAUGE} & told.keys()


def test_a_warehouse_that_is_well_calls_nobody_but_for_its_backup(prometheus: Prometheus) -> None:
    wait_until(lambda: "BackupTooOld" in prometheus.firing())
    assert prometheus.firing() == {"BackupTooOld"}
