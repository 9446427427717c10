"""The dashboard of Grafana is that of its list, and Grafana finds it and its source where it looks for them."""

import json
import runpy
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "ops/grafana"
FILE = FOLDER / "dashboards/replayhouse.json"
PANELS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))["panels"]


def test_the_dashboard_is_that_of_its_list() -> None:
    """If it is not: make dashboard."""
    assert FILE.read_text("utf-8") == runpy.run_path(str(FOLDER / "make.py"))["text"]()


def test_no_panel_stands_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        places = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert not places & taken, panel["title"]
        taken |= places
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_grafana_finds_the_dashboard_and_its_prometheus() -> None:
    composed = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text("utf-8"))["services"]
    provider, source = (
        yaml.safe_load((FOLDER / "provisioning" / name).read_text("utf-8"))
        for name in ("dashboards/replayhouse.yml", "datasources/prometheus.yml")
    )
    mounted = dict(volume.split(":")[:2] for volume in composed["grafana"]["volumes"])
    assert mounted["./ops/grafana/dashboards"] == provider["providers"][0]["options"]["path"]
    assert mounted["./ops/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert "prometheus" in composed
