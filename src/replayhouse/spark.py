"""The star schema in a Spark job of one's own, folded from a sealed log by its executors.

    from replayhouse.spark import read_model

    tables = read_model(spark, "s3://warehouse/sealed", "sales", as_of="2026-03-01T12:00-03:00")
    tables["fact_order"].groupBy("status").sum("total").show()

Needs pyspark with pandas (`pip install 'replayhouse[spark]'`); docs/spark.md says what executors need.
"""

from datetime import date, datetime
from os import PathLike, fspath
from typing import TYPE_CHECKING

from replayhouse.infra.application.site import Site, errors_in_our_words
from replayhouse.infra.application.spark_tables import spark_tables
from replayhouse.infra.runtime.settings import load_settings
from replayhouse.infra.runtime.telling import tell_nobody, unheard

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def read_model(
    spark: "SparkSession",
    log: str | PathLike[str],
    context: str,
    *,
    as_of: str | datetime | None = None,
    to_position: int | None = None,
    occurred_before: str | date | None = None,
    keys: str | PathLike[str] | None = None,
) -> "dict[str, DataFrame]":
    """By name, the tables of a context as DataFrames; each folds the log anew whenever it is evaluated.

    `log` is a folder that all executors see, or a URL. Limits are those of `Warehouse.rebuild_into`. `keys` is the URL
    of the database with the keys of personal fields, without a password, or the file of keys of a backup, which all
    executors see too; without, personal fields are withheld. What a job writes in clear, no erasure knows of. Raises
    InputError where the log or the keys cannot be read, UsageError for limits that make no sense and for a password.
    """
    with errors_in_our_words():
        return spark_tables(
            Site(load_settings(), tell_nobody, unheard),
            spark,
            fspath(log),
            context,
            as_of=as_of,
            to_position=to_position,
            occurred_before=occurred_before,
            keys=None if keys is None else fspath(keys),
        )
