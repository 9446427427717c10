"""The rules of `ops/prometheus`: what they ask for is there, each has its tests and its page.

Prometheus' own tool plays the tests: `tests/acceptance/test_alerts.py`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from replayhouse.infra.cli.loads import GOAL
from replayhouse.infra.telemetry.metrics import METRICS
from tests.support.prometheus import names_in, of_the_dashboard
from tests.support.runbooks import PAGES, expressions_on, page_of

ROOT = Path(__file__).parents[2]
RULES, TESTS = ROOT / "ops/prometheus/alerts.yml", ROOT / "ops/prometheus/alerts_test.yml"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def asked() -> Iterator[tuple[str, bool]]:
    """Each alert that a test of rules asks for, and whether it expects it."""
    for test in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]:
        for case in test["alert_rule_test"]:
            yield case["alertname"], bool(case.get("exp_alerts"))


def test_quality_is_told_below_the_goal_of_the_program() -> None:
    (rule,) = [alert for alert in alerts() if alert["alert"] == "QualityBelowGoal"]
    limit = re.fullmatch(r"min by \(job\) \(replayhouse_load_quality_score_ratio\) <= (\S+)", rule["expr"])
    assert limit is not None
    assert float(limit[1]) * 100 == GOAL


def test_each_alert_is_seen_to_fire_and_not_to_fire() -> None:
    told = set(asked())
    assert {(alert["alert"], fires) for alert in alerts() for fires in (True, False)} == told


def test_each_alert_says_how_urgent_it_is_what_happened_and_where_to_read_on() -> None:
    for alert in alerts():
        assert alert["labels"].keys() == {"severity"}, alert
        assert alert["labels"]["severity"] in {"critical", "warning"}, alert
        assert alert["annotations"].keys() == {"summary", "runbook"}, alert
        assert alert["annotations"]["runbook"] == f"docs/runbooks/{page_of(alert['alert'])}", alert


def test_rules_pages_and_the_dashboard_ask_for_nothing_that_the_program_does_not_give() -> None:
    asked_for = [rule["expr"] for rule in rules()] + of_the_dashboard()
    asked_for += [expression for page in PAGES.values() for expression in expressions_on(page)]
    wanted = {name for expression in asked_for for name in names_in(expression)}
    given = {metric.name for metric in METRICS} | {rule["record"] for rule in rules() if "record" in rule}
    assert wanted - given == set()
