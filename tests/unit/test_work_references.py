"""Lines of what later loads look up are read chunk by chunk: each with the families of its chunk, in Python's order."""

from collections.abc import Iterator
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from replayhouse.infra.postgres.binary_copy import field
from replayhouse.infra.staging.work import DuckDBWork
from replayhouse.ingest.ports import Place, Unit

BATCH = 7
UNIT = Unit(3, 5)

places = st.builds(Place, st.integers(3, 5), st.integers(1, 5), st.uuids())
cuts = places | st.sampled_from([UNIT.start, UNIT.end])


@pytest.fixture
def staged() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            "CREATE TABLE work_reference (bucket INT, kind INT, family UUID, destination VARCHAR, line VARCHAR)"
        )
        connection.execute(
            "CREATE TABLE work_lookup"
            " (bucket INT, kind INT, family UUID, destination VARCHAR, file VARCHAR, key UUID, value UUID)"
        )
        yield connection


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(places, max_size=12), data=st.data())
def test_lines_are_those_of_the_families_between_two_places(
    staged: duckdb.DuckDBPyConnection, known: list[Place], data: st.DataObject
) -> None:
    among = cuts if not known else cuts | st.sampled_from(known)
    after, up_to = sorted((data.draw(among), data.draw(among)))
    staged.execute("DELETE FROM work_reference")
    for place in known:
        staged.execute("INSERT INTO work_reference VALUES (?, ?, ?, 'there', ?)", [*place, str(place.key)])

    told = dict(DuckDBWork(staged).references(after, up_to, BATCH))

    lines = told.get("there", "").splitlines()
    assert sorted(lines) == sorted(f"{BATCH}\t{place.key}" for place in known if after < place <= up_to)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(st.tuples(places, st.none() | st.sampled_from(["orders", "products.weight"]), st.uuids())))
@example(known=[])
def test_ids_are_rows_of_binary_copy(
    staged: duckdb.DuckDBPyConnection, known: list[tuple[Place, str | None, UUID]]
) -> None:
    staged.execute("DELETE FROM work_lookup")
    for place, file, value in known:
        table = "pairs" if file is None else "records"
        staged.execute("INSERT INTO work_lookup VALUES (?, ?, ?, ?, ?, ?, ?)", [*place, table, file, place.key, value])

    told = dict(DuckDBWork(staged).lookups(UNIT.start, UNIT.end, BATCH))

    for table in ("pairs", "records"):
        rows = [
            len(fields).to_bytes(2, "big") + b"".join(map(field, fields))
            for place, file, value in known
            if (file is None) == (table == "pairs")
            for fields in [[BATCH.to_bytes(4, "big"), *([file.encode()] if file else []), place.key.bytes, value.bytes]]
        ]
        assert told.get(table) == (b"".join(rows) or None)
