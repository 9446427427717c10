"""The list of metrics: names by the conventions of Prometheus, and the page that shows them."""

import re
import sys
from pathlib import Path

import pytest

from replayhouse.infra.cli.main import run
from replayhouse.infra.telemetry.metrics import METRICS, Kind, Metric, Reading
from replayhouse.infra.telemetry.metrics_text import text_of

PAGE = Path(__file__).parents[2] / "docs/metrics.md"


def test_the_page_shows_the_list() -> None:
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels) or '-'} | {one.meaning} |"
        for one in METRICS
    ]
    shown = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `\w+` \| (gauge|counter|histogram) \|", line)
    ]
    assert shown == rows, "\n".join(rows)


@pytest.mark.parametrize("metric", METRICS, ids=[metric.name for metric in METRICS])
def test_a_name_says_what_it_counts_in(metric: Metric) -> None:
    assert re.fullmatch(r"(replayhouse|http_server)(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert "timestamp" not in metric.name or metric.name.endswith("_timestamp_seconds")
    assert len(metric.labels) == len(set(metric.labels))
    assert metric.meaning.endswith(".")


def test_modules_that_an_interrupt_has_cut_off_change_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("REPLAYHOUSE_METRICS_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "replayhouse.infra.application.tell_prometheus", None)  # its import fails
    assert run(["generate", str(tmp_path / "made"), "--orders", "5"]) == 0
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == (
        f"Prometheus is told nothing of this command: the files in {tmp_path} failed with ModuleNotFoundError."
    )


def test_no_two_have_a_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_what_stands_in_a_label_stays_in_it() -> None:
    lag = next(metric for metric in METRICS if metric.name == "replayhouse_relay_lag_events")
    text = text_of([Reading(lag, ('a"b\\c\nd',), 1)]).decode()
    assert text.splitlines()[-1] == r'replayhouse_relay_lag_events{relay="a\"b\\c\nd"} 1.0'


def test_readings_of_a_metric_stand_together_whatever_their_order() -> None:
    first, second = METRICS[0], METRICS[1]
    readings = [Reading(second, (), 1), Reading(first, ("a", "b"), 1), Reading(first, ("c", "d"), 2)]
    names = [line.split("{")[0].split()[0] for line in text_of(readings).decode().splitlines() if line[0] != "#"]
    assert names == [first.name, first.name, second.name]
