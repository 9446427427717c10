"""Units of systemd and lines of cron as they are shipped: they hold together, and their commands do what they say."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import pyrage
import pytest

from replayhouse.infra.runtime.settings import Settings
from tests.support.homes import Home, wait_until
from tests.support.prepared import furnish

OPS = Path(__file__).parents[2] / "ops"
UNITS = sorted(path.name for path in (OPS / "systemd").iterdir() if path.suffix in (".service", ".timer"))
CRON = OPS / "cron" / "replayhouse"
PROGRAM = "/usr/local/lib/replayhouse/bin/replayhouse"
LONGEST_S = 240.0

STAYS = ("project", "publish", "serve")
IN_ORDER = ("database", "ingest", "backup", "verify", "drill")
"""The units whose commands end by themselves and change something, in the order in which a machine would run them."""

AT_WORK = {
    "project": "SELECT bool_and(projection.position = head.position) FROM read_model.projection, event_store.head",
    "publish": "SELECT count(*) = 5 FROM publishing.relay WHERE state = 'waiting'",
}


def unit(name: str) -> ConfigParser:
    """A unit, or what is laid over all of them."""
    parser = ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign] # its documented use
    parser.read(OPS / "systemd" / name, encoding="utf-8")
    return parser


def command_of(name: str, setting: str = "ExecStart") -> list[str]:
    """What a service starts, as systemd takes it apart."""
    text = unit(f"replayhouse-{name}.service")["Service"][setting].removeprefix("-")
    return [part.replace("$$", "$").replace("%%", "%") for part in shlex.split(text)]


def lines_of_cron() -> Iterator[tuple[str, str]]:
    """The user and the command of each line."""
    for line in CRON.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *when, user, command = line.split(None, 6)
            assert len(when) == 5, line
            assert all(re.fullmatch(r"[\d*/,-]+", part) for part in when), line
            yield user, command.replace(r"\%", "%")


def settings_of_cron() -> dict[str, str]:
    pairs = re.findall(r"^([A-Z_]+)=(.*)$", CRON.read_text(encoding="utf-8"), re.M)
    return {name: value for name, value in pairs if name.startswith("REPLAYHOUSE_")}


def settings_of_units() -> dict[str, str]:
    example = (OPS / "systemd" / "environment.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^(REPLAYHOUSE_[A-Z_]+)=(.*)$", example, re.M))


# --- they hold together -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_names_units_that_there_are_and_starts_something(name: str) -> None:
    found = unit(name)
    named = [found["Unit"][key] for key in ("Requires", "After", "OnFailure") if key in found["Unit"]]
    for other in named:
        assert other == "network.target" or re.sub(r"@%n\.", "@.", other) in UNITS, other
    if name.endswith(".timer"):
        assert name.replace(".timer", ".service") in UNITS
        assert found["Timer"]["OnCalendar"]
        assert found["Install"]["WantedBy"] == "timers.target"
    else:
        assert found["Service"]["ExecStart"].split()[0] in (PROGRAM, "/bin/sh", "/usr/bin/logger")
        is_of_timer = name.replace(".service", ".timer") in UNITS
        assert ("Install" in found) != (is_of_timer or "@" in name), "it is started by a timer, or by the machine"


def test_every_unit_may_touch_its_own_folders_only() -> None:
    laid_over = unit("replayhouse-.service.d/hardening.conf")["Service"]
    assert (laid_over["NoNewPrivileges"], laid_over["ProtectSystem"], laid_over["User"]) == (
        "yes", "strict", "replayhouse"
    )  # fmt: skip
    for name in UNITS:
        if name.endswith(".service"):
            assert name.startswith("replayhouse-"), "what is laid over goes by the name"
            assert not set(unit(name)["Service"]) & set(laid_over), "what holds for all is said once"


def test_settings_of_the_recipes_are_settings() -> None:
    known = {f"REPLAYHOUSE_{name.upper()}" for name in Settings.model_fields}
    assert set(settings_of_units()) <= known
    assert set(settings_of_cron()) <= known


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """By systemd itself, where it is installed; by the tests above in any case."""
    shutil.copytree(OPS / "systemd", tmp_path / "units")
    for path in (tmp_path / "units").glob("*.service"):
        path.write_text(path.read_text().replace(PROGRAM, sys.executable).replace("/usr/bin/logger", sys.executable))
    analyze = shutil.which("systemd-analyze")
    words = [analyze, "verify", "--man=no", *UNITS] if analyze else [sys.executable, "-c", ""]
    search = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:"}
    done = subprocess.run(
        words, cwd=tmp_path / "units", env=search, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- and they do what they are for ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """The folders and the program that the recipes name, somewhere else."""

    folder: Path
    home: Home

    def here(self, text: str) -> str:
        """The same with our folders."""
        places = {
            PROGRAM: str(Path(sys.executable).with_name("replayhouse")),
            "/var/lib/replayhouse": str(self.home.path),
            "/var/backups/replayhouse": str(self.folder / "backups"),
            "/var/spool/replayhouse": str(self.folder / "drop"),
            "/etc/replayhouse": str(self.folder / "etc"),
            "/var/log/replayhouse": str(self.folder / "log"),
        }
        for place, ours in places.items():
            text = text.replace(place, ours)
        return text

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYHOUSE_")}
        return {**kept, **{name: self.here(value) for name, value in settings.items()}}

    def run(self, command: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        """Exit code, and all that was said."""
        done = subprocess.run(
            [self.here(word) for word in command],
            env=self.environment(settings),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def machine(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    home = Home(folder / "home")
    furnish(home.path, prepared)
    for name in ("backups", "etc", "log"):
        (folder / name).mkdir()
    key = pyrage.x25519.Identity.generate()
    (folder / "etc" / "backup.key").write_text(f"{key}\n")
    (folder / "etc" / "backup.key").chmod(0o600)
    (folder / "etc" / "backup.recipients").write_text(f"{key.to_public()}\n")
    try:
        home.succeed("generate", folder / "drop", "--orders", "40", "--seed", "7")
        yield Machine(folder, home)
    finally:
        home.halt()


def test_the_commands_of_the_units_keep_a_warehouse(machine: Machine) -> None:
    settings = settings_of_units()
    for name in IN_ORDER:
        code, said = machine.run(command_of(name), settings)
        assert code == 0, f"{name}: {said}"
    [backup, keys] = sorted((machine.folder / "backups").iterdir())
    assert (backup.suffix, keys.suffix) == (".backup", ".keys")
    assert backup.read_bytes().startswith(b"age-encryption.org/")

    code, said = machine.run(command_of("check"), settings)
    assert (code, "events behind the log: replayhouse project" in said) == (1, True), "nobody follows the log yet"
    for name in STAYS:
        assert_stays_until_it_is_told(machine, name, settings)
    code, said = machine.run(command_of("check"), {**settings, "REPLAYHOUSE_KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    assert (code, "Nothing needs anybody." in said) == (0, True), said

    for user, command in lines_of_cron():
        assert user == "replayhouse"
        code, said = machine.run(["/bin/sh", "-c", command], settings_of_cron())
        assert (code, said) == (0, ""), command
    logs = {path.stem: path.read_text() for path in (machine.folder / "log").iterdir()}
    assert {"ingest", "backup", "verify", "drill"} == set(logs)
    assert "The chain holds" in logs["drill"]
    assert machine.run(command_of("database", "ExecStop"), settings)[0] == 0
    assert machine.home.postmaster() is None


def assert_stays_until_it_is_told(machine: Machine, name: str, settings: Mapping[str, str]) -> None:
    """It works until systemd tells it to end, and then ends well."""
    nowhere = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": "127.0.0.1:1", "REPLAYHOUSE_WEB_PORT": str(a_free_port())}
    words = [machine.here(word) for word in command_of(name)]
    with TemporaryFile() as said:
        process = subprocess.Popen(
            words,
            env=machine.environment({**settings, **nowhere}),
            cwd=machine.folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )

        def told() -> str:
            return os.pread(said.fileno(), 10_000, 0).decode()

        try:
            wait_until(lambda: process.poll() is not None or is_at_work(machine, name, told()))
            assert process.poll() is None, told()
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONGEST_S) == 0, told()
        finally:
            process.kill()
            process.wait()


def is_at_work(machine: Machine, name: str, told: str) -> bool:
    """Whether it does what it is for: the read models are up with the log, every relay waits, pages are served."""
    if name == "serve":
        return "Serving http" in told
    with machine.home.connected() as conn:
        return conn.execute(AT_WORK[name].encode()).fetchone() == (True,)


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
