"""Writes Grafana's dashboard from the list of its panels: python ops/grafana/make.py

What a panel shows is an expression of PromQL; `tests/acceptance/test_dashboard.py` holds each against Prometheus.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("dashboards") / "replayhouse.json"

_COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_HOUR = 3600
_GREEN, _AMBER, _RED = "green", "orange", "red"


class Panel(NamedTuple):
    """A panel: what it is called, the unit of its figures as Grafana writes it, and what it asks Prometheus.

    `legend` names a line by its labels; `kind` is Grafana's; `steps` are the colours of its figure, each with that from
    which on it is so, the first from whatever.
    """

    title: str
    unit: str
    expr: str
    legend: str = ""
    kind: str = "timeseries"
    steps: tuple[tuple[str, float | None], ...] = ()


def _good_until(title: str, unit: str, expr: str, amber: float, red: float) -> Panel:
    return Panel(title, unit, expr, "", "stat", ((_GREEN, None), (_AMBER, amber), (_RED, red)))


def _good_from(title: str, unit: str, expr: str, least: float) -> Panel:
    return Panel(title, unit, expr, "", "stat", ((_RED, None), (_GREEN, least)))


ROWS: dict[str, tuple[Panel, ...]] = {
    "Is all well?": (
        _good_until("Alerts", "none", 'count(ALERTS{alertstate="firing"}) or vector(0)', 1, 1),
        _good_from("Program", "none", 'max(up{job=~"replayhouse.*"})', 1),
        _good_from("Database", "none", "max(replayhouse_database_up)", 1),
        _good_from("Score of the newest load", "percentunit", "min(replayhouse_load_quality_score_ratio)", 0.95),
        _good_until(
            "Newest load", "s", "time() - max(replayhouse_last_load_timestamp_seconds)", 30 * _HOUR, 36 * _HOUR
        ),
        _good_until(
            "Log verified", "s", "time() - max(replayhouse_log_verification_timestamp_seconds)", 25 * _HOUR, 26 * _HOUR
        ),
        _good_until(
            "Newest backup", "s", "time() - max(replayhouse_last_backup_timestamp_seconds)", 25 * _HOUR, 26 * _HOUR
        ),
        _good_until("Copies that show an erased person", "none", "max(replayhouse_stale_copies)", 1, 1),
    ),
    "From the log to the tables": (
        Panel(
            "Events appended, by context",
            "eps",
            "max by (context) (rate(replayhouse_events_appended_total[5m]))",
            "{{context}}",
        ),
        Panel("Events in the log", "short", "max(replayhouse_log_position_events)"),
        Panel(
            "Age of what a read model does not show yet",
            "s",
            "max by (context) (replayhouse_projection_lag_seconds)",
            "{{context}}",
        ),
        Panel(
            "Events that a read model does not show yet",
            "short",
            "max by (context) (replayhouse_projection_lag_events)",
            "{{context}}",
        ),
        Panel(
            "Events that are not on Kafka yet", "short", "max by (relay) (replayhouse_relay_lag_events)", "{{relay}}"
        ),
        Panel("Streams that cannot be folded", "short", "max by (context) (replayhouse_parked_streams)", "{{context}}"),
        Panel("Loads that are open", "short", "max(replayhouse_open_loads)"),
        Panel("Score of the newest load, over time", "percentunit", "min(replayhouse_load_quality_score_ratio)"),
    ),
    "Who asks": (
        Panel(
            "Requests, by status",
            "reqps",
            "sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count[5m]))",
            "{{http_response_status_code}}",
        ),
        Panel(
            "95 of 100 requests are answered within, by route",
            "s",
            "histogram_quantile(0.95, sum by (http_route, le) (rate(http_server_request_duration_seconds_bucket[5m])))",
            "{{http_route}}",
        ),
        Panel(
            "95 of 100 answers take at most",
            "s",
            "histogram_quantile(0.95, sum by (le) (rate(replayhouse_question_duration_seconds_bucket[5m])))",
        ),
        Panel(
            "Answers, by where they are from",
            "ops",
            "sum by (source) (rate(replayhouse_answers_total[5m]))",
            "{{source}}",
        ),
        Panel(
            "The slowest questions, 95 of 100 within",
            "s",
            "topk(5, histogram_quantile(0.95, "
            "sum by (question, le) (rate(replayhouse_question_duration_seconds_bucket[15m]))))",
            "{{question}}",
        ),
        Panel(
            "Reads of personal fields in an hour, by role",
            "short",
            "replayhouse:personal_data_reads:last_hour",
            "{{role}}",
        ),
    ),
    "Commands that end": (
        Panel(
            "Since its last end, by command",
            "s",
            "time() - max by (command) (replayhouse_command_last_end_timestamp_seconds)",
            "{{command}}",
        ),
        Panel(
            "Last exit code, by command", "none", "max by (command) (replayhouse_command_last_exit_code)", "{{command}}"
        ),
    ),
}
"""The panels, row by row."""


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": "replayhouse",
        "title": "replayhouse",
        "tags": ["replayhouse"],
        "schemaVersion": 39,
        "editable": False,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": _panels(),
    }


def _panels() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    y = 0
    for title, panels in ROWS.items():
        made.append(
            {"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": _at(0, y, _COLUMNS, 1)}
        )
        y += 1
        width, height = (_COLUMNS // 8, 4) if panels[0].kind == "stat" else (_COLUMNS // 2, 8)
        for number, panel in enumerate(panels):
            row, column = divmod(number * width, _COLUMNS)
            made.append({"id": len(made) + 1, **_shown(panel), "gridPos": _at(column, y + row * height, width, height)})
        y += height * -(-len(panels) * width // _COLUMNS)
    return made


def _shown(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.steps:
        steps = [{"color": color, "value": value} for color, value in panel.steps]
        field["thresholds"] = {"mode": "absolute", "steps": steps}
    return {
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": field, "overrides": []},
        "targets": [
            {"refId": "A", "datasource": _SOURCE, "expr": panel.expr, "legendFormat": panel.legend or panel.title}
        ],
    }


def _at(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def text() -> str:
    """The file as it must be."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
