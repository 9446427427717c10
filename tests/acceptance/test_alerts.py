"""The alerts as Prometheus takes them: Debian's own tool reads the rules and plays their tests."""

from pathlib import Path

from tests.support.prometheus import promtool

FOLDER = Path(__file__).parents[2] / "ops/prometheus"


def test_the_rules_are_what_prometheus_takes() -> None:
    promtool("check", "rules", str(FOLDER / "alerts.yml"))


def test_each_rule_calls_somebody_when_it_must_and_only_then() -> None:
    promtool("test", "rules", str(FOLDER / "alerts_test.yml"))
