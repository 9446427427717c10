"""Ids that are computed from keys at hand are those that a mapping makes of the same keys in DuckDB."""

from collections.abc import Iterator
from uuid import UUID

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.sources.document import Source
from replayhouse.infra.sources.macros import create_macros
from replayhouse.infra.sources.natural_keys import id_of_key, person_id_of_key

SECRETS = (b"", bytes(range(32)), b"\xff" * 64)
"""A short one is filled up to a block, as that of a store is; one that fills it is taken as it is."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["", " ", "\0", "#1001", " #1001", "ana@example.com", "São Paulo", "a\0b", "e\u0301", "\u00e9", "\ufeff1", "😀"]
)


@pytest.fixture(scope="module")
def sources() -> Iterator[dict[bytes, duckdb.DuckDBPyConnection]]:
    """A database for each secret, with the functions of a mapping."""
    made = {}
    for secret in SECRETS:
        made[secret] = duckdb.connect()
        create_macros(made[secret], Source(name="my-shop", zone="America/Sao_Paulo"), secret)
    yield made
    for connection in made.values():
        connection.close()


def one(connection: duckdb.DuckDBPyConnection, call: str, *values: str) -> UUID:
    row = connection.execute(f"SELECT {call}", list(values)).fetchone()
    assert row is not None
    return UUID(row[0])


@given(kind=texts, key=texts)
def test_an_id_is_the_one_that_the_mapping_makes(
    sources: dict[bytes, duckdb.DuckDBPyConnection], kind: str, key: str
) -> None:
    assert id_of_key("my-shop", kind, key) == one(sources[b""], "id(?, ?)", kind, key)


@given(key=texts, secret=st.sampled_from(SECRETS))
def test_a_persons_id_is_the_one_that_the_mapping_makes(
    sources: dict[bytes, duckdb.DuckDBPyConnection], key: str, secret: bytes
) -> None:
    assert person_id_of_key("my-shop", key, secret) == one(sources[secret], "person_id(?)", key)


def test_another_source_another_kind_and_another_secret_make_other_ids() -> None:
    ids = {id_of_key("shop", "order", "1"), id_of_key("other", "order", "1"), id_of_key("shop", "product", "1")}
    people = {person_id_of_key(source, "1", secret) for source in ("shop", "other") for secret in SECRETS[1:]}
    assert len(ids | people) == 7


@pytest.mark.parametrize("key", ["\ud800", "#10\udce901"])
def test_what_is_no_text_has_no_id(key: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        id_of_key("shop", "order", key)
