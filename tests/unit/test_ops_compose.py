"""`docker-compose.yml` and `Dockerfile`: what can be known of them where no container runs."""

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.runtime.metrics_settings import MetricsSettings
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.web_settings import WebSettings
from tests.support.command_words import parse

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSED = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]
OFFICIAL = Draft7Validator(json.loads((ROOT / "tests/compose/compose-spec.json").read_text("utf-8")))
SETTINGS = {
    f"{settings.model_config['env_prefix']}{name}".upper()
    for settings in (Settings, KafkaSettings, WebSettings, ClickHouseSettings, MetricsSettings)
    for name in settings.model_fields
}
OURS = {name for name, service in SERVICES.items() if "build" in service}


def test_it_is_what_compose_takes() -> None:
    assert [f"{error.json_path}: {error.message}" for error in OFFICIAL.iter_errors(COMPOSED)] == []
    assert list(OFFICIAL.iter_errors(COMPOSED | {"services": {"a": {"image": "b", "prots": []}}})), "a slip is noticed"


def test_its_head_tells_of_every_profile() -> None:
    profiles = {profile for service in SERVICES.values() for profile in service["profiles"]}
    assert set(re.findall(r"^#   ([a-z]+)  +\S", TEXT, re.MULTILINE)) == profiles


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_depends_on_starts_with_it(name: str) -> None:
    for other in SERVICES[name].get("depends_on", {}):
        assert set(SERVICES[name]["profiles"]) <= set(SERVICES[other]["profiles"]), other


@pytest.mark.parametrize("name", SERVICES.keys() - OURS)
def test_an_image_of_others_is_of_one_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+(\.\d+)*", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


def test_passwords_come_from_the_environment_and_none_is_there_by_default() -> None:
    assert all(secret.keys() == {"environment"} for secret in COMPOSED["secrets"].values())
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if value.startswith("/run/secrets/"):
                assert value.rpartition("/")[2] in service["secrets"]
            elif re.search("PASSWORD|SECRET|TOKEN", variable):
                assert re.fullmatch(r"\$\{\w+(:\?[^}]*|:-)\}", value), f"{variable} of {name}"


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_worker_runs_a_command_of_the_program_with_settings_of_the_program(name: str) -> None:
    service = SERVICES[name]
    parse(service["command"])
    assert {word for word in service["environment"] if word.startswith("REPLAYHOUSE_")} <= SETTINGS
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


def test_workers_reach_the_broker_where_it_sends_them() -> None:
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for name in OURS:
        assert f"WORKERS://{SERVICES[name]['environment']['REPLAYHOUSE_KAFKA_BOOTSTRAP']}" in advertised.split(",")


def test_prometheus_asks_services_under_names_that_they_know() -> None:
    jobs = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text("utf-8"))["scrape_configs"]
    targets = {target for job in jobs for one in job["static_configs"] for target in one["targets"]}
    assert {target.partition(":")[0] for target in targets} == {"serve", "node-exporter"}
    command = SERVICES["serve"]["command"]
    assert "serve" in [word for option, word in pairwise(command) if option == "--allowed-host"]
    assert f"serve:{command[command.index('--port') + 1]}" in targets
    (file,) = {job["authorization"]["credentials_file"] for job in jobs if "authorization" in job}
    assert file.removeprefix("/run/secrets/") in SERVICES["prometheus"]["secrets"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.partition(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSED["volumes"], volume


def instructions() -> Iterator[tuple[str, str]]:
    """The instructions of the Dockerfile, each with what follows it."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    for line in text.splitlines():
        if line:
            word, _, rest = line.partition(" ")
            yield word, rest


def test_the_image_is_of_a_python_that_is_tested_and_runs_the_program_as_nobody_special() -> None:
    found = list(instructions())
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tested = yaml.safe_load((ROOT / ".github/workflows/checks.yml").read_text("utf-8"))
    pythons = tested["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert {rest.split()[0] for word, rest in found if word == "FROM"} <= {f"python:{one}-slim" for one in pythons}
    (user,) = [rest for word, rest in found if word == "USER"]
    assert int(user) > 0
    assert any(f"--uid {user} " in rest for word, rest in found if word == "RUN")
    (program,) = [json.loads(rest) for word, rest in found if word == "ENTRYPOINT"]
    assert program[0] in pyproject["project"]["scripts"]
    (home,) = [rest.partition("=")[2] for word, rest in found if word == "ENV" and rest.startswith("REPLAYHOUSE_HOME=")]
    (volumes,) = [rest.split() for word, rest in found if word == "VOLUME"]
    assert {volume for name in OURS for volume in SERVICES[name]["volumes"]} == {
        f"home:{home}",
        f"metrics:{SERVICES['job']['environment']['REPLAYHOUSE_METRICS_DIR']}",
    }
    assert volumes == [volume.partition(":")[2] for volume in SERVICES["job"]["volumes"]]
    assert any(rest.endswith(f"--owner {user} --mode 755 {volumes[1]}") for word, rest in found if word == "RUN")
    assert SERVICES["node-exporter"]["volumes"] == ["metrics:/metrics:ro"]


def test_all_that_is_installed_in_the_image_is_of_the_lock_or_built_there() -> None:
    installs = [
        part for word, rest in instructions() if word == "RUN" for part in rest.split("&&") if "pip install" in part
    ]
    assert len(installs) == 3
    for part in installs:
        assert "--no-deps" in part
        assert "--require-hashes" in part or part.strip().endswith("/wheels/*.whl")


def test_what_the_wheel_is_made_of_is_given_to_docker() -> None:
    given = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    linked = {link.resolve().name for link in (ROOT / "src/replayhouse").iterdir() if link.is_symlink()}
    needed = {"pyproject.toml", "requirements.lock", "src", project["readme"], *project["license-files"], *linked}
    assert given == needed
