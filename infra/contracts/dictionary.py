"""The data dictionary, as Markdown: the diagram of the star schema, and each table with its columns, as declared."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, MetaData, Table

from replayhouse.infra.contracts.diagram import diagram_of
from replayhouse.ingest.records import RECORDS
from replayhouse.projections.fingerprint import shapes_of
from replayhouse.projections.links import Link
from replayhouse.projections.marts import MARTS
from replayhouse.projections.projection import PERSONAL, View
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.sources import candidates_of, files_of
from replayhouse.projections.warehouse import PROJECTIONS

_INTRODUCTION = """# Data dictionary

Every table of the star schema and every column: what it means, where it is from, what it leads to. Made by
`make contracts` from the declarations in `projections/`, from which the database has its tables, comments and foreign
keys too. How tables are filled, and what holds for all of them, is told in [read models](read-models.md); how values
are derived, by the [rules](rules-and-tests.md). Columns of the primary key are bold.

- *From* names file and column of the extract whose value it is, or that it is made of; it came as an event, see
  [events](consuming-reference.md#events). Where it is empty, the value is derived from others: the [lineage of
  columns](column-lineage.md) says from which.
- *Personal* columns are sealed in the log; the tables show them in clear text until the person is erased.
- *Leads to* names the key of another table that the column holds. *Always*: the same stream makes both rows. Any other
  may be missing, since the source names what it does not list: join with `LEFT JOIN`. Within a schema these links are
  foreign keys in the database, for tools that draw them
  ([not enforced](decisions/0028-links-are-foreign-keys-that-are-not-enforced.md), from PostgreSQL 18 on).

## Diagram

Keys, and what leads where; a line is named after its column. `||` is a row that is always there, `|o` one that may be
missing.
"""
_STATE = """
## The state of a delivery

`fulfillment.fact_delivery` has no state of its own. Its zip prefix leads to the state that most samples of the prefix
have:

```sql
SELECT g.state, count(*) AS deliveries, round(avg(d.days_to_deliver), 1) AS days
FROM fulfillment.fact_delivery AS d
LEFT JOIN fulfillment.dim_geography AS g ON g.zip_prefix = d.destination_zip
GROUP BY g.state ORDER BY g.state NULLS LAST
```

That is null for a prefix without samples. The state that the customer gave with the order stands in the person's
addresses: the newest that was valid when the order was placed, and of those of one moment the one with the zip prefix
of the delivery.

```sql
SELECT d.order_id, a.state
FROM fulfillment.fact_delivery AS d
LEFT JOIN LATERAL (
    SELECT state FROM customer.address_history AS h
    WHERE h.customer_id = d.customer_id AND h.valid_from <= d.placed_at
    ORDER BY h.valid_from DESC, (h.zip_prefix = d.destination_zip) DESC, h.seq DESC LIMIT 1
) AS a ON true
```
"""
_MARTS = """What needs several contexts, materialised; [read models](read-models.md#marts) tells when they are renewed.
Columns by which rows are told apart are bold. *Personal* columns follow from what a person told: they are unknown once
the person is erased."""


class Described(NamedTuple):
    """A table of the dictionary, or a view in the shape of one."""

    table: Table
    is_view: bool


def dictionary_page() -> str:
    """The whole page."""
    lines = (
        _INTRODUCTION,
        *diagram_of([one.table for one in described()]),
        _STATE.rstrip("\n"),
        *_schemas(),
        *_marts(),
    )
    return "".join(f"{line}\n" for line in lines)


def described() -> list[Described]:
    """All tables and views of the star schema, by schema, in the order of the contract."""
    found: list[Described] = []
    for projection in PROJECTIONS.values():
        found += (Described(table, is_view=False) for table in projection.tables)
        tables = {table.name: table for table in projection.tables}
        found += (Described(table_of(view, tables), is_view=True) for view in projection.views)
    return [*found, Described(DIM_DATE, is_view=False)]


def table_of(view: View, tables: Mapping[str, Table]) -> Table:
    """A view as a table of its columns. What it takes from its first table keeps its meaning, links and key."""
    first = next(iter(tables.values()))
    columns: list[Column[Any]] = []
    for selected in view.select(tables).selected_columns:
        own = first.columns.get(selected.name)
        if own is None:
            columns.append(Column(selected.name, selected.type, comment=view.column_comments[selected.name]))
        else:
            columns.append(_copy_of(own))
    return Table(view.name, MetaData(schema=first.schema), *columns, comment=view.comment, info=first.info)


def _copy_of(column: Column[Any]) -> Column[Any]:
    """A column that belongs to no table yet."""
    info: dict[str, Any] = {**column.info}
    key, null = column.primary_key, column.nullable
    return Column(column.name, column.type, primary_key=key, nullable=null, comment=column.comment, info=info)


def _schemas() -> Iterator[str]:
    schema = None
    for one in described():
        if one.table.schema != schema:
            schema = one.table.schema
            yield ""
            yield f"## {schema}"
        yield from _table(one)


def _marts() -> Iterator[str]:
    yield from ("", "## mart", "", _MARTS)
    for mart in MARTS:
        yield from ("", f"### mart.{mart.name}", "", f"{mart.comment}.", "")
        yield from ("| column | meaning | personal |", "|---|---|---|")
        for column, comment in mart.column_comments.items():
            name = f"**`{column}`**" if column in mart.key else f"`{column}`"
            personal = "personal" if column in mart.personal else ""
            yield f"| {name} | {comment.replace('|', chr(92) + '|')} | {personal} |"


def _table(one: Described) -> Iterator[str]:
    table = one.table
    yield ""
    yield f"### {table.schema}.{table.name}"
    yield ""
    files = ", ".join(f"`{file}`" for file in files_of(table))
    yield f"{'A view. ' if one.is_view else ''}{table.comment}.{f' Files: {files}.' if files else ''}"
    yield ""
    yield "| column | type | null | meaning | personal | from | leads to |"
    yield "|---|---|---|---|---|---|---|"
    for column, shape in zip(table.columns, shapes_of([table])[table.name], strict=True):
        name = f"**`{column.name}`**" if shape.key else f"`{column.name}`"
        null = "null" if shape.is_null else ""
        personal = "personal" if column.info.get(PERSONAL) else ""
        meaning = str(column.comment).replace("|", "\\|")
        yield f"| {name} | {shape.type} | {null} | {meaning} | {personal} | {_source(column)} | {_target(column)} |"


def _source(column: Column[Any]) -> str:
    """File and column of the extract; empty where no record has a field of that name."""
    for file, field in candidates_of(column):
        if found := RECORDS[file].model_fields.get(field):
            return f"`{file}.{found.alias or field}`"
    return ""


def _target(column: Column[Any]) -> str:
    link = column.info.get(Link)
    if link is None:
        return ""
    anchor = f"{link.schema}{link.table}"
    return f"[{link.address}](#{anchor}){', always' if link.is_certain else ''}"
