"""The environment of these tests: each engine starts, in a process of its own, and gives back what it took."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPARK = """
from pyspark.sql import SparkSession

session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
numbers = session.createDataFrame([(7,), (35,)], "number int").mapInArrow(lambda batches: batches, "number int")
print(sum(number for (number,) in numbers.collect()))
session.stop()
"""
DASK = """
from dask.distributed import Client

if __name__ == "__main__":
    with Client(n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as client:
        print(sum(client.gather(client.map(abs, [-7, -35]))))
"""
CLICKHOUSE = """
import clickhouse_connect

client = clickhouse_connect.get_client(dsn="chdb:///" + str(__import__("pathlib").Path("engine").absolute()))
print(client.query("SELECT 7 + 35").result_rows[0][0])
"""


@pytest.mark.parametrize("engine", [SPARK, DASK, CLICKHOUSE], ids=["spark", "dask", "clickhouse"])
def test_an_engine_starts_and_gives_back_what_it_took(engine: str, tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(engine, encoding="utf-8")
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "engine.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[-1:] == ["42"], done.stderr
