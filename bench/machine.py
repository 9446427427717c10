"""What the figures were measured on: they mean nothing without it."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no type information
import psycopg

GIGABYTE = 10**9
PACKAGES = ("eventsourcing", "psycopg", "duckdb", "msgspec")
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Machine:
    """The machine, the versions and the commit of a run."""

    measured_at: str
    processor: str
    cores: int
    memory_bytes: int
    versions: str
    commit: str
    load: float

    @property
    def lines(self) -> list[str]:
        """For people, one thing a line."""
        return [
            f"measured {self.measured_at} (UTC), commit {self.commit}",
            f"{self.cores} cores ({self.processor}), {self.memory_bytes / GIGABYTE:.0f} GB of memory, "
            f"load average {self.load:.1f} when it began",
            self.versions,
        ]


def machine(connection: psycopg.Connection) -> Machine:
    """This machine, with the server behind a connection."""
    server = connection.info.parameter_status("server_version")
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return Machine(
        measured_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        versions=f"{platform.system()}, Python {platform.python_version()}, PostgreSQL {server}, {packages}",
        commit=_commit(),
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in told.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    """The commit that the working tree stands on, with a plus if it was changed since."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", "domain", "ingest", "projections", "infra", "bench")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}+" if changed else commit


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
