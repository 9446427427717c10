"""The rules of quality over staged records: one named SQL query a rule, in `sql/checks/`, one file a dimension."""

import re
from collections.abc import Collection
from functools import cache
from importlib.resources import files

import duckdb

from replayhouse.domain.quality.rules import RULE, Check, Dimension

NAMED_QUERY = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def count_checks(connection: duckdb.DuckDBPyConnection, off: Collection[str] = ()) -> tuple[Check, ...]:
    """Holds each rule on records against a staged extract; left out are those of which there is nothing to say, and
    those that are `off`.
    """
    held = {rule: query for rule, query in queries().items() if rule not in off}
    counted = ((RULE[rule], connection.execute(query).fetchone()) for rule, query in held.items())
    return tuple(Check(rule, int(found[0] or 0), int(found[1] or 0)) for rule, found in counted if found is not None)


@cache
def queries() -> dict[str, str]:
    """The query of each rule on records, by the rule's name."""
    found: dict[str, str] = {}
    for dimension in Dimension:
        script = (files("replayhouse.infra.staging") / "sql" / "checks" / f"{dimension}.sql").read_text(
            encoding="utf-8"
        )
        _, *parts = NAMED_QUERY.split(script)
        found.update(zip(parts[::2], parts[1::2], strict=True))
    return found
