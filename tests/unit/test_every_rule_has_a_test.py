"""docs/rules-and-tests.md leaves no rule out, and what it names exists."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules-and-tests.md"
RULES = [f"R{number}" for number in range(1, 43)]

CITATION = re.compile(r"\bR(\d{1,2})\b")


class Entry(NamedTuple):
    """A line of the table. `places` are paths of files, `tests` pairs of a path and a function."""

    rule: str
    settles: str
    places: list[str]
    tests: list[tuple[str, str]]


def entries() -> list[Entry]:
    found = []
    for text in PAGE.read_text(encoding="utf-8").splitlines():
        if text.startswith("| R"):
            rule, settles, places, tests = (cell.strip() for cell in text.strip("|").split("|"))
            named = [name.split("::") for name in re.findall(r"`([^`]+)`", tests)]
            found.append(Entry(rule, settles, re.findall(r"`([^`]+)`", places), [(file, test) for file, test in named]))
    return found


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_table_names_every_rule_once_and_in_order() -> None:
    assert [entry.rule for entry in entries()] == RULES


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.rule)
def test_what_the_table_names_for_a_rule_exists(entry: Entry) -> None:
    assert len(entry.settles) > 20
    assert entry.places
    assert [place for place in entry.places if not (ROOT / place).is_file()] == []
    assert entry.tests
    assert [(file, test) for file, test in entry.tests if test not in functions_of(file)] == []
    assert all(test.startswith("test_") for _, test in entry.tests)


def test_code_cites_no_rule_that_there_is_not() -> None:
    cited = {
        int(number)
        for package in ("domain", "ingest", "projections", "infra", "tests")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".sql")
        for number in CITATION.findall(path.read_text(encoding="utf-8"))
    }
    assert cited <= set(range(1, len(RULES) + 1))
