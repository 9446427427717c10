"""The digest is the same for the same rows, whatever their order and however they are divided."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from replayhouse.projections.digest import NOTHING, Digest, digest_of

LINES = st.lists(st.binary(max_size=20))


def test_nothing_has_sixty_four_zeros() -> None:
    assert digest_of([]) == NOTHING
    assert NOTHING.hex == "0" * 64


def test_one_row_has_the_hash_of_its_line() -> None:
    assert digest_of([b"a\t\\N"]).hex == hashlib.sha256(b"a\t\\N").hexdigest()


def test_the_sum_is_taken_modulo_two_to_the_256() -> None:
    assert (Digest(1, 2**256 - 1) + Digest(1, 3)).hex == f"{2:064x}"
    assert Digest(1, 1) - Digest(2, 2) == Digest(-1, 2**256 - 1)


@given(LINES, LINES)
def test_parts_add_up_and_can_be_taken_away(some: list[bytes], more: list[bytes]) -> None:
    both = digest_of(some + more)
    assert digest_of(more) + digest_of(some) == both
    assert both - digest_of(more) == digest_of(some)


@given(LINES.flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines))))
def test_the_order_does_not_matter(lines: tuple[list[bytes], list[bytes]]) -> None:
    assert digest_of(lines[0]) == digest_of(lines[1])


def test_a_row_twice_is_not_a_row_once() -> None:
    assert digest_of([b"a", b"a"]) != digest_of([b"a"])
    assert digest_of([b"a", b"a"]) != digest_of([])
