"""The Ed25519 key that signs checkpoints: a PEM file (PKCS 8) that nobody but its owner may read."""

import os
import re
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.runtime.files import reading, writing

_OTHERS = 0o077
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{64}")
_LARGEST_BYTES = 1 << 16


def make_key(path: Path) -> bytes:
    """Makes a new key at `path`; returns its public half (32 bytes).

    A key that is there is never overwritten, since checkpoints are checked against it: UsageError.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    is_left = _is_empty(path)
    if not is_left and os.path.lexists(path):
        raise UsageError(
            f"There is a file {path} already, and a signing key is never overwritten. Use that key; or move it away, "
            "and keep it: checkpoints that it signed are checked with its public half (--public-key)."
        )
    with writing(path, replaces=is_left) as file:
        file.write(pem)
    return key.public_key().public_bytes_raw()


def _is_empty(path: Path) -> bool:
    """Whether a file is there that holds nothing, as one that a full disk has left: no key is lost with it."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def read_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file. Raises UsageError where there is none, or others can read it; InputError where it is none."""
    try:
        with reading(path) as file:
            found = os.fstat(file.fileno())
            key = load_pem_private_key(file.read(_LARGEST_BYTES), None)
    except FileNotFoundError:
        raise UsageError(
            f"There is no signing key {path}. Make one with 'replayhouse audit keygen', or put it back from where you "
            "keep its copy; REPLAYHOUSE_SIGNING_KEY says where it is."
        ) from None
    except OSError as error:
        raise InputError(f"The signing key {path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:  # TypeError: it is there, but encrypted
        raise InputError(f"{path} is not a signing key: not an Ed25519 key in PEM without a password.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} is not a signing key: the key in it is not one of Ed25519.")
    _refuse_readable_by_others(path, found)
    return key


def _refuse_readable_by_others(path: Path, found: os.stat_result) -> None:
    """Who can read it can sign: what it has signed proves nothing then."""
    others = found.st_mode & _OTHERS
    if others or found.st_uid not in (os.geteuid(), 0):
        who = f"has the mode {stat.S_IMODE(found.st_mode):04o}" if others else f"belongs to the user {found.st_uid}"
        raise UsageError(
            f"The signing key {path} {who}, so others can sign with it. Give it to yourself alone "
            f"(chown {os.geteuid()}, chmod 600); if somebody may have read it, move it away and make another one with "
            "'replayhouse audit keygen'."
        )


def read_public_key(given: str) -> bytes:
    """A public key (32 bytes): as 64 hexadecimal digits, or from a file that holds these, or PEM. Raises InputError."""
    if _HEXADECIMAL.fullmatch(given):
        return bytes.fromhex(given)
    try:
        with reading(Path(given)) as file:
            data = file.read(_LARGEST_BYTES)
    except OSError as error:
        raise InputError(f"The public key {given} cannot be read: {error.strerror}.") from error
    digits = data.decode("ascii", "replace").strip()
    if _HEXADECIMAL.fullmatch(digits):
        return bytes.fromhex(digits)
    try:
        key = load_pem_public_key(data)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{given} is not a public key: neither 64 hexadecimal digits nor an Ed25519 key in PEM.")
    return key.public_bytes_raw()


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of the key (32 bytes) signed the message; the signature has 64 bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
