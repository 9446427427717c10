"""The sources for dbt say what the declarations say, in the form that dbt reads, and test only what always holds."""

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest
import yaml
from sqlalchemy import Table

from replayhouse.infra.contracts.dbt import sources, sources_file
from replayhouse.infra.contracts.dictionary import described
from replayhouse.projections.links import Link
from replayhouse.projections.marts import MARTS
from replayhouse.projections.projection import PERSONAL, WORDS, Projection, Rows, Stream, personal_columns
from replayhouse.projections.sights import relations
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn

SOURCES = sources()["sources"]
TABLES = {f"{source['name']}.{table['name']}": table for source in SOURCES for table in source["tables"]}
DECLARED = {f"{one.table.schema}.{one.table.name}": one.table for one in described()}

FORM: dict[str, dict[str, type]] = {
    "source": {"name": str, "description": str, "schema": str, "config": dict, "tables": list},
    "table": {"name": str, "description": str, "data_tests": list, "columns": list},
    "column": {"name": str, "description": str, "data_type": str, "config": dict, "data_tests": list},
}
"""The properties that dbt knows of each, as far as we use them."""

ARGUMENTS: dict[str, dict[str, type]] = {
    "unique": {"column_name": str},
    "relationships": {"to": str, "field": str},
    "accepted_values": {"values": list},
}
"""Those of the tests that dbt brings along. What a test is called without has none."""

STREAMS = 100
"""Of each kind."""


def columns() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each column with its table's name."""
    for name, table in TABLES.items():
        for column in table["columns"]:
            yield name, column


def given_tests(one: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Arguments by test, none where it is only named."""
    found: dict[str, dict[str, Any]] = {}
    for test in one.get("data_tests", []):
        (name, said), *others = test.items() if isinstance(test, dict) else [(test, {"arguments": {}})]
        assert others == []
        assert said.keys() == {"arguments"}
        found[name] = said["arguments"]
    return found


def test_the_file_holds_the_document_word_for_word() -> None:
    assert yaml.safe_load(sources_file()) == sources()


def test_a_file_says_nothing_that_dbt_does_not_know() -> None:
    assert sources().keys() == {"version", "sources"}
    found = [("source", source) for source in SOURCES]
    found += [("table", table) for table in TABLES.values()] + [("column", column) for _, column in columns()]
    for kind, properties in found:
        known = FORM[kind]
        assert [name for name, value in properties.items() if not isinstance(value, known.get(name, ()))] == []
        assert properties["name"]
        assert properties["description"].strip(". ")
    assert {key for source in SOURCES for key in source["config"]} == {"loaded_at_query"}
    assert {str(column["config"]) for _, column in columns() if "config" in column} == {str({"meta": {PERSONAL: True}})}
    for one in (*TABLES.values(), *(column for _, column in columns())):
        for test, arguments in given_tests(one).items():
            assert test in {"not_null", *ARGUMENTS}
            known = ARGUMENTS.get(test, {}) if arguments else {}
            assert {name: type(value) for name, value in arguments.items()} == known


def test_every_table_view_and_mart_is_there_with_its_columns() -> None:
    shown = {f"{one.place}.{one.name}": one for one in relations()}
    assert TABLES.keys() == shown.keys()
    for name, one in shown.items():
        assert tuple(column["name"] for column in TABLES[name]["columns"]) == one.columns
        personal = {column["name"] for column in TABLES[name]["columns"] if "config" in column}
        assert personal == one.personal | set(personal_columns(DECLARED[name]) if name in DECLARED else ())


def test_a_key_is_unique() -> None:
    keys = {name: [column.name for column in table.primary_key.columns] for name, table in DECLARED.items()}
    keys |= {f"mart.{mart.name}": list(mart.key) for mart in MARTS}
    assert keys.keys() == TABLES.keys()
    for name, key in keys.items():
        of_columns = [column["name"] for of, column in columns() if of == name and "unique" in given_tests(column)]
        of_table = given_tests(TABLES[name]).get("unique")
        if len(key) == 1:
            assert (of_columns, of_table) == (key, None)
        else:
            assert (of_columns, of_table) == ([], {"column_name": f"({', '.join(key)})"})


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_tested_of_a_column_is_what_it_is_declared_to_be(name: str) -> None:
    given = {column["name"]: given_tests(column) for of, column in columns() if of == name}
    for column in DECLARED[name].columns:
        tests, link = given[column.name], column.info.get(Link)
        assert ("not_null" in tests) == (not column.nullable and not column.info.get(PERSONAL))
        if link is not None and link.is_certain:
            assert tests["relationships"] == {"to": f"source('{link.schema}', '{link.table}')", "field": link.column}
            assert link.column in {there["name"] for there in TABLES[f"{link.schema}.{link.table}"]["columns"]}
        else:
            assert "relationships" not in tests
        assert tuple(tests.get("accepted_values", {}).get("values", ())) == column.info.get(WORDS, ())


@pytest.mark.parametrize(("context", "kind"), KINDS_OF_STREAMS)
def test_a_fold_makes_no_other_words_than_a_column_is_declared_to_have(context: str, kind: tuple[Any, ...]) -> None:
    projection, random = PROJECTIONS[context], Random(kind[0].__name__)
    for number in range(STREAMS):
        others = random.choices(kind, k=random.randrange(6))
        events = [drawn(event, random) for event in (kind[0], *others)]
        assert strangers(projection, projection.fold(Stream(UUID(int=number + 1), number + 1, events))) == []


@pytest.mark.parametrize("context", PROJECTIONS)
def test_the_rows_that_no_stream_makes_have_no_other_words_either(context: str) -> None:
    assert strangers(PROJECTIONS[context], PROJECTIONS[context].unknown_members) == []


def strangers(projection: Projection, rows: Rows) -> list[str]:
    """Words of rows that their columns are not declared to have."""
    tables: dict[str, Table] = {table.name: table for table in projection.tables}
    return [
        f"{name}.{column.name}: {value}"
        for name, made in rows.items()
        for row in made
        for column, value in zip(tables[name].columns, row, strict=True)
        if (words := column.info.get(WORDS)) and value not in words
    ]
