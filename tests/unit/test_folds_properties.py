"""What holds for every fold: it fails on no subsequence of a stream, and its rows fit its tables."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.kernel.events import DomainEvent, effective
from replayhouse.infra.read_models.copy_text import DoesNotFit, line_writer
from replayhouse.projections.business_time import fold_of
from replayhouse.projections.dates import DateRow
from replayhouse.projections.projection import (
    POSITION,
    Projection,
    Row,
    Rows,
    Stream,
    columns_without_position,
    key_width,
    row_maker,
)
from replayhouse.projections.replay import difference, differences
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.drawn_events import KINDS_OF_STREAMS, drawn
from tests.support.read_side_events import KINDS, TIMES, a_stream

STREAM = UUID(int=4)


@dataclass(frozen=True, slots=True)
class SomethingElse(DomainEvent):
    """An event that no fold knows."""


def names_of(row: Row) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(row, "_fields", ())
    return names


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_fold_fails_on_no_events_and_its_rows_fit(kind: str, data: st.DataObject) -> None:
    projection = PROJECTIONS[KINDS[kind][0]]
    events = effective(data.draw(a_stream(kind, 7)))

    rows = projection.fold(Stream(STREAM, 42, events))

    tables = {table.name: table for table in projection.tables}
    for name, of_table in rows.items():
        assert len(line_writer(tables[name]).lines(of_table)) == len(of_table)
        width = key_width(tables[name])
        assert len({row[:width] for row in of_table}) == len(of_table), "two rows of a stream have the same key"
        assert {row[-1] for row in of_table} <= {42}
        assert {len(row) for row in of_table} <= {len(tables[name].columns)}
        required = [place for place, column in enumerate(tables[name].columns) if not column.nullable]
        assert all(row[place] is not None for row in of_table for place in required)
        assert {names_of(row) for row in of_table} <= {tuple(tables[name].columns.keys())}, "rows are made by name"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_fold_is_total_on_any_selection_of_a_stream_also_of_what_had_happened_by_some_time(
    kind: str, data: st.DataObject
) -> None:
    """Selections begin anywhere, and leave out whatever they like."""
    projection = PROJECTIONS[KINDS[kind][0]]
    events = effective(data.draw(a_stream(kind, 7)))
    kept = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    selection = [event for event, is_kept in zip(events, kept, strict=True) if is_kept]

    for before in (None, data.draw(TIMES)):
        rows = fold_of(projection, before)(Stream(STREAM, 42, selection))
        changes = differences(projection, {}, rows)
        assert all(
            len(line_writer(table).lines(changes[table.name].written)) == len(rows[table.name])
            for table in projection.tables
            if table.name in rows
        )


def test_rows_of_a_table_that_the_projection_does_not_have_are_refused() -> None:
    nothing, wrong = Rows(), Rows(fact_orders=[])
    for before, after in ((wrong, nothing), (nothing, wrong)):
        with pytest.raises(ValueError, match="sales has no table fact_orders"):
            differences(PROJECTIONS["sales"], before, after)


@pytest.mark.parametrize("context", PROJECTIONS)
def test_a_fold_is_total_whatever_the_stream_begins_with(context: str) -> None:
    """Also in the middle, with what another context's stream would hold, or with what this program knows nothing of."""
    projection, random = PROJECTIONS[context], Random(context)
    tables = {table.name: table for table in projection.tables}
    ours = [kind for of, kinds in KINDS_OF_STREAMS for kind in kinds if of == context]
    for first in (SomethingElse, *(kind for _, kinds in KINDS_OF_STREAMS for kind in kinds)):
        for others in range(3):
            events = [drawn(kind, random) for kind in (first, *random.choices(ours, k=others))]
            rows = projection.fold(Stream(STREAM, 42, events))
            assert all(len(line_writer(tables[name]).lines(of)) == len(of) for name, of in rows.items())


def test_a_row_of_the_wrong_width_is_refused() -> None:
    payments = PROJECTIONS["sales"].tables[2]
    row = (STREAM, 1, "boleto", 1, Decimal("1.00"), 20180108, 42)
    assert len(line_writer(payments).lines([row, row])) == 2
    for wrong in ((*row[:3], *row[4:]), (*row, 42)):
        with pytest.raises(DoesNotFit, match="fact_payment has 7 columns"):
            line_writer(payments).lines([row, wrong])


def test_a_row_is_made_by_the_names_of_all_columns_and_of_no_others() -> None:
    make, row = row_maker(PROJECTIONS["marketplace"].tables[2]), {"category": "casa", "english": "home", "position": 42}
    assert make(**dict(reversed(row.items()))) == ("casa", "home", 42)
    with pytest.raises(TypeError, match="'english'"):
        make(**{name: row[name] for name in ("category", "position")})
    with pytest.raises(TypeError, match="'portuguese'"):
        make(**row, portuguese="casa")


def test_unknown_members_and_days_are_made_by_name_too() -> None:
    assert DateRow._fields == tuple(DIM_DATE.columns.keys())
    for projection in PROJECTIONS.values():
        for table in projection.tables:
            for row in projection.unknown_members.get(table.name, ()):
                assert names_of(row) == tuple(table.columns.keys())


@pytest.mark.parametrize("kind", KINDS)
def test_without_events_there_are_no_rows(kind: str) -> None:
    assert not any(PROJECTIONS[KINDS[kind][0]].fold(Stream(STREAM, 42, [])).values())


@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=PROJECTIONS)
def test_keys_stand_first_and_position_last_and_everything_is_explained(projection: Projection) -> None:
    for table in projection.tables:
        names = [column.name for column in table.columns]
        assert names[-1] == POSITION
        assert names[: key_width(table)] == [column.name for column in table.primary_key.columns]
        assert table.comment
        assert all(column.comment for column in table.columns)


def test_a_digest_covers_all_columns_but_the_position() -> None:
    for table in (table for projection in PROJECTIONS.values() for table in projection.tables):
        assert [*columns_without_position(table), "position"] == [column.name for column in table.columns]


def test_every_dimension_has_its_unknown_member() -> None:
    dimensions = {"dim_geography", "dim_customer", "product", "dim_seller", "dim_category"}
    unknown: Rows = {name: rows for p in PROJECTIONS.values() for name, rows in p.unknown_members.items()}
    assert unknown.keys() == dimensions
    assert all([row[-1] for row in rows] == [0] for rows in unknown.values())


ROWS = st.dictionaries(st.integers(0, 5), st.integers(0, 2)).map(lambda rows: sorted(rows.items()))


@given(before=ROWS, after=ROWS)
def test_a_difference_leads_from_the_rows_before_to_those_after(before: list[Row], after: list[Row]) -> None:
    table = {row[0]: row for row in before}
    written, gone = difference(1, before, after)
    for row in gone:
        assert table.pop(row[0]) == row
    table.update({row[0]: row for row in written})
    assert table == {row[0]: row for row in after}
    assert not any(row in before for row in written)
