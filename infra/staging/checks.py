"""The rules of quality over staged records: one named SQL query a rule, in `sql/checks/`, one file a dimension."""

import re
from functools import cache
from importlib.resources import files

import duckdb

from replayhouse.domain.quality.rules import RULE, Check, Dimension

NAMED_QUERY = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def count_checks(connection: duckdb.DuckDBPyConnection) -> tuple[Check, ...]:
    """Holds each rule on records against a staged extract."""
    return tuple(_count(connection, rule, query) for rule, query in queries().items())


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


def _count(connection: duckdb.DuckDBPyConnection, rule: str, query: str) -> Check:
    checked, failed = connection.execute(query).fetchall()[0]
    return Check(RULE[rule], int(checked or 0), int(failed or 0))
