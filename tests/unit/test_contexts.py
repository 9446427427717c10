"""The list of contexts, and whatever there must be one of for each of them: a wrong or forgotten entry is named."""

import re
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from random import Random
from typing import Any
from uuid import UUID

import pytest

from replayhouse import domain, projections
from replayhouse.domain.contexts import CONTEXTS, Context
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.infra.privacy.erasure import streams_naming
from replayhouse.infra.privacy.erasure_plan import SHOWN
from replayhouse.infra.privacy.mentions import Names
from replayhouse.infra.read_models.prefixes import TAKEN
from replayhouse.projections.projection import Rows, Stream, personal_columns
from replayhouse.projections.versions import VERSIONS
from replayhouse.projections.warehouse import BUSINESS_TIMES, PERSONAL_CONTEXTS, PROJECTIONS
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn
from tests.support.read_side_events import KINDS

ROOT = Path(__file__).parents[2]
MARK = "Zacarias"
"""What personal fields hold where it matters who shows them."""


def must_be_the_contexts(found: Iterable[str], what: str) -> None:
    """Fails with the names that the list lacks, and with those that stand in the list alone."""
    names = set(found)
    unlisted, missing = sorted(names - {*CONTEXTS}), sorted({*CONTEXTS} - names)
    assert not unlisted, f"domain/contexts.py lacks {', '.join(unlisted)}, of which there is {what}"
    assert not missing, f"domain/contexts.py lists {', '.join(missing)}, of which there is not {what}"


def test_each_context_has_its_package_with_events_and_each_package_is_a_context() -> None:
    packages = {module.name for module in iter_modules(domain.__path__) if module.ispkg} - {"kernel"}
    must_be_the_contexts(packages, "a package in domain")
    must_be_the_contexts((name for name in packages if Context(name).events), "an event")


def test_each_context_has_its_projection_and_each_projection_is_of_a_context() -> None:
    names = [module.name for module in iter_modules(projections.__path__) if not module.ispkg]
    declaring = {name for name in names if hasattr(import_module(f"projections.{name}"), "PROJECTION")}
    must_be_the_contexts(declaring, "a projection")
    assert {name: projection.context for name, projection in PROJECTIONS.items()} == {name: name for name in CONTEXTS}
    assert {table.schema for projection in PROJECTIONS.values() for table in projection.tables} == {*CONTEXTS}


def test_each_context_has_a_version_of_its_read_model() -> None:
    must_be_the_contexts(VERSIONS, "a version in projections/versions.py")


def test_import_linter_keeps_the_contexts_apart() -> None:
    linter = ConfigParser()
    linter.read(ROOT / ".importlinter")
    layers = linter["importlinter:contract:contexts"]["layers"].split("\n")
    must_be_the_contexts(re.split(r"[ |]+", layers[2]), "a place in .importlinter")


def test_each_context_says_what_it_shows() -> None:
    assert {context.value: context.shows for context in Context} == {
        "sales": "Orders, their lines and payments",
        "fulfillment": "Deliveries and geography",
        "customer": "People, their addresses and segments, reviews",
        "marketplace": "Products, sellers and categories",
        "quality": "Loads, what their rules found, and rows that were kept apart",
    }


def test_topics_of_each_context_are_registered_in_the_order_of_the_list() -> None:
    assert tuple(dict.fromkeys(context for context, _ in REGISTRY.topics)) == CONTEXTS


def test_no_prefix_may_be_called_like_a_schema_of_a_context() -> None:
    names = [f"{context}{end}" for context in CONTEXTS for end in ("", "_r1", "_next", "_gone")]
    assert [name for name in names if not TAKEN.fullmatch(name)] == []
    assert not TAKEN.fullmatch("sales2018")


def test_streams_of_each_context_are_drawn_by_the_tests_of_folds() -> None:
    must_be_the_contexts((context for context, _ in KINDS_OF_STREAMS), "a stream in tests/support/drawn_events.py")
    must_be_the_contexts((context for context, _ in KINDS.values()), "a stream in tests/support/read_side_events.py")


# --- personal fields ---------------------------------------------------------------------------------------------


def test_contexts_whose_events_have_personal_fields_are_those_whose_columns_are_personal() -> None:
    told = {context.value for context in Context if any(map(personal_fields, context.events))}
    assert set(PERSONAL_CONTEXTS) == told, "an erasure folds the streams of these anew, and of no others"


def test_an_erasure_finds_the_streams_of_each_context_with_personal_fields() -> None:
    nobody = Names(frozenset(), frozenset(), frozenset())
    assert streams_naming([], nobody, []).keys() == set(PERSONAL_CONTEXTS)


def test_the_plan_of_an_erasure_counts_the_rows_of_each_table_with_personal_columns() -> None:
    tables = {table.fullname: table for projection in PROJECTIONS.values() for table in projection.tables}
    assert SHOWN.keys() == {name for name, table in tables.items() if personal_columns(table)}
    assert [name for name, (column, _) in SHOWN.items() if column not in tables[name].columns] == []


def marked(event: DomainEvent) -> DomainEvent:
    names = {field.name for field in fields(event) if field.metadata.get("personal")}  # type: ignore[arg-type]  # all are
    changes: dict[str, Any] = dict.fromkeys(names, MARK)
    return replace(event, **changes) if names else event  # type: ignore[type-var]  # every event is a dataclass


def showing(rows: Rows) -> Iterator[tuple[str, int]]:
    """Tables and places of their columns in which the mark stands, in whatever form."""
    for table, of_table in rows.items():
        for row in of_table:
            yield from ((table, place) for place, value in enumerate(row) if MARK.lower() in str(value).lower())


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_shows_personal_fields_is_marked_as_personal(context: str) -> None:
    """A column that is not stays as it is when somebody is erased, in materialised views and in statistics."""
    tables = {table.name: table for table in PROJECTIONS[context].tables}
    shown = set()
    for kind in (kinds for of, kinds in KINDS_OF_STREAMS if of == context):
        random = Random(kind[0].__name__)
        for _ in range(50):
            events = [marked(drawn(event, random)) for event in (kind[0], *random.choices(kind, k=4))]
            shown |= set(showing(PROJECTIONS[context].fold(Stream(UUID(int=4), 1, events))))
    found = {f"{name}.{tables[name].columns.keys()[place]}" for name, place in shown}
    assert found == {f"{table.name}.{column}" for table in tables.values() for column in personal_columns(table)}


# --- the calendar ------------------------------------------------------------------------------------------------


def test_the_calendar_reaches_as_far_as_the_times_of_orders_and_reviews() -> None:
    assert BUSINESS_TIMES == {
        "sales": {
            "fact_order": ("placed_at", "approved_at", "shipped_at", "completed_at", "promised_by"),
            "fact_order_item": ("ship_by",),
        },
        "customer": {"fact_review": ("created_at", "answered_at")},
    }
