"""Whom alerts call: from what the program tells, over Prometheus and Alertmanager, to those who are called."""

import json
from pathlib import Path
from urllib.request import urlopen

import yaml

from tests.support.homes import wait_until
from tests.support.prometheus import LONGEST_S, OPS, amtool, calling, showing, watching

TELLS = b"""\
replayhouse_database_up 0
replayhouse_log_position_events 7
replayhouse_parked_streams{context="sales"} 1
replayhouse_relay_is_silent{relay="sales"} 1
"""


def test_the_settings_are_what_alertmanager_takes() -> None:
    amtool("check-config", OPS.parent / "alertmanager/alertmanager.yml")


def test_rules_on_what_follows_from_what_name_alerts_that_there_are() -> None:
    settings = yaml.safe_load((OPS.parent / "alertmanager/alertmanager.yml").read_text("utf-8"))
    groups = yaml.safe_load((OPS / "alerts.yml").read_text("utf-8"))["groups"]
    alerts = {rule.get("alert") for group in groups for rule in group["rules"]}
    matchers = [
        matcher for rule in settings["inhibit_rules"] for matcher in rule["source_matchers"] + rule["target_matchers"]
    ]
    named = {name for matcher in matchers for name in matcher.split('"')[1].split("|")}
    assert named
    assert named <= alerts


def suppressed(alertmanager: str) -> set[str]:
    """The alerts of which it calls nobody, for they follow from something worse."""
    with urlopen(f"{alertmanager}/api/v2/alerts", timeout=LONGEST_S) as answer:
        return {one["labels"]["alertname"] for one in json.load(answer) if one["status"]["inhibitedBy"]}


def test_what_is_grave_calls_at_once_the_rest_today_and_what_follows_from_it_nobody(tmp_path: Path) -> None:
    called: dict[str, set[str]] = {"/at-once": set(), "/today": set()}

    def told(path: str, body: bytes) -> None:
        called[path] |= {alert["labels"]["alertname"] for alert in json.loads(body)["alerts"]}

    with (
        showing(lambda: TELLS) as program,
        showing(lambda: b"", told) as sink,
        calling(tmp_path, sink) as alertmanager,
        watching(tmp_path, {"replayhouse": program}, alertmanager=alertmanager) as prometheus,
    ):
        wait_until(lambda: {"DatabaseAway", "StreamParked", "RelaySilent"} <= prometheus.firing())
        wait_until(lambda: "DatabaseAway" in called["/at-once"] and "StreamParked" in called["/today"])
        wait_until(lambda: suppressed(alertmanager) == {"RelaySilent"})

    assert called["/at-once"] - {"ReplayhouseDown"} == {"DatabaseAway"}, "the relay follows from the database"
    assert called["/today"] >= {"StreamParked"}
    assert not called["/today"] & {"DatabaseAway", "RelaySilent"}
