"""Streams of encrypted backups: what goes in comes out, in small pieces, and any harm is noticed."""

import errno
import io
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.backup.encryption import (
    Identity,
    Recipients,
    decrypted,
    encrypting,
    read_identity,
    recipients_named,
)
from replayhouse.infra.runtime.errors import InputError, UsageError

KEY = "AGE-SECRET-KEY-1UNL7ASRQCHEWQ58PURUHP0EAGJPQTCTZFJGK90GSRKKRHCPA985S5T2ZHV"
RECIPIENT = "age1v9n6hnqkt3u2vpmew0ez5juc5trusdswtar5ps4wczrmh8nzf54q8xmtft"

WRITTEN_BY_AGE = """\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBxWUdSdE5JTXdra21rRHNp
dVlneGRmbUhZL1REQTRIU2l2ZkE0cFI3bURrCm1LZ3hlTmZnVVQ0b0FmQ3JQUHkv
OHRvMzQvUjl2ZmY2OWUrSER1d3A2czQKLS0tIHB6K1MydCtjRkwxalAyMHBZMEQy
eFRmQ25WanVNM2F0dzdVaWtLMzlNSVUKu4/JE60hT6I+1edVUkX8BDlV7CDY0UTJ
JHRKYyvTZOV1UHOnBvJHxuZFjQuil00SNshYCn0X0E26/2yk/jxe5FefW4o=
-----END AGE ENCRYPTED FILE-----
"""
"""By age 1.1.1 of Debian."""

PIECE = 64 * 2**10


@cache
def two_pieces() -> bytes:
    """A file of two pieces; how long its head is, is left to chance."""
    return encrypted(bytes(PIECE + 100), recipients_named([RECIPIENT]))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """The key above, in a file."""
    path = tmp_path_factory.mktemp("keys") / "key"
    path.write_text(f"# mine\n{KEY}\n")
    return read_identity(path)


def encrypted(content: bytes, recipients: Recipients) -> bytes:
    target = io.BytesIO()
    with encrypting(target, recipients) as plain:
        plain.write(content)
    return target.getvalue()


def read_back(path: Path, identity: Identity) -> bytes:
    with decrypted(path, identity, path.parent, lambda done, of: None) as plain:
        plain.seek(0)
        return plain.read()


@given(st.one_of(st.binary(), st.integers(PIECE - 2, PIECE + 2).map(bytes)))
def test_what_goes_in_comes_out(identity: Identity, content: bytes) -> None:
    path = identity.path.with_name("file")
    path.write_bytes(encrypted(content, recipients_named([RECIPIENT])))
    assert read_back(path, identity) == content


@given(st.data())
def test_a_file_that_was_cut_off_or_changed_anywhere_is_refused(identity: Identity, data: st.DataObject) -> None:
    path = identity.path.with_name("harmed")
    content = bytearray(two_pieces())
    place = int(data.draw(st.floats(0, 1, exclude_max=True)) * len(content))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"harmed (is not whole|was encrypted for others)"):
        read_back(path, identity)


def test_what_age_wrote_is_read(identity: Identity, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(WRITTEN_BY_AGE)
    assert read_back(tmp_path / "file", identity) == b"What age wrote, this program reads.\n"


def test_nothing_of_it_stands_under_a_name(identity: Identity, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(WRITTEN_BY_AGE)
    with decrypted(tmp_path / "file", identity, tmp_path, lambda done, of: None):
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


class Slow:
    """A file that sees in which pieces it is written."""

    def __init__(self) -> None:
        self.largest = self.size = 0

    def write(self, piece: bytes) -> int:
        """As of a file."""
        self.largest = max(self.largest, len(piece))
        self.size += len(piece)
        return len(piece)

    def flush(self) -> None:
        """As of a file."""


def test_it_is_written_in_small_pieces_while_it_comes() -> None:
    target = Slow()
    seen = []
    with encrypting(cast(BinaryIO, target), recipients_named([RECIPIENT])) as plain:
        for _ in range(64):
            plain.write(bytes(2**20))
            seen.append(target.size)
    assert target.largest <= PIECE + 16
    assert seen[-1] > 60 * 2**20, "what comes later was kept in memory"


class Full(Slow):
    """A file on a disk that is full after some time."""

    def write(self, piece: bytes) -> int:
        """As of a file."""
        if self.size > PIECE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(piece)


def test_a_full_disk_is_told_in_the_words_of_the_system() -> None:
    def write_much() -> None:
        with encrypting(cast(BinaryIO, Full()), recipients_named([RECIPIENT])) as plain:
            for _ in range(64):
                plain.write(bytes(2**20))

    with pytest.raises(OSError, match="No space left on device") as told:
        write_much()
    assert told.value.errno == errno.ENOSPC


def test_what_goes_wrong_in_the_block_is_what_is_told() -> None:
    def go_wrong() -> None:
        with encrypting(io.BytesIO(), recipients_named([RECIPIENT])) as plain:
            plain.write(b"some")
            raise UsageError("something else")

    with pytest.raises(UsageError, match="something else"):
        go_wrong()


def test_an_interrupt_while_it_is_read_stays_one(identity: Identity, tmp_path: Path) -> None:
    def interrupted(done: int, of: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "file").write_text(WRITTEN_BY_AGE)
    with pytest.raises(KeyboardInterrupt), decrypted(tmp_path / "file", identity, tmp_path, interrupted):
        pass


def test_a_folder_that_takes_nothing_is_told(identity: Identity, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(WRITTEN_BY_AGE)
    with (
        pytest.raises(UsageError, match="takes no file"),
        decrypted(tmp_path / "file", identity, tmp_path / "nowhere", lambda done, of: None),
    ):
        pass


def test_keys_of_ssh_serve_too(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    (tmp_path / "id").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    (tmp_path / "file").write_bytes(encrypted(b"some", recipients_named([public])))
    assert read_back(tmp_path / "file", read_identity(tmp_path / "id")) == b"some"


def test_armour_is_not_what_is_written() -> None:
    assert encrypted(b"", recipients_named([RECIPIENT])).startswith(b"age-encryption.org/v1\n")
    assert (
        pyrage.decrypt(encrypted(b"x", recipients_named([RECIPIENT])), [pyrage.x25519.Identity.from_str(KEY)]) == b"x"
    )
