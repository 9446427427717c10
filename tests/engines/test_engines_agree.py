"""One log folded and kept by every engine: the same digests. The table of docs/engines.md is what this test finds.

The log begins with the real sample; where that is not at hand (tests.support.the_sample), with a made-up extract, and
the table is left as it is.
"""

import os
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import pytest

import replayhouse
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.cli import Program, empty_warehouse
from tests.support.homes import AS_INSTALLED
from tests.support.pages import python_files_of
from tests.support.replaying import Digests, Played, digests_of, played
from tests.support.the_sample import SAMPLE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/engines.md"
BEGIN, END = "<!-- begin: made by tests/engines/test_engines_agree.py -->\n", "<!-- end -->"
WRITES = "REPLAYHOUSE_WRITE_ENGINES_PAGE"
KEPT_IN = "REPLAYHOUSE_CLICKHOUSE_URL"

ENGINE_OF_SPARK = ("--engine", "spark", "--master", "local[2]")


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A sealed log of the real sample, with rewound events and an erased person, and the warehouse that it is of."""
    with played(prepared, tmp_path_factory.mktemp("played"), SAMPLE if SAMPLE.is_dir() else None) as found:
        yield found


def test_every_engine_has_the_digests_of_the_live_tables(history: Played, kafka: KafkaSettings, tmp_path: Path) -> None:
    """With REPLAYHOUSE_WRITE_ENGINES_PAGE=1 the table of the page is written, else held against what is found."""
    live = history.digests()

    found = {
        "rebuilt": digests_of(history.program.json("rebuild")),
        "pool": _replayed(history, tmp_path / "pool"),
        "Spark": _replayed(history, tmp_path / "spark", *ENGINE_OF_SPARK),
        "Dask": _by_dask(history, tmp_path),
        "Parquet, DuckDB": _exported(history, tmp_path / "export"),
        "ClickHouse": _in_clickhouse(history, tmp_path / "clickhouse"),
        "Kafka": _from_topics(history, kafka, tmp_path / "consumer"),
    }
    assert {engine: digests for engine, digests in found.items() if digests != live} == {}
    if SAMPLE.is_dir():
        _hold(_table(live, found))


def _hold(table: str) -> None:
    """The page has this table, or is given it where that is asked for."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    shown, end, after = rest.partition(END)
    assert begin
    assert end
    if os.environ.get(WRITES):
        PAGE.write_text("".join((before, begin, table, end, after)), encoding="utf-8")
        shown = table
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


def _from_topics(history: Played, kafka: KafkaSettings, home: Path) -> Digests:
    """Folded by somebody who has nothing but the topics, and the keys."""
    settings = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": str(kafka.bootstrap), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix}
    publisher = _program(history, **settings)
    publisher.succeed("kafka", "topics", "--apply")
    publisher.succeed("publish")
    with empty_warehouse(history.loaded, home) as consumer:
        url = consumer.environment["REPLAYHOUSE_DATABASE_URL"]
        reading = Program(home, AS_INSTALLED, REPLAYHOUSE_DATABASE_URL=url, **settings)
        return digests_of(reading.json("consume", "--rebuild", "--into", "mirror", "--keys", history.keys))


def _program(history: Played, **settings: str) -> Program:
    return Program(history.program.home, AS_INSTALLED, **settings)
