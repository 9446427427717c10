"""Files that are kept: written beside their place, for their owner alone, and put there once whole and on disk.
And files that are read, which are files indeed: a pipe or a device may never answer, or never end.

No link is followed, neither at the place nor beside it, and what stands there is replaced only where that is said.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from replayhouse.infra.runtime.errors import Conflicting, UsageError

_ONLY_ITS_OWNER = 0o600
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOUND = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""How a file system says that it has no hard links."""


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """A file that is there, to be read. Raises OSError where it cannot be opened, or is no regular file."""
    with os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
        yield file


def open_regular(path: Path, flags: int) -> int:
    """Opens a file, made for its owner alone where the flags have it made. Raises OSError if it is no regular file."""
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, _ONLY_ITS_OWNER)  # waiting for no writer of a pipe
    found = os.fstat(handle).st_mode
    if stat.S_ISREG(found):
        return handle
    os.close(handle)
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    raise OSError(errno.EINVAL, "It is a pipe or a device, not a file", os.fspath(path))


@contextmanager
def writing(path: Path, *, replaces: bool = False) -> Iterator[BinaryIO]:
    """A new file that takes its place under `path` when the block ends well; otherwise nothing has changed.

    Raises UsageError where something is there and `replaces` is not said, or it is no file that could be replaced, or
    cannot be written; Conflicting while another command writes it.
    """
    refuse_place(path, replaces=replaces)
    beside = path.with_name(f"{path.name}.unfinished")
    with _our_own(beside, path) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _put_in_place(beside, path, replaces=replaces)
        except BaseException as error:
            beside.unlink(missing_ok=True)
            if isinstance(error, OSError) and (error.errno in _NO_ROOM or error.filename == os.fspath(beside)):
                raise _unwritable(path, error) from error
            raise
        keep_name(path.parent)


def refuse_place(path: Path, *, replaces: bool) -> None:
    """Raises UsageError where no file may be written under this name."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise no_folder_for(path) from None
        return
    except OSError as error:
        raise _unwritable(path, error) from error
    if stat.S_ISLNK(found.st_mode):
        raise UsageError(f"{path} is a link, and no link is followed or replaced: name the file itself.")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is not a file: name the file to write.")
    if not replaces:
        raise UsageError(f"There is a file {path} already: choose another name, or say --force to replace it.")


def no_folder_for(path: Path) -> UsageError:
    """What is wrong with a place whose folder does not exist: that, or that it was meant as a URL."""
    if (scheme := path.parts[0]).endswith(":") and not path.is_absolute():
        url = f"{scheme}//{'/'.join(path.parts[1:])}"
        return UsageError(f"{url} is a URL, and this is written on this machine only: name a place in its file system.")
    return UsageError(
        f"The folder {path.parent}, where {path.name} is to stand, does not exist: make it, or write elsewhere."
    )


def keep_name(folder: Path) -> None:
    """A new name is on disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _our_own(beside: Path, path: Path) -> Iterator[BinaryIO]:
    """A new file that nobody else has open; what a killed command left of one goes."""
    while True:
        try:
            handle = os.open(beside, _NEW, _ONLY_ITS_OWNER)
        except FileExistsError:
            _remove_left(beside, path)
            continue
        except OSError as error:
            raise _unwritable(path, error) from error
        with os.fdopen(handle, "w+b") as file:
            if _is_locked_elsewhere(handle):
                raise _written_elsewhere(path)
            if _is_at(beside, handle):  # nobody has taken it for something left, between those two lines
                try:
                    yield file
                except BaseException:
                    with suppress(OSError):  # it would try again to write what there was no room for
                        file.close()
                    raise
                return


def _remove_left(beside: Path, path: Path) -> None:
    try:
        handle = os.open(beside, _FOUND)
    except FileNotFoundError:
        return
    except OSError as error:  # a link, or a file that is not ours to read
        raise _in_the_way(beside, path) from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise _in_the_way(beside, path)
        if _is_locked_elsewhere(handle):
            raise _written_elsewhere(path)
        if _is_at(beside, handle):
            beside.unlink()
    finally:
        os.close(handle)


def _is_locked_elsewhere(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def _put_in_place(beside: Path, path: Path, *, replaces: bool) -> None:
    """Under its name; what came there meanwhile stays unless it may be replaced."""
    refuse_place(path, replaces=replaces)
    if not replaces:
        try:
            os.link(beside, path, follow_symlinks=False)
        except FileExistsError:
            refuse_place(path, replaces=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            with suppress(FileNotFoundError):
                beside.unlink()
            return
    beside.replace(path)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}. What was there is unchanged.")


def _written_elsewhere(path: Path) -> Conflicting:
    return Conflicting(f"Another command is writing {path}: wait until it has ended.")


def _in_the_way(beside: Path, path: Path) -> UsageError:
    return UsageError(f"{beside}, where {path.name} would be written first, is not a file of yours: remove it.")
