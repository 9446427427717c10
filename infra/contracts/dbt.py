"""The star schema and the marts as sources of dbt: what there is, what it means, and tests that hold for all of it.

A file of properties as dbt-core reads it from 1.10.5 on: https://docs.getdbt.com/reference/source-properties. What need
not hold is not tested: links that may lead nowhere, and that personal columns have a value, which `masked` withholds.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Table

from replayhouse.domain.contexts import Context
from replayhouse.infra.contracts.dictionary import described
from replayhouse.infra.read_models import calendar, marts
from replayhouse.projections.fingerprint import Shape, shapes_of
from replayhouse.projections.links import Link, comment_of
from replayhouse.projections.marts import MARTS, Mart
from replayhouse.projections.projection import PERSONAL, WORDS
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.sights import MART

Properties = dict[str, Any]
"""A mapping of the file, its values strings, lists and mappings."""

_HEAD = "# Made by `make contracts` from the declarations in `projections/`; docs/dbt.md says how to use it.\n"
_MEANINGS = {
    **{context.value: context.shows for context in Context},
    str(DIM_DATE.schema): calendar.COMMENT,
    MART: marts.COMMENT,
}
# A project may read all sources in one schema, such as `masked`, and those of a prefix: `then_`.
_SCHEMA = "{{{{ var('replayhouse_prefix', '') }}}}{{{{ var('replayhouse_schema', '{}') }}}}"
_NEWEST = f"SELECT max(completed_at) FROM {_SCHEMA.format(Context.QUALITY)}.batch WHERE status = 'completed'"
_PLAIN = re.compile(r"(?!(?:n|no|null|off|on|true|false|y|yes)$)[a-z]\w*", re.ASCII)


def sources_file() -> str:
    """The whole file, as YAML."""
    return _HEAD + "".join(f"{line}\n" for line in _lines(sources()))


def sources() -> Properties:
    """What the file says: a source for each context, one for what they share, and one for the marts."""
    by_schema = groupby((one.table for one in described()), key=lambda table: str(table.schema))
    found = [_source(schema, [_table(table) for table in tables]) for schema, tables in by_schema]
    return {"version": 2, "sources": [*found, _source(MART, [_mart(mart) for mart in MARTS])]}


def _source(schema: str, tables: Sequence[Properties]) -> Properties:
    """Each table is as fresh as the newest load that stands; how old that may be, a project says."""
    return {
        "name": schema,
        "description": f"{_MEANINGS[schema]}.",
        "schema": _SCHEMA.format(schema),
        "config": {"loaded_at_query": _NEWEST},
        "tables": list(tables),
    }


def _table(table: Table) -> Properties:
    shapes = shapes_of([table])[table.name]
    keys = [shape.name for shape in shapes if shape.key]
    columns = [_column(column, shape, keys) for column, shape in zip(table.columns, shapes, strict=True)]
    return _described(table.name, str(table.comment), keys, columns)


def _column(column: Column[Any], shape: Shape, keys: Sequence[str]) -> Properties:
    is_personal = bool(column.info.get(PERSONAL))
    tests = _tests(column.name, keys, has_value=not shape.is_null and not is_personal)
    link: Link | None = column.info.get(Link)
    if link is not None and link.is_certain:
        to = {"to": f"source('{link.schema}', '{link.table}')", "field": link.column}
        tests.append({"relationships": {"arguments": to}})
    if words := column.info.get(WORDS):
        tests.append({"accepted_values": {"arguments": {"values": list(words)}}})
    return _described_column(column.name, comment_of(column), shape.type, is_personal, tests)


def _mart(mart: Mart) -> Properties:
    """A column's type is what its query gives, and that of the key's columns none is null."""
    columns = [
        _described_column(
            name, comment, None, name in mart.personal, _tests(name, mart.key, has_value=name in mart.key)
        )
        for name, comment in mart.column_comments.items()
    ]
    return _described(mart.name, mart.comment, mart.key, columns)


def _tests(name: str, keys: Sequence[str], *, has_value: bool) -> list[Any]:
    return [test for test, holds in (("unique", [name] == list(keys)), ("not_null", has_value)) if holds]


def _described(name: str, comment: str, keys: Sequence[str], columns: Sequence[Properties]) -> Properties:
    """A table; a key of several columns is unique as a row of them, which PostgreSQL compares as a whole."""
    properties: Properties = {"name": name, "description": f"{comment}."}
    if len(keys) > 1:
        properties["data_tests"] = [{"unique": {"arguments": {"column_name": f"({', '.join(keys)})"}}}]
    return {**properties, "columns": list(columns)}


def _described_column(name: str, comment: str, kind: str | None, is_personal: bool, tests: Sequence[Any]) -> Properties:
    properties: Properties = {"name": name, "description": comment}
    if kind is not None:
        properties["data_type"] = kind
    if is_personal:
        properties["config"] = {"meta": {PERSONAL: True}}
    if tests:
        properties["data_tests"] = list(tests)
    return properties


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    """A mapping or a list in YAML's block style. Strings that need quotes have JSON's, which are YAML's too."""
    is_mapping = isinstance(value, dict)
    for mark, item in ((f"{key}:", value[key]) if is_mapping else ("-", key) for key in value):
        if not isinstance(item, dict | list):
            yield f"{indent}{mark} {_scalar(item)}"
        elif is_mapping:
            yield f"{indent}{mark}"
            yield from _lines(item, f"{indent}  ")
        else:
            first, *rest = _lines(item, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest


def _scalar(value: str | int | bool) -> str:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
