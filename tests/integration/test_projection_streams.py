"""Any streams, appended in any steps: live tables and rebuilt ones show what the folds of the whole streams say."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from replayhouse.infra.columns import runs
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models import folding, windows
from replayhouse.infra.read_models.digests import ContextDigest, digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.runtime import column_folds
from replayhouse.projections.digest import Digest
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.histories import Histories, Steps, folded, fresh_database, histories


# Not made smaller: each attempt takes a second.
@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    streams=histories(),
    steps=st.lists(st.integers(1, 4), max_size=3),
    window=st.integers(1, 12),
    columns=st.sampled_from(("on", "off")),
    at_once=st.integers(1, 40),
)
def test_live_folded_and_rebuilt_are_the_same(
    server: EmbeddedServer, streams: Histories, steps: Sequence[int], window: int, columns: str, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, fresh_database(server) as database:
        patch.setattr(windows, "EVENTS_A_WINDOW", window)
        patch.setattr(runs, "LEAST_STREAMS", 1)
        patch.setattr(folding, "EVENTS_AT_ONCE", at_once)
        patch.setenv(column_folds.VARIABLE, columns)
        with database.connect(autocommit=True) as conn:
            appending = Steps(conn, streams)
            for most in (*steps, 99):
                appending.append(most)
                catch_up(database)
            assert tables(digests(database)) == folded(streams)
            assert tables(rebuild(database, workers=1)) == folded(streams)
            assert tables(digests(database)) == folded(streams)
            assert [found for query in POSITIONS for found in conn.execute(query.encode())] == []


def tables(found: Mapping[str, ContextDigest | Rebuilt]) -> dict[str, Mapping[str, Digest]]:
    return {context: of_context.tables for context, of_context in found.items()}


# Rows whose position is not that of an event of their context.
POSITIONS = [
    f"SELECT * FROM {context}.{table.name} WHERE position > 0 AND position NOT IN"
    f" (SELECT notification_id FROM event_store.{context}_events)"
    for context, projection in PROJECTIONS.items()
    for table in projection.tables
]
