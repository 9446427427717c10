"""Backups that only the holder of a key can read: in the format of age, by its library.

What is written is encrypted on its way to the file, by a thread of its own, and what is read is decrypted into a file
without a name: a kill leaves neither. Memory holds a piece of 64 KiB at a time, whatever the size.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any, BinaryIO

import pyrage

from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.files import reading

_BEGINNINGS = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_SSH_KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_PRIVATE = "secret-key-"
_OTHERS = 0o077
_LARGEST_BYTES = 1 << 20
_BUFFER = 1 << 16
_NO_MATCH = "No matching keys"
"""How the library says that a file was encrypted for others."""


# --- for whom, and by whom --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipients:
    """For whom a backup is encrypted; for nobody: it is written in clear."""

    keys: Sequence[Any] = ()

    def __len__(self) -> int:
        return len(self.keys)


IN_CLEAR = Recipients()


@dataclass(frozen=True, slots=True)
class Identity:
    """The private keys of a file, by its path."""

    path: Path
    keys: Sequence[Any]
    is_open_to_others: bool


def recipients_named(given: Iterable[str]) -> Recipients:
    """Recipients as they are named on a command line. Raises UsageError for one that is none."""
    return Recipients([_recipient(one.strip(), "") for one in given])


def read_recipients(path: Path) -> Recipients:
    """The recipients of a file, one a line, as age reads it: empty lines and those that begin with # say nothing.

    Raises UsageError where there is none, or a line is none.
    """
    lines = _lines_of(path, "file of recipients")
    found = [_recipient(line, f" ({path}, line {number})") for number, line in lines]
    if not found:
        raise UsageError(f"The file of recipients {path} names nobody: write a line age1... into it.")
    return Recipients(found)


def _recipient(text: str, where: str) -> object:
    try:
        if text.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(text)
        return pyrage.x25519.Recipient.from_str(text)
    except (pyrage.RecipientError, ValueError) as error:
        if _PRIVATE in text.casefold():  # not to be shown again
            raise UsageError(
                f"A private key is given as a recipient{where}: name the public one, which begins with age1."
            ) from None
        raise UsageError(
            f"'{text}' is no recipient{where}: it begins with age1, as age-keygen prints it, or with ssh-ed25519 or "
            "ssh-rsa."
        ) from error


def read_identity(path: Path) -> Identity:
    """The private keys of a file: those that age-keygen writes, or a key of OpenSSH without a passphrase.

    Raises UsageError where there is no file, InputError where it holds no such key.
    """
    content, mode = _content_of(path, "identity")
    try:
        if content.lstrip().startswith(_SSH_KEY):
            keys = [pyrage.ssh.Identity.from_buffer(content)]
        else:
            keys = [pyrage.x25519.Identity.from_str(line) for _, line in _meaningful(content.decode("ascii"))]
    except (pyrage.IdentityError, ValueError) as error:
        raise InputError(_no_identity(path)) from error
    if not keys:
        raise InputError(_no_identity(path))
    return Identity(path, keys, bool(mode & _OTHERS))


def _no_identity(path: Path) -> str:
    return (
        f"{path} is no identity: it must hold lines AGE-SECRET-KEY-1..., as age-keygen writes them, or a key of "
        "OpenSSH without a passphrase."
    )


def _lines_of(path: Path, what: str) -> Iterator[tuple[int, str]]:
    content, _ = _content_of(path, what)
    try:
        return _meaningful(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"The {what} {path} is no text in UTF-8.") from error


def _meaningful(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def _content_of(path: Path, what: str) -> tuple[bytes, int]:
    """What a small file holds, and its mode."""
    try:
        with reading(path) as file:
            return file.read(_LARGEST_BYTES), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        raise UsageError(f"There is no {what} {path}.") from None
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from error


# --- writing ----------------------------------------------------------------------------------------------------


@contextmanager
def encrypting(file: BinaryIO, recipients: Recipients) -> Iterator[BinaryIO]:
    """What is written into it in the block stands in the file encrypted when the block has ended well.

    Raises what the file raises where it takes no more (OSError).
    """
    if not recipients:
        yield file
        return
    for_us, for_it = os.pipe()
    target = _Watched(file)
    failed: list[BaseException] = []
    with os.fdopen(for_it, "wb", _BUFFER) as plain:
        thread = Thread(target=_encrypt, args=(for_us, target, recipients, failed), name="encrypting a backup")
        thread.start()
        try:
            yield plain
            plain.close()  # with it the last piece is written
        except BrokenPipeError:  # it has ended before us, and says why
            if not failed and target.error is None:
                raise
        finally:
            with suppress(BrokenPipeError):
                plain.close()
            thread.join()
    if (why := target.error or next(iter(failed), None)) is not None:
        raise why


def _encrypt(source: int, target: "_Watched", recipients: Recipients, failed: list[BaseException]) -> None:
    with os.fdopen(source, "rb", _BUFFER) as plain:
        try:
            pyrage.encrypt_io(plain, target, recipients.keys)
        except BaseException as error:
            failed.append(error)  # told by whoever waits for us


# --- reading ----------------------------------------------------------------------------------------------------


def is_encrypted(path: Path) -> bool:
    """Whether a file says of itself that it is age's. Raises OSError."""
    with reading(path) as file:
        begins = file.read(max(map(len, _BEGINNINGS)))
    return begins.startswith(_BEGINNINGS)


@contextmanager
def decrypted(path: Path, identity: Identity, folder: Path, tell: Callable[[int, int], None]) -> Iterator[IO[bytes]]:
    """What an encrypted file holds, in a file of the folder that has no name and goes with the block.

    All of it was found to be what was encrypted. Raises InputError where the file was encrypted for others, is not
    whole or cannot be read; UsageError where the folder has no room for it.
    """
    with _without_name(path, folder) as plain, _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        source, target = _Watched(file, lambda done: tell(done, size)), _Watched(plain)
        try:
            pyrage.decrypt_io(source, target, identity.keys)
            plain.flush()
        except (pyrage.DecryptError, OSError) as error:
            raise _refusal(path, identity, folder, source.error, target.error, error) from error
        yield plain


def _without_name(path: Path, folder: Path) -> IO[bytes]:
    try:
        return TemporaryFile(dir=folder)
    except OSError as error:
        raise UsageError(f"{path} cannot be decrypted: {folder} takes no file ({error.strerror}).") from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with reading(path) as file:
            yield file
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _refusal(
    path: Path,
    identity: Identity,
    folder: Path,
    of_source: BaseException | None,
    of_target: BaseException | None,
    told: Exception,
) -> BaseException:
    """What to say of a file that could not be decrypted."""
    for error in (of_source, of_target):
        if error is not None and not isinstance(error, OSError):  # an interrupt, which the library takes for its own
            return error
    if isinstance(of_source, OSError):
        return InputError(f"{path} cannot be read: {of_source.strerror or of_source}.")
    if of_target is None and isinstance(told, OSError) and told.errno is not None:
        of_target = told
    if isinstance(of_target, OSError):
        room = " Make room" if of_target.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else " Look at it"
        return UsageError(
            f"{path} cannot be decrypted into {folder}: {of_target.strerror or of_target}.{room}, and start again."
        )
    if _NO_MATCH in str(told):
        return InputError(f"{path} was encrypted for others than {identity.path}: name the identity it was made for.")
    return InputError(f"{path} is not whole: it was cut off, or changed since it was written. Take another copy of it.")


class _Watched:
    """A file that remembers what went wrong with it: the library tells of that in words of its own."""

    def __init__(self, file: IO[bytes], tell: Callable[[int], None] = lambda _: None) -> None:
        self._file = file
        self._tell = tell
        self._done = 0
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        with self._watching():
            piece = self._file.read(size)
            self._done += len(piece)
            self._tell(self._done)
            return piece

    def write(self, piece: bytes) -> int:
        """As of a file."""
        with self._watching():
            return self._file.write(piece)

    def flush(self) -> None:
        """As of a file."""
        with self._watching():
            self._file.flush()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.error = error
            raise
