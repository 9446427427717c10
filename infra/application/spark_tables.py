"""The read model of a context in somebody's own Spark job."""

from datetime import date, datetime
from typing import Any

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.replay import limited, limits_met
from replayhouse.infra.application.replay_keys import keys_from
from replayhouse.infra.application.site import Site
from replayhouse.infra.replaying.spark import apart
from replayhouse.infra.replaying.spark_tables import tables_in_spark
from replayhouse.infra.sealed_log.reader import open_sealed_log


def spark_tables(
    site: Site,
    spark: Any,
    place: str,
    context: str,
    *,
    as_of: str | datetime | None = None,
    to_position: int | None = None,
    occurred_before: str | date | None = None,
    keys: str | None = None,
) -> dict[str, Any]:
    """By table of a context, a DataFrame of the rows that a sealed log makes as far as the limits go."""
    limits = limits_met(as_of, to_position, occurred_before)
    [wanted] = chosen(context)
    whole = open_sealed_log(place)
    found = None if keys is None else keys_from(site, keys, whole)
    sent, _ = apart(None if found is None else found.keys, here=False)
    return tables_in_spark(spark, limited(whole, limits), wanted, limits.occurred_before, sent)
