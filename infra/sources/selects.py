"""What SQL of a mapping may say: one SELECT over the raw tables, of functions that give the same each time.

The query is looked at as DuckDB has parsed it, before anything runs. What it might do besides, the connection that it
runs in keeps it from (running.py).
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

import duckdb

from replayhouse.infra.sources.document import OWN_COLUMNS
from replayhouse.infra.sources.guessable import guessable
from replayhouse.infra.sources.names import may_take_all, meant, plain_name

TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "regexp_split_to_table", "unnest"})
"""What may stand in FROM beside tables: it makes rows of what it is given."""

_OF_THE_SESSION = frozenset(
    {
        *("ago", "current_catalog", "current_localtime", "current_localtimestamp", "current_role", "current_time"),
        *("current_timestamp", "current_user", "localtime", "localtimestamp", "session_user", "user", "version"),
    }
)
"""Functions that say who asks or when, though they are not declared to change."""

_CHANGING = """
    SELECT DISTINCT lower(function_name) FROM duckdb_functions()
    WHERE stability <> 'CONSISTENT' OR schema_name = 'pg_catalog'
"""
_PARSED = "SELECT json_serialize_sql(?)"


class RefusedError(Exception):
    """A query that a mapping may not have; the message is what is wrong, as the rest of a sentence about it."""


class Checker:
    """Looks at queries before they run. `tables` are the raw files by name, `personal` the columns not to be quoted."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, tables: Collection[str], personal: Collection[str]
    ) -> None:
        self._connection = connection
        self._tables = {table.lower(): table for table in tables}
        self._personal = {plain_name(column): column for column in personal}
        changing = {name for (name,) in connection.execute(_CHANGING).fetchall()}
        self._changing = frozenset(changing | _OF_THE_SESSION)

    def tables_of(self, query: str) -> list[str]:
        """The raw files that a query reads, by name. Raises RefusedError where it is no query for a mapping."""
        nodes = list(_nodes(self._parsed(query)))
        own = {part["key"].lower() for node in nodes for part in node.get("cte_map", {}).get("map", ())}
        read: set[str] = set()
        for node in nodes:
            self._refuse_changing(node)
            match node.get("type"):
                case "BASE_TABLE":
                    read |= self._table(node, own)
                case "TABLE_FUNCTION" if node["function"]["function_name"].lower() not in TABLE_FUNCTIONS:
                    raise RefusedError(f"reads {node['function']['function_name']}(): {self._may_read()}")
                case "SHOW_REF":
                    raise RefusedError("is no SELECT")
        if self._personal:
            self._refuse_unnamed(nodes, has_star=may_take_all(query))
        if (how := guessable(nodes, self._personal)) is not None:
            raise RefusedError(how)
        return sorted(read)

    def _parsed(self, query: str) -> dict[str, Any]:
        try:
            [(text,)] = self._connection.execute(_PARSED, [query]).fetchall()
            parsed: dict[str, Any] = json.loads(text)
        except RecursionError as error:
            raise RefusedError("is nested too deep") from error
        if parsed["error"]:
            if parsed["error_type"] == "not implemented":
                raise RefusedError("is no SELECT, and nothing else is run")
            raise RefusedError(f"cannot be read: {parsed['error_message'].splitlines()[0]}")
        if len(parsed["statements"]) != 1:
            raise RefusedError(f"is {len(parsed['statements'])} statements, not one SELECT")
        return parsed

    def _table(self, node: dict[str, Any], own: set[str]) -> set[str]:
        """The raw file that a table in FROM is, if it is one."""
        path = node["qualified_name"]["path"]
        name = path[-1].lower()
        if node.get("sample"):
            raise RefusedError("takes a sample, which is another one each time")
        if len(path) == 1 and name in self._tables:
            return {self._tables[name]}
        if len(path) == 1 and name in own:
            return set()
        raise RefusedError(f"reads {'.'.join(path)!r}: {self._may_read()}")

    def _may_read(self) -> str:
        return f"a mapping reads its own files only ({meant('', self._tables.values())})"

    def _refuse_changing(self, node: dict[str, Any]) -> None:
        name = _function_of(node)
        if node.get("type") == "COLUMN_REF" and len(node["column_names"]) == 1:
            name = node["column_names"][0].lower() if node["column_names"][0].lower() in _OF_THE_SESSION else None
            name = name or _as_function(node, self._changing)
        if name in self._changing:
            raise RefusedError(f"uses {name}, which gives something else each time, and a load is to be repeatable")
        if isinstance(node.get("sample"), dict):
            raise RefusedError("takes a sample, which is another one each time")

    def _refuse_unnamed(self, nodes: list[dict[str, Any]], *, has_star: bool) -> None:
        """Which cells are personal is told by names of columns: so each is named, or a star means all of them."""
        tables = [node for node in nodes if node.get("type") == "BASE_TABLE"]
        aliases = {str(table["alias"]).lower() for table in tables if table["alias"]}
        rows = {*self._tables, *aliases}.difference(OWN_COLUMNS)  # a column is found before a table of its name
        for node in nodes:
            how = None
            if node.get("type") == "POSITIONAL_REFERENCE":
                how = "a column by its place"
            elif node.get("type") == "STAR" and node.get("columns"):
                how = "columns by COLUMNS(...)"
            elif node.get("type") == "PIVOT":
                how = "columns as rows"
            elif node.get("type") == "BASE_TABLE" and node.get("column_name_alias"):
                how = "columns by other names than their own"
            elif node.get("type") == "COLUMN_REF" and node["column_names"][-1].lower() in rows:
                how = f"a whole row of {node['column_names'][-1]!r}"
            elif not has_star and _takes_all(node):
                how = "all columns without a star"
            if how is not None:
                raise RefusedError(f"reads {how}, and where some are personal each is called by its name")


def _takes_all(node: dict[str, Any]) -> bool:
    """Whether this is a SELECT of all columns of something else than a list of values."""
    selected = node.get("select_list")
    source = node.get("from_table")
    if not isinstance(selected, list) or not isinstance(source, dict) or source.get("type") == "EXPRESSION_LIST":
        return False
    return any(part.get("type") == "STAR" for part in selected)


def _function_of(node: dict[str, Any]) -> str | None:
    name = node.get("function_name")
    return name.lower() if isinstance(name, str) else None


def _as_function(node: dict[str, Any], changing: frozenset[str]) -> str | None:
    """A column's name that DuckDB takes for a function where no column is called so, such as current_date."""
    name: str = node["column_names"][0].lower()
    return name if name.startswith("current_") and name in changing else None


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of a parsed query, however deep."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
