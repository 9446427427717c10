"""What runs at GitHub: actions by their commits, the least of rights, and targets of make that there are."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").iterdir())
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

ACTION = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
COMMENT = re.compile(r"# v\d+\.\d+\.\d+$")
WHO_SIGNS = {"attest", "publish"}
"""The jobs that get a token in the name of the workflow. They run nothing but actions."""


def loaded(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from loaded(path)["jobs"].items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for _, job in jobs(path):
        yield from job["steps"]


def test_there_are_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["checks.yml", "release.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_named_by_its_commit_with_the_version_beside_it(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"\s*(?:- )?uses:", line)]
    assert len(lines) == sum("uses" in step for step in steps(path))
    assert [line for line in lines if not ACTION.fullmatch(line.split("uses:")[1].split()[0])] == []
    assert [line for line in lines if not COMMENT.search(line)] == []


def test_an_action_has_one_commit_wherever_it_is_used() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}
    assert len({one.partition("@")[0] for one in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_has_the_rights_that_it_names_and_leaves_no_password_behind(path: Path) -> None:
    assert loaded(path)["permissions"] == {}
    for name, job in jobs(path):
        assert job["timeout-minutes"] > 0
        rights = dict(job["permissions"])
        assert rights.pop("contents", "read") == ("write" if name == "page" else "read")
        assert set(rights) == ({"id-token", "attestations"} if name == "attest" else {"id-token"} & set(rights))
        assert ("id-token" in rights) == (name in WHO_SIGNS)
        if name in WHO_SIGNS:
            assert [step for step in job["steps"] if "run" in step] == []
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", ""), "what others may write is read from the environment"


def test_what_runs_is_a_target_of_make_that_there_is() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    called = [
        word for path in WORKFLOWS for step in steps(path) for word in re.findall(r"make ([\w-]+)", step.get("run", ""))
    ]
    assert set(called) <= targets
    assert {"check", "test", "test-server", "test-engines", "audit", "dist", "workflows"} <= set(called)


def test_the_tests_for_another_server_need_nothing_but_that_server() -> None:
    """Not the embedded one, and no broker."""
    done = subprocess.run(["make", "-n", "test-server"], cwd=ROOT, check=True, capture_output=True, text=True)
    asked = set(re.findall(r"tests/\w+/(test_\w+)\.py", done.stdout))
    assert {"test_projection", "test_rebuild", "test_marts", "test_load_log_contract"} <= asked
    assert [name for name in asked if re.search(r"kafka|relay|consumer|event_store_server|reader_only", name)] == []


def test_every_supported_python_and_server_is_tested() -> None:
    checks = dict(jobs(FOLDER / "workflows" / "checks.yml"))
    assert checks["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert checks["server"]["strategy"]["matrix"]["postgres"] == ["16", "17", "18"]


def test_newer_versions_are_not_proposed_before_they_are_a_week_old() -> None:
    updates = loaded(FOLDER / "dependabot.yml")["updates"]
    assert {one["package-ecosystem"] for one in updates} == {"github-actions", "pip", "docker-compose", "docker"}
    assert [one for one in updates if one["cooldown"]["default-days"] < 7] == []


@pytest.mark.parametrize("path", sorted((FOLDER / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name)
def test_a_form_asks_for_what_it_names(path: Path) -> None:
    form = loaded(path)
    if path.name == "config.yml":
        assert form == {"blank_issues_enabled": False}
        return
    assert {"name", "description", "body"} <= form.keys()
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
