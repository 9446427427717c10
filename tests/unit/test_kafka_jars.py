"""Fetching the broker: once, all or nothing, and in plain words where that does not go."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from replayhouse.infra.kafka.broker.jars import jars, java, one_at_a_time
from replayhouse.infra.runtime.errors import Conflicting, Unreachable, UsageError

FETCHES = """#!/bin/sh
echo fetched >>"$CALLS"
for word; do case "$word" in -DoutputDirectory=*) folder="${word#*=}" ;; esac; done
echo jar >"$folder/kafka.jar"
"""
FAILS = r"""#!/bin/sh
touch half.jar
printf '\033[0m[ERROR] Could not transfer artifact org.apache.kafka: unknown host\n[ERROR] \n' && exit 1
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, empty; programs are looked for in an empty folder."""
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path / "cache"


def a_program(cache: Path, name: str, script: str) -> Path:
    """A program on the path, beside the shell's own, which it needs."""
    folder = cache.parent / "programs"
    for tool in ("sh", "touch"):
        (folder / tool).symlink_to(shutil.which(tool, path=os.defpath) or tool)
    (folder / name).write_text(script)
    (folder / name).chmod(0o700)
    return folder / name


def test_without_java_it_is_said_what_to_install_and_what_else_there_is(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"Java 17.*'java'.*docker-compose.*REPLAYHOUSE_KAFKA_BOOTSTRAP"):
        java()


def test_without_maven_it_is_said_what_to_install(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"Maven.*'mvn'"):
        jars()


def test_java_home_goes_before_the_path(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_the_path = a_program(cache, "java", "#!/bin/sh\n")
    assert java() == str(on_the_path)
    (tmp_path / "jdk/bin").mkdir(parents=True)
    (tmp_path / "jdk/bin/java").touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert java() == str(tmp_path / "jdk/bin/java")


def test_what_was_fetched_once_needs_no_maven(cache: Path) -> None:
    maven = a_program(cache, "mvn", FETCHES)
    folder = jars()
    assert [path.name for path in folder.iterdir()] == ["kafka.jar"]
    maven.unlink()
    assert jars() == folder


def test_several_at_once_fetch_it_once(cache: Path) -> None:
    a_program(cache, "mvn", FETCHES)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: jars(), range(4)))) == 1
    assert (cache.parent / "calls").read_text() == "fetched\n"


def test_a_failed_fetch_says_why_and_leaves_nothing(cache: Path) -> None:
    a_program(cache, "mvn", FAILS)
    with pytest.raises(Unreachable, match="could not fetch the broker: Could not transfer artifact"):
        jars()
    assert [path.name for path in (cache / "replayhouse").iterdir()] == ["kafka.lock"]


def test_what_a_killed_fetch_has_left_is_removed(cache: Path) -> None:
    a_program(cache, "mvn", FETCHES)
    (cache / "replayhouse/unfinished-1").mkdir(parents=True)
    folder = jars()
    assert {path.name for path in (cache / "replayhouse").iterdir()} == {"kafka.lock", folder.name}


def test_who_waits_too_long_is_told_that_another_is_at_work(tmp_path: Path) -> None:
    held = subprocess.Popen(
        ["flock", str(tmp_path / "lock"), "sh", "-c", "echo held; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert held.stdout is not None
    assert held.stdout.readline() == b"held\n"
    with pytest.raises(Conflicting, match="Another command is at work"), one_at_a_time(tmp_path / "lock", 0.0):
        raise AssertionError("two hold the lock")
    held.communicate(b"\n")
    with one_at_a_time(tmp_path / "lock", 5.0):
        pass
