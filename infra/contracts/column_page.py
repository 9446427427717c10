"""The page of the lineage of columns, as Markdown."""

from collections.abc import Iterator, Mapping

from replayhouse.infra.contracts.column_lineage import DECLARED, Lineage, lineages

_INTRODUCTION = """# Lineage of columns

From which fields of events each column of the star schema follows, and from which columns of an extract those come.
Made by `make contracts`; `contracts/lineage/columns.json` is the same for machines, and what
[events of OpenLineage](lineage.md) tell.

It was found by experiment: streams of events are drawn by chance and folded, then one field of one event gets another
value, or an event is left out, and the stream is folded again. The columns that have moved follow from that.

- **Bold** fields are copied: where the column follows from the field, it has its value. Others are a part of what it
  is made of.
- An event without a field moves the column by having happened. That is told where nothing is copied: a copied time may
  still be hidden by an event after it.
- `stream_id` and `position` are of the stream: its id, and the position of its newest event.
- Fields that tell which row is meant, such as the number of a line, are told of the key alone within their table.
- *From* names files and columns of the extract, as the [data dictionary](data-dictionary.md) has them where the value
  is theirs; else all that its fields come from. It is empty where the value tells of the load, or of the log.
"""
_DECLARED = """
## Declared

{declared} of {columns} columns an experiment does not tell; what they follow from is declared, marked by *declared*:

"""


def column_page() -> str:
    """The whole page."""
    tables = lineages()
    columns = sum(len(of_table) for of_table in tables.values())
    lines = [
        _INTRODUCTION.rstrip("\n"),
        _DECLARED.format(declared=len(DECLARED), columns=columns).rstrip("\n"),
        "",
        *(f"- `{table}.{name}`: {declared.why}." for (table, name), declared in DECLARED.items()),
    ]
    for table, of_table in tables.items():
        lines += _table(table, of_table)
    return "".join(f"{line}\n" for line in lines)


def _table(table: str, columns: Mapping[str, Lineage]) -> Iterator[str]:
    yield from ("", f"## {table}", "", "| column | fields and events | from |", "|---|---|---|")
    context = table.partition(".")[0]
    for name, one in columns.items():
        fields = [_field(field, context, is_copied=field in one.copied) for field in one.fields]
        told = [*sorted(fields, key=lambda text: not text.startswith("**")), *(_code(e, context) for e in one.events)]
        cells = ", ".join(f"`{cell}`" for cell in one.cells)
        yield f"| `{name}` | {', '.join(told)}{' (*declared*)' if one.why else ''} | {cells} |"


def _field(field: str, context: str, *, is_copied: bool) -> str:
    return f"**{_code(field, context)}**" if is_copied else _code(field, context)


def _code(name: str, context: str) -> str:
    return f"`{name.removeprefix(f'{context}.')}`"
