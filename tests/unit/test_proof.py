"""Checkpoints, the keys that sign them, and proofs of inclusion: pure, without a database.

What is checked here is checked as an outsider would: by what docs/proof-format.md says.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.audit.checkpoint import Checkpoint, HeadToSign, read_checkpoint, signed
from replayhouse.infra.audit.documents import DoesNotHold
from replayhouse.infra.audit.inclusion import (
    Commit,
    Proof,
    ProvedEvent,
    check,
    check_against,
    encoded_state,
    proof_of,
    read_proof,
    written,
)
from replayhouse.infra.audit.signing_keys import make_key, read_key, read_public_key
from replayhouse.infra.event_store.merkle import GENESIS, chain_of, leaf_of, path_of, root_by_path, root_of
from replayhouse.infra.runtime.errors import InputError, UsageError

STORE = UUID("6a0ce1b5-0f0d-4c3b-9a3b-6c1f6f0c7d11")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


@given(LEAVES, st.data())
def test_a_path_leads_from_each_leaf_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = path_of(leaves, index)
    assert root_by_path(leaves[index], index, len(leaves), path) == root_of(leaves)
    assert root_by_path(leaves[index], index, len(leaves), [*path, bytes(32)]) is None, "a path that is too long"
    if path:
        assert root_by_path(leaves[index], index, len(leaves), path[:-1]) is None, "one that is too short"


def test_a_path_is_that_of_the_rfc() -> None:
    """RFC 6962, section 2.1.3: the tree over seven leaves, and the paths of the leaves 0, 3, 4 and 6."""
    d = [leaf_of(bytes([n])) for n in range(7)]
    a, b, c, f, j = d[0], d[1], d[2], d[4], d[6]
    g, h, i = node(a, b), node(c, d[3]), node(f, d[5])
    k, last = node(g, h), node(i, j)
    assert path_of(d, 0) == [b, h, last]
    assert path_of(d, 3) == [c, g, last]
    assert path_of(d, 4) == [d[5], j, k]
    assert path_of(d, 6) == [i, k]


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def an_event(
    position: int, state: bytes = b'{"city":"s\xc3\xa3o paulo"}', source: str | None = "orders:7"
) -> ProvedEvent:
    stream = UUID(int=position)
    return ProvedEvent(
        position, "sales", stream, 1, "sales.OrderPaid.v1", *encoded_state(state), STORE if source else None, source
    )


def leaf_by_hand(event: ProvedEvent, state: bytes) -> bytes:
    values = [
        event.context.encode(),
        event.originator_id.bytes,
        event.originator_version.to_bytes(8, "big"),
        event.topic.encode(),
        state,
        event.batch_id.bytes if event.batch_id else None,
        event.source.encode() if event.source else None,
    ]
    fields = (b"\xff" * 4 if value is None else len(value).to_bytes(4, "big") + value for value in values)
    return sha256(b"\x00" + b"".join(fields)).digest()


def a_proof(state: bytes = b'{"city":"s\xc3\xa3o paulo"}', source: str | None = "orders:7") -> Proof:
    """Of position 6, in a commit of 4 to 8, with a commit of 9 to 9 and one of 10 to 12 after it."""
    event = an_event(6, state, source)
    leaves = [leaf_of(b"4"), leaf_of(b"5"), leaf_by_hand(event, state), leaf_of(b"7"), leaf_of(b"8")]
    ranges = [(4, 8, AT, root_of(leaves)), (9, 9, AT, leaf_of(b"9")), (10, 12, LATER, leaf_of(b"10"))]
    chain = sha256(b"what was before").digest()
    before = chain
    for first, last, at, root in ranges:
        chain = chain_of(chain, first, last, at, root)
    commits = [Commit(first, last, at, root.hex()) for first, last, at, root in ranges]
    return proof_of(event, path_of(leaves, 2), before, commits, (12, chain))


def a_checkpoint(position: int, chain: bytes) -> Checkpoint:
    return Checkpoint(STORE, position, chain, AT, LATER, PUBLIC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("state", "source"), [(b'{"city":"s\xc3\xa3o paulo"}', "orders:7"), (b"\xff\x00", None), (b"", None)]
)
def test_a_proof_leads_to_the_chain_at_the_end_of_each_commit(file: Path, state: bytes, source: str | None) -> None:
    proof = a_proof(state, source)
    file.write_bytes(written(proof))
    proved = check(read_proof(file))
    assert list(proved.chains) == [8, 9, 12]
    assert proved.chains[12].hex() == proof.head.chain
    for position, chain in proved.chains.items():
        check_against(proved, a_checkpoint(position, chain))
        with pytest.raises(DoesNotHold, match="another chain"):
            check_against(proved, a_checkpoint(position, GENESIS))
    with pytest.raises(DoesNotHold, match="says nothing of the checkpoint"):
        check_against(proved, a_checkpoint(10, GENESIS))


def passes(document: bytes, file: Path, checked: Callable[[Path], object]) -> bool:
    """Whether a file is taken for what it says; anything but DoesNotHold is an error of the test."""
    file.write_bytes(document)
    try:
        checked(file)
    except DoesNotHold:
        return False
    return True


def changed_in_one_byte(document: bytes) -> list[bytes]:
    """The document with each byte in turn changed to a neighbour, left out, and doubled."""
    found = []
    for at, byte in enumerate(document):
        before, after = document[:at], document[at + 1 :]

        found += [before + bytes([byte ^ 1]) + after, before + after, before + bytes([byte, byte]) + after]
    return [other for other in found if other != document]


def test_a_proof_changed_by_one_byte_anywhere_does_not_hold(file: Path) -> None:
    document = written(a_proof())
    assert passes(document, file, lambda path: check(read_proof(path)))
    for other in changed_in_one_byte(document):
        assert not passes(other, file, lambda path: check(read_proof(path))), other


def test_a_checkpoint_changed_by_one_byte_anywhere_does_not_hold(file: Path) -> None:
    document = signed(HeadToSign(STORE, 12, GENESIS, AT), LATER, KEY)
    assert passes(document, file, read_checkpoint)
    for other in changed_in_one_byte(document):
        assert not passes(other, file, read_checkpoint), other


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("event", "position", 7),
        ("event", "position", 9),
        ("event", "originator_version", 2),
        ("event", "batch_id", None),
        ("commit", "last_position", 9),
        ("commit", "first_position", 3),
        ("commit", "recorded_at", "2026-03-01T12:00:00.123457Z"),
        ("head", "position", 13),
        ("head", "chain", "00" * 32),
    ],
)
def test_a_proof_that_was_changed_with_care_does_not_hold(file: Path, part: str, field: str, value: object) -> None:
    document = json.loads(written(a_proof()))
    document[part][field] = value
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with pytest.raises(DoesNotHold, match="The proof does not hold"):
        check(read_proof(file))


@pytest.mark.parametrize(
    ("state", "encoding", "spelling"),
    [
        (b"\xff\x00", "base64", "/wB="),  # bits that decoding drops
        (b"\xff\x00", "base64", "/wA"),
        (b"\xff\x00", "base64", "/wA=="),
        (b"\xff\x00", "base64", "/wA=\\n"),
        (b"\xff\x00", "base64", " /wA="),
        (b"\xff\x00", "base64", "/w-A="),
        (b"\xff\x00", "base64", "/wA=/wA="),
        (b"\xff\xfe", "base64", "__4="),  # the alphabet for addresses
        (b"\xff\x00", "base64", "/wÄ="),
        (b"{}", "base64", "e30="),  # what is UTF-8 stands there as it is
        (b"\xff", "utf-8", "\\ud800"),
    ],
)
def test_a_state_in_another_spelling_does_not_hold(file: Path, state: bytes, encoding: str, spelling: str) -> None:
    written_so, state_so = encoded_state(state)
    document = written(a_proof(state)).replace(
        f'"state_encoding": "{written_so}",\n    "state": "{state_so}"'.encode(),
        f'"state_encoding": "{encoding}",\n    "state": "{spelling}"'.encode(),
    )
    assert document != written(a_proof(state))
    assert not passes(document, file, lambda path: check(read_proof(path)))


@pytest.mark.parametrize(
    ("written_so", "spelling"),
    [
        (b'"position": 12', b'"position": 12.0'),
        (b'"position": 12', b'"position": 1.2e1'),
        (b'"position": 12', b'"position": 012'),
        (b'"position": 12', b'"position": NaN'),
        (b'"position": 12', b'"position": -12'),
        (b'"position": 12', b'"position": ' + b"9" * 5_000),
        (b'"position": 12', b'"position": 12,\n  "position": 12'),
        (b'"position": 12', b'"position": 12,\n  "note": null'),
        (b'"position": 12', b'"position": "12"'),
        (b'"position": 12', b'"position": ' + b"[" * 100_000),
        (b'"position"', b'"\\u0070osition"'),
        (b"\n}\n", b"\n}"),
        (b"\n}\n", b"\n}\n\n"),
        (b"\n}\n", b"\n}\n{}\n"),
        (b"\n", b"\r\n"),
        (b"{", b"\xef\xbb\xbf{"),
        (b'00Z"', b'00+00:00"'),
        (b'00Z"', b'00.000Z"'),
        (b'00Z"', b'00"'),
        (b'"signature": "', b'"signature": "00'),
    ],
)
def test_a_checkpoint_in_another_spelling_does_not_hold(file: Path, written_so: bytes, spelling: bytes) -> None:
    document = signed(HeadToSign(STORE, 12, sha256(b"a").digest(), AT), LATER, KEY)
    assert written_so in document
    assert not passes(document.replace(written_so, spelling), file, read_checkpoint)


def test_a_checkpoint_in_capitals_or_without_a_signature_does_not_hold(file: Path) -> None:
    document = signed(HeadToSign(STORE, 12, sha256(b"a").digest(), AT), LATER, KEY)
    found = json.loads(document)
    for name in ("store", "chain", "public_key", "signature"):
        other = document.replace(found[name].encode(), found[name].upper().encode())
        assert other != document
        assert not passes(other, file, read_checkpoint)
    assert not passes(document.replace(found["signature"].encode(), b""), file, read_checkpoint)
    assert not passes(document.replace(found["signature"].encode(), b"00" * 64), file, read_checkpoint)
    unsigned = document.replace(b',\n  "signature": "' + found["signature"].encode() + b'"', b"")
    assert not passes(unsigned, file, read_checkpoint)


@pytest.mark.parametrize("place", [0, 1])
def test_a_proof_that_lacks_a_commit_does_not_hold(file: Path, place: int) -> None:
    document = json.loads(written(a_proof()))
    del document["later_commits"][place]
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with pytest.raises(DoesNotHold, match="The proof does not hold"):
        check(read_proof(file))


@pytest.mark.parametrize("content", [b"", b"{}", b"orders,7\n", b"\xff\xfe", b"[" * 5_000, b'{"position": 6}'])
def test_what_is_no_proof_and_no_checkpoint_is_wrong_input(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InputError, match="is not a proof"):
        read_proof(file)
    with pytest.raises(InputError, match="is not a checkpoint"):
        read_checkpoint(file)


def test_a_proof_is_no_checkpoint_nor_the_other_way_round(file: Path) -> None:
    file.write_bytes(written(a_proof()))
    with pytest.raises(InputError, match="is not a checkpoint"):
        read_checkpoint(file)
    file.write_bytes(signed(HeadToSign(STORE, 12, GENESIS, AT), LATER, KEY))
    with pytest.raises(InputError, match="is not a proof"):
        read_proof(file)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_proof(file.parent / "none")


def test_a_checkpoint_says_what_was_signed_and_anybody_can_check_it(file: Path) -> None:
    head = HeadToSign(STORE, 41_027, sha256(b"head").digest(), AT)
    file.write_bytes(signed(head, LATER, KEY))
    assert read_checkpoint(file, PUBLIC) == Checkpoint(*head, LATER, PUBLIC)

    found = json.loads(file.read_bytes())
    assert list(found) == [
        "format", "store", "position", "chain", "recorded_at", "signed_at", "public_key", "signature"
    ]  # fmt: skip
    lines = [
        "replayhouse checkpoint 1",
        f"store {STORE}",
        "position 41027",
        f"chain {head.chain.hex()}",
        "recorded_at 2026-03-01T12:00:00.123456Z",
        "signed_at 2026-03-02T00:00:00Z",
    ]
    message = "".join(f"{line}\n" for line in lines).encode()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found["public_key"]))
    key.verify(bytes.fromhex(found["signature"]), message)


def test_a_checkpoint_of_another_key_is_not_the_one_that_is_trusted(file: Path) -> None:
    file.write_bytes(signed(HeadToSign(STORE, 12, GENESIS, AT), LATER, KEY))
    with pytest.raises(DoesNotHold, match="somebody else made it"):
        read_checkpoint(file, bytes(32))


def test_a_checkpoint_that_somebody_else_signed_anew_needs_their_key(file: Path) -> None:
    """The forger's own signature fits: only who knows the right key sees that it is another one."""
    forged = signed(HeadToSign(STORE, 12, bytes(32), AT), LATER, Ed25519PrivateKey.generate())
    file.write_bytes(forged)
    assert read_checkpoint(file).public_key != PUBLIC
    with pytest.raises(DoesNotHold):
        read_checkpoint(file, PUBLIC)


def test_a_key_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "signing_key.pem"
    public = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path).public_key().public_bytes_raw() == public
    kept = path.read_bytes()
    with pytest.raises(UsageError, match="never overwritten"):
        make_key(path)
    assert path.read_bytes() == kept


def test_an_empty_file_that_a_full_disk_has_left_is_no_key_and_made_again(tmp_path: Path) -> None:
    path = tmp_path / "signing_key.pem"
    path.touch()
    with pytest.raises(InputError, match="not a signing key"):
        read_key(path)
    public = make_key(path)
    assert read_key(path).public_key().public_bytes_raw() == public
    (tmp_path / "link.pem").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="never overwritten"):
        make_key(tmp_path / "link.pem")


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o601, 0o644, 0o666])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    make_key(path)
    path.chmod(mode)
    with pytest.raises(UsageError, match=rf"has the mode {mode:04o}.*chmod 600.*keygen"):
        read_key(path)
    path.chmod(0o400)
    read_key(path)


def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    make_key(path)
    found = owned_by(path, 4711)
    with patch("os.fstat", return_value=found), pytest.raises(UsageError, match="belongs to the user 4711"):
        read_key(path)


def owned_by(path: Path, user: int) -> os.stat_result:
    found = list(path.stat())
    found[stat.ST_UID] = user
    return os.stat_result(found)


def test_a_key_that_is_lost_or_none_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no signing key .*keygen"):
        read_key(tmp_path / "lost.pem")
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"nothing", other, other[:50]):
        (tmp_path / "key.pem").write_bytes(content)
        with pytest.raises(InputError, match="is not a signing key"):
            read_key(tmp_path / "key.pem")
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path)


def test_a_public_key_is_taken_as_digits_or_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "public"
    assert read_public_key(PUBLIC.hex().upper()) == PUBLIC
    for content in (
        PUBLIC.hex().encode() + b"\n",
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ):
        path.write_bytes(content)
        assert read_public_key(str(path)) == PUBLIC
    for content in (b"", PUBLIC.hex().encode()[:-2], b"-----BEGIN PUBLIC KEY-----"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not a public key"):
            read_public_key(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        read_public_key(str(tmp_path / "none"))


def test_proofs_are_checked_without_a_driver_of_databases() -> None:
    modules = "replayhouse.infra.audit.inclusion, replayhouse.infra.audit.checkpoint"
    code = f"import sys, {modules}; print('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
