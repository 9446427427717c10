"""Which server a data folder has, by its own file, and whether it lives."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from replayhouse.infra.runtime.errors import Unreachable

DEFAULT_PORT = 5432


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What the running server says of itself in `postmaster.pid`."""

    pid: int
    port: int
    listens: bool
    status: str


def postmaster_of(data: Path) -> Postmaster | None:
    """What stands in the folder; a killed server leaves it there."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise Unreachable(f"The embedded database in {data} belongs to another user.") from error
    if len(lines) < 8:  # being written, or cut off by a crash
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        return Postmaster(pid, DEFAULT_PORT, listens=False, status="starting")
    return Postmaster(int(lines[0]), int(lines[3]), listens=bool(lines[5].strip()), status=lines[7].strip())


def serves(pid: int, data: Path) -> bool:
    """Whether the process is there and a server of this data folder; numbers of dead processes are given to others."""
    if pid <= 0:
        return False
    if sys.platform.startswith("linux"):
        try:
            is_postgres = "postgres" in Path(f"/proc/{pid}/comm").read_text()
            return is_postgres and Path(f"/proc/{pid}/cwd").samefile(data)
        except PermissionError:  # another user's, and PostgreSQL itself knows what to make of that
            return True
        except OSError:
            return False
    command = ["ps", "-o", "comm=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # nosec B607
    return "postgres" in listed.stdout
