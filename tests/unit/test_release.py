"""A release is cut whole or not at all, and what is published is what the changelog, the tag and the projects name."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "release.py"
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- A thing that people notice.

## [0.3.0] - 2026-01-02

### Fixed

- Another one.
"""
PROJECT = '[project]\nname = "{name}"\nversion = "0.3.0"\n\n[tool.other]\nversion = "1"\n'


class Repository:
    """A repository with a release, and one to come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        somebody = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}
        self._environment = {"PATH": os.environ["PATH"], **somebody, **nobody}
        self.write("CHANGELOG.md", CHANGELOG)
        self.write("pyproject.toml", PROJECT.format(name="one"))
        self.write("consumer/pyproject.toml", PROJECT.format(name="two"))
        self.write("dagster/pyproject.toml", PROJECT.format(name="three"))
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()
        self.git("tag", "v0.3.0")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "As it stands")

    def git(self, *words: str) -> str:
        return self._run("git", *words, code=0).stdout.strip()

    def release(self, *words: str, code: int = 0) -> str:
        """What it says: on its output where it went well, else among the errors."""
        done = self._run(sys.executable, str(SCRIPT), *words, code=code)
        return done.stdout if code == 0 else done.stderr

    def _run(self, *words: str, code: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, cwd=self.folder, env=self._environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == code, done
        return done

    def state(self) -> tuple[str, ...]:
        return (self.git("rev-parse", "HEAD"), self.git("tag"), self.git("status", "--porcelain"), self.git("diff"))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_release_is_one_commit_with_its_tag(repository: Repository) -> None:
    before = repository.git("rev-parse", "HEAD")
    assert "git push --follow-tags" in repository.release("0.4.0")

    assert repository.git("log", "--format=%s", f"{before}..HEAD") == "Release 0.4.0"
    assert repository.git("rev-parse", "v0.4.0^{commit}") == repository.git("rev-parse", "HEAD")
    assert repository.git("status", "--porcelain") == ""
    today = datetime.now(UTC).date().isoformat()
    head, _, rest = repository.read("CHANGELOG.md").partition(f"## [Unreleased]\n\n## [0.4.0] - {today}\n")
    assert (head, rest) == ("# Changelog\n\n", CHANGELOG.partition("## [Unreleased]\n")[2])
    for project in ("pyproject.toml", "consumer/pyproject.toml", "dagster/pyproject.toml"):
        assert 'version = "0.4.0"\n\n[tool.other]\nversion = "1"\n' in repository.read(project)


def test_what_is_published_is_what_the_changelog_says_of_the_version(repository: Repository) -> None:
    repository.release("0.4.0")
    assert repository.release("--notes", "v0.4.0") == "### Added\n\n- A thing that people notice.\n"
    assert "not of version 0.3.0" in repository.release("--notes", "v0.3.0", code=1)
    repository.write("consumer/pyproject.toml", PROJECT.format(name="two"))
    assert "consumer/pyproject.toml" in repository.release("--notes", "v0.4.0", code=1)


@pytest.mark.parametrize("version", ["1.2", "v1.2.3", "1.2.3rc1", "01.2.3", "1.2.3.4", "a"])
def test_a_version_has_three_numbers(version: str, repository: Repository) -> None:
    before = repository.state()
    assert "MAJOR.MINOR.PATCH" in repository.release(version, code=1)
    assert repository.state() == before


@pytest.mark.parametrize(("version", "why"), [("0.3.0", "exists"), ("0.5.0", "exists"), ("0.2.9", "older than 0.5.0")])
def test_what_was_released_is_not_released_again(version: str, why: str, repository: Repository) -> None:
    """Whether the changelog or a tag alone knows it."""
    repository.git("tag", "v0.5.0")
    before = repository.state()
    assert why in repository.release(version, code=1)
    assert repository.state() == before


def test_changes_that_are_not_committed_are_not_released(repository: Repository) -> None:
    repository.write("another", "file")
    before = repository.state()
    assert "not committed" in repository.release("0.4.0", code=1)
    assert repository.state() == before


@pytest.mark.parametrize("unreleased", ["", "### Added\n", "### Added\n\n### Fixed\n"])
def test_a_release_of_nothing_is_none(unreleased: str, repository: Repository) -> None:
    repository.write("CHANGELOG.md", CHANGELOG.replace("### Added\n\n- A thing that people notice.\n", unreleased))
    repository.commit()
    before = repository.state()
    assert "nothing under Unreleased" in repository.release("0.4.0", code=1)
    assert repository.state() == before
