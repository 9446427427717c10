"""`replayhouse.spark.read_model`: the star schema in a Spark job of one's own, equal to the live tables."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

import replayhouse
from replayhouse.infra.read_models.arrow_schema import arrow_schema
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.infra.replaying.spark_context import end_java
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.projections.digest import digest_of
from replayhouse.projections.warehouse import PROJECTIONS
from replayhouse.spark import read_model
from tests.support import hard_values
from tests.support.hard_values import EXPECTED, HARD_VALUES
from tests.support.replaying import Played, digests_of


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session of somebody else, who works in another zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("spark")))  # nobody ends these processes gently
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "America/Sao_Paulo")
            .getOrCreate()
        )
        try:
            yield session
        finally:
            session.stop()
            end_java()  # it has the environment of this file, and other tests need one of their own


def test_each_table_is_the_live_one_and_is_asked_in_sql(history: Played, spark: SparkSession) -> None:
    for context in ("customer", "quality"):
        tables = read_model(spark, history.sealed, context, keys=history.keys)

        assert {name: _digest(context, name, frame) for name, frame in tables.items()} == history.digests()[context]
    read_model(spark, history.sealed, "sales")["fact_order"].createOrReplaceTempView("orders")
    [told] = spark.sql("SELECT count(*), sum(total), max(placed_at) FROM orders").collect()
    live = history.loaded.rows("SELECT count(*), sum(total), max(placed_at) FROM sales.fact_order")
    assert [tuple(told)] == live


def test_hard_values_go_through_spark_as_they_are(spark: SparkSession) -> None:
    values = hard_values.arrow_table().to_batches()
    schema = from_arrow_schema(arrow_schema(HARD_VALUES))

    rows = spark.range(0, 1, 1, 1).mapInArrow(lambda _: iter(values), schema).toArrow()

    digest = digest_of(line_writer(HARD_VALUES).lines([tuple(row.values()) for row in rows.to_pylist()]))
    assert (digest.rows, digest.hex) == (EXPECTED.rows, EXPECTED.digest)


def test_a_replay_uses_the_session_that_runs_and_leaves_it(
    history: Played, spark: SparkSession, tmp_path: Path
) -> None:
    with replayhouse.open(home=tmp_path / "home", warn=lambda text: None) as warehouse:
        report = warehouse.replay(history.sealed, tmp_path / "rows", "sales", engine="spark")

    assert digests_of(report.document())["sales"] == history.digests()["sales"]
    assert spark.range(3).count() == 3


def test_limits_are_those_of_a_replay_and_personal_fields_are_withheld_without_keys(
    history: Played, spark: SparkSession
) -> None:
    position, day = history.positions[1], "2018-02-01"
    tables = read_model(spark, history.sealed, "customer", to_position=position, occurred_before=day)

    live = history.digests("--to-position", str(position), "--occurred-before", day)
    assert _digest("customer", "customer_alias", tables["customer_alias"]) == live["customer"]["customer_alias"]
    comments = {row.comment for row in tables["fact_review"].select("comment").collect()}
    assert comments
    assert not comments & {text for (text,) in history.loaded.rows("SELECT comment FROM customer.fact_review") if text}


def test_what_cannot_be_is_said_before_spark_has_work(history: Played, spark: SparkSession) -> None:
    with pytest.raises(UsageError, match="sealed up to position"):
        read_model(spark, history.sealed, "sales", to_position=10**9)
    with pytest.raises(InputError, match="There is no sealed log"):
        read_model(spark, history.folder, "sales")
    url = history.loaded.url.replace("postgres@", "postgres:sesame@")
    with pytest.raises(UsageError, match="PGPASSFILE"):
        read_model(spark, history.sealed, "customer", keys=url)


def _digest(context: str, name: str, frame: Any) -> dict[str, object]:
    """The digest of a DataFrame, by the definition, from what it hands out."""
    [table] = [table for table in PROJECTIONS[context].tables if table.name == name]
    rows: pa.Table = frame.toArrow()
    assert rows.column_names == [column.name for column in table.columns]
    values = [tuple(row.values()) for row in rows.to_pylist()]
    digest = digest_of(line_writer(table).lines(values))
    return {"rows": digest.rows, "digest": digest.hex}
