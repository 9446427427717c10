"""The hashes of the log are RFC 6962's: known roots, and the definition itself against the quick way."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.event_store.merkle import GENESIS, chain_of, leaf_of, root_of

# The test vectors that implementations of Certificate Transparency share: the data of eight leaves, and the roots of
# the trees over the first one, two, three, ... of them.
DATA = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_that_certificate_transparency_knows(count: int) -> None:
    leaves = [leaf_of(bytes.fromhex(data)) for data in DATA[:count]]
    assert root_of(leaves).hex() == ROOTS[count - 1]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=200))
def test_level_by_level_gives_the_tree_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)


def test_the_chain_covers_the_one_before_the_range_the_time_and_the_root() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    microseconds = 1_772_366_400_123_456
    by_hand = (
        GENESIS
        + (1).to_bytes(8, "big")
        + (20_000).to_bytes(8, "big")
        + microseconds.to_bytes(8, "big")
        + bytes(range(32))
    )
    assert chain_of(GENESIS, 1, 20_000, at, bytes(range(32))) == sha256(by_hand).digest()
