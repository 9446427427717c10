"""Cuts a release: `release.py 1.2.3` dates what the changelog says of it, sets the version, commits and tags.

Nothing leaves the machine: the tag is pushed by hand, and what it then starts is in `.github/workflows/release.yml`,
which asks for `release.py --notes v1.2.3`: what the changelog says of the version that everything names.

Run in the folder of the repository. Ends with 1, having changed nothing, where the version or the tree is not fit.
"""

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

CHANGELOG = Path("CHANGELOG.md")
PROJECTS = (Path("pyproject.toml"), Path("consumer/pyproject.toml"), Path("dagster/pyproject.toml"))
"""All distributions are released together, with one version."""

_UNRELEASED = "## [Unreleased]\n"
_SECTION = re.compile(r"^## \[(\d+\.\d+\.\d+)\]", re.MULTILINE)
_VERSION = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}", re.ASCII)
_VERSION_OF_PROJECT = re.compile(r'^version = "(.*)"$', re.MULTILINE)


class UnfitError(Exception):
    """What keeps a release from being cut."""


def main() -> int:
    """Cuts a release, or prints what the changelog says of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="MAJOR.MINOR.PATCH; with --notes its tag")
    parser.add_argument("--notes", action="store_true", help="print what the changelog says of a version that was cut")
    arguments = parser.parse_args()
    try:
        print(notes(arguments.version) if arguments.notes else cut(arguments.version))
    except UnfitError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def cut(version: str) -> str:
    """Commits and tags the release of a version; what is to be done next."""
    if not _VERSION.fullmatch(version):
        raise UnfitError(f"A version is MAJOR.MINOR.PATCH, such as 1.2.3, not {version!r}.")
    changelog = CHANGELOG.read_text(encoding="utf-8")
    _refuse_a_known_version(version, changelog)
    if _git("status", "--porcelain"):
        raise UnfitError("The tree has changes that are not committed: commit or remove them first.")
    if not section_of("Unreleased", changelog):
        raise UnfitError(f"{CHANGELOG} says nothing under Unreleased, so there is nothing to release.")
    dated = f"{_UNRELEASED}\n## [{version}] - {datetime.now(UTC).date().isoformat()}\n"
    CHANGELOG.write_text(changelog.replace(_UNRELEASED, dated, 1), encoding="utf-8")
    for project in PROJECTS:
        text, count = _VERSION_OF_PROJECT.subn(f'version = "{version}"', project.read_text(encoding="utf-8"), count=1)
        assert count == 1, project
        project.write_text(text, encoding="utf-8")
    _git("commit", "--quiet", "--all", "--message", f"Release {version}")
    _git("tag", "--annotate", "--message", f"replayhouse {version}", f"v{version}")
    return f"Release {version} is committed and tagged. To publish it: git push --follow-tags"


def notes(tag: str) -> str:
    """What the changelog says of the version of a tag; raises UnfitError where a distribution has another version."""
    version = tag.removeprefix("v")
    for project in PROJECTS:
        found = _VERSION_OF_PROJECT.search(project.read_text(encoding="utf-8"))
        if found is None or found[1] != version:
            raise UnfitError(f"{project} is not of version {version}, which the tag {tag} names.")
    said = section_of(version, CHANGELOG.read_text(encoding="utf-8"))
    if not said:
        raise UnfitError(f"{CHANGELOG} says nothing of version {version}.")
    return said


def section_of(name: str, changelog: str) -> str:
    """What stands under a heading of the changelog; empty where there is none, or only headings below it."""
    found = re.search(rf"^## \[{re.escape(name)}\].*\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    said = found[1].strip() if found else ""
    return said if any(line.strip() and not line.startswith("#") for line in said.splitlines()) else ""


def _refuse_a_known_version(version: str, changelog: str) -> None:
    known = {*_SECTION.findall(changelog), *(tag.removeprefix("v") for tag in _git("tag", "--list", "v*").split())}
    if version in known:
        raise UnfitError(f"Version {version} exists: what was released stays.")
    newest = max((_parts(one) for one in known if _VERSION.fullmatch(one)), default=None)
    if newest is not None and _parts(version) < newest:
        raise UnfitError(f"Version {version} is older than {'.'.join(map(str, newest))}, which exists.")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], check=False, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise UnfitError(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
