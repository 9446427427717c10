"""Hashes that the log or a load that was killed has of records are made as ever, whichever way is quickest."""

from collections.abc import Iterator
from hashlib import md5
from uuid import UUID

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.staging.staging import sql


@pytest.fixture(scope="module")
def staging() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(sql("macros"))
        connection.execute(sql("buckets"))
        yield connection


@given(st.uuids())
def test_a_family_is_in_the_bucket_of_the_first_byte_of_its_hash(staging: duckdb.DuckDBPyConnection, key: UUID) -> None:
    found = staging.execute("SELECT bucket_of(?::UUID)", [str(key)]).fetchone()
    assert found == (md5(str(key).encode(), usedforsecurity=False).digest()[0],)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), min_size=1, max_size=5))
def test_samples_are_compared_by_the_sums_of_the_halves_of_their_hashes(
    staging: duckdb.DuckDBPyConnection, samples: list[str]
) -> None:
    found = staging.execute(
        "SELECT concat_ws('+', sum(upper_half(md5_number(s))), sum(lower_half(md5_number(s)))) FROM unnest(?) AS t (s)",
        [samples],
    ).fetchone()
    hashes = [md5(sample.encode(), usedforsecurity=False).digest() for sample in samples]
    upper, lower = (
        sum(int.from_bytes(hashed[half], "little") for hashed in hashes) for half in (slice(8, 16), slice(8))
    )
    assert found == (f"{upper}+{lower}",)
