"""One log folded and kept by every engine: the same digests. The table of docs/engines.md is what this test finds."""

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import replayhouse
from tests.support.cli import Program
from tests.support.homes import AS_INSTALLED
from tests.support.pages import python_files_of
from tests.support.replaying import Digests, Played, digests_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/engines.md"
BEGIN, END = "<!-- begin: made by tests/engines/test_engines_agree.py -->\n", "<!-- end -->"
WRITES = "REPLAYHOUSE_WRITE_ENGINES_PAGE"
KEPT_IN = "REPLAYHOUSE_CLICKHOUSE_URL"

ENGINE_OF_SPARK = ("--engine", "spark", "--master", "local[2]")


def test_every_engine_has_the_digests_of_the_live_tables(history: Played, tmp_path: Path) -> None:
    """With REPLAYHOUSE_WRITE_ENGINES_PAGE=1 the table of the page is written, else held against what is found."""
    live = history.digests()

    found = {
        "rebuilt": digests_of(history.program.json("rebuild")),
        "pool": _replayed(history, tmp_path / "pool"),
        "Spark": _replayed(history, tmp_path / "spark", *ENGINE_OF_SPARK),
        "Dask": _by_dask(history, tmp_path),
        "Parquet, DuckDB": _exported(history, tmp_path / "export"),
        "ClickHouse": _in_clickhouse(history, tmp_path / "clickhouse"),
    }

    table = _table(live, found)
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    shown, end, after = rest.partition(END)
    assert begin
    assert end
    if os.environ.get(WRITES):
        PAGE.write_text("".join((before, begin, table, end, after)), encoding="utf-8")
        shown = table
    assert {engine: digests for engine, digests in found.items() if digests != live} == {}
    assert shown == table, f"{WRITES}=1 writes the table anew"


def _table(live: Digests, found: dict[str, Digests]) -> str:
    """The table in Markdown: by table its rows, and whether each engine has the same digest."""
    lines = [("table", "rows in PostgreSQL, live", *found), ("---",) * (2 + len(found))]
    for context, tables in live.items():
        for name, told in tables.items():
            equal = ["equal" if digests[context][name] == told else "**other**" for digests in found.values()]
            lines.append((f"`{context}.{name}`", f"{told['rows']:,}", *equal))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _replayed(history: Played, rows: Path, *engine: str) -> Digests:
    told = _program(history).json("replay", history.sealed, "--out", rows, "--keys", history.keys, *engine)
    return digests_of(told)


def _by_dask(history: Played, folder: Path) -> Digests:
    with patch.dict(os.environ, {"PYTHONPATH": str(folder)}):  # its processes import the recipe, too
        by_dask = _recipe(folder).by_dask
        with replayhouse.open(home=folder / "home", warn=lambda text: None) as warehouse:
            report = warehouse.replay(history.sealed, folder / "dask", keys=history.keys, engine=by_dask)
    return digests_of(report.document())


def _recipe(folder: Path) -> ModuleType:
    """The recipe of the page on Spark and Dask, as a module."""
    name = "replay_by_dask.py"
    path = folder / name
    path.write_text(python_files_of((ROOT / "docs/spark.md").read_text(encoding="utf-8"))[name], encoding="utf-8")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _exported(history: Played, folder: Path) -> Digests:
    """Recomputed by DuckDB from the files."""
    program = _program(history)
    program.succeed("export", folder)
    return digests_of(program.json("digest", "--in", folder))


def _in_clickhouse(history: Played, folder: Path) -> Digests:
    """Recomputed by ClickHouse's own SQL."""
    program = _program(history, **{KEPT_IN: f"chdb://{folder}"})
    program.succeed("rebuild", "--to", "clickhouse")
    return digests_of(program.json("digest", "--in", "clickhouse"))


def _program(history: Played, **settings: str) -> Program:
    return Program(history.program.home, AS_INSTALLED, **settings)
