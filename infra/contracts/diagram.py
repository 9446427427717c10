"""The entity diagram of the star schema, in Mermaid's words: the keys of each table, and a line for each link."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Table

from replayhouse.projections.fingerprint import shapes_of
from replayhouse.projections.links import Link, links


def diagram_of(tables: Sequence[Table]) -> Iterator[str]:
    """The lines of a block of Mermaid. No two tables have the same name, whatever schemas they stand in."""
    yield "```mermaid"
    yield "erDiagram"
    for table in tables:
        yield from _entity(table)
    for table in tables:
        for column, link in links(table):
            many = "o|" if list(table.primary_key.columns) == [column] else "o{"
            one = "||" if link.is_certain else "|o"
            yield f"    {link.table} {one}--{many} {table.name} : {column.name}"
    yield "```"


def _entity(table: Table) -> Iterator[str]:
    """Keys and what leads elsewhere: with all columns the diagram would show nothing."""
    leading: dict[str, Link] = {column.name: link for column, link in links(table)}
    yield f'    {table.name}["{table.schema}.{table.name}"] {{'
    for shape in shapes_of([table])[table.name]:
        marks = [mark for mark, has in (("PK", shape.key), ("FK", shape.name in leading)) if has]
        if marks:
            yield f"        {shape.type} {shape.name} {', '.join(marks)}"
    yield "    }"
